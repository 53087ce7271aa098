"""What a running server has imported; pyproject.toml has the contracts of what may import what."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import ROOT

NETWORKS = {"torch", "torchvision", "captum", "numba"}
SERVER_MODULES = (  # what the server imports, for the screens that train or show what is stored and for those that ask
    "core.analysis.tables",
    "core.cluster.engine",
    "core.cluster.forecast",
    "core.cluster.health",
    "core.cluster.limits",
    "core.figures.diagram",
    "core.figures.live",
    "core.figures.mistakes",
    "core.inference.client",
    "core.inference.service",
    "core.runs.palette",
    "core.runs.settings",
    "core.runs.store",
    "pages.app.router",
    "pages.app.shared",
    "pages.components.draw.pair",
    "pages.components.draw.score",
    "pages.components.draw.verdicts",
    "pages.components.draw.why",
    "pages.components.gallery",
    "pages.components.neighbours",
    "pages.components.queue",
    "pages.components.settings_form",
    "pages.components.walk.choices",
    "pages.components.walk.steps",
)
FILES = [ROOT / "streamlit_app.py", *sorted((ROOT / "pages").rglob("*.py"))]


def name_file(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=name_file)
def test_styles_and_scripts_are_files_of_their_own(file):
    strings = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    for text in filter(lambda value: isinstance(value, str), strings):
        assert "<script" not in text
        assert "<style" not in text or name_file(file) == "pages/components/files.py"  # which reads them
        assert not re.search(r"\{[^{}]*:[^{}]*;[^{}]*\}", text)  # a rule of CSS


@pytest.mark.process
def test_the_server_trains_and_compares_without_pytorch():
    script = f"import sys, {', '.join(SERVER_MODULES)}\nprint(sorted({NETWORKS!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.process
def test_the_server_multiplies_matrices_in_the_thread_that_asks():
    script = (
        "import threading, psutil, streamlit_app\nimport numpy as np\n"
        "digits = np.ones((20_000, 196), np.float32)\ndigits @ digits[0]\n"
        "print(psutil.Process().num_threads() - threading.active_count())"
    )
    own = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


@pytest.mark.process
def test_no_screen_loads_pytorch_into_the_server():
    script = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('streamlit_app.py', default_timeout=60)\n"
        "app.run()\n"
        "for name in ('architectures', 'walk', 'draw'):\n"
        "    app.switch_page(f'pages/{name}.py')\n"
        "    app.query_params['pair'] = '0-1'\n"
        "    app.query_params['panel'] = 'Why?'\n"
        "    app.run()\n"
        "    assert app.title and not app.exception and not app.error\n"
        "app.session_state.why[1].result()\n"
        "app.session_state.neighbours[1].result()\n"
        f"print(sorted({NETWORKS!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
