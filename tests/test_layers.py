"""What may import what: the core knows no screen, and a screen of stored results needs no network."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import ROOT

NETWORKS = {"torch", "torchvision", "captum", "numba"}
SERVER_MODULES = (  # what the server imports, for the screens that train or show what is stored and for those that ask
    "core.inference.service",
    "core.cluster.engine",
    "core.figures.live",
    "core.figures.diagram",
    "core.cluster.forecast",
    "core.cluster.health",
    "core.cluster.limits",
    "core.figures.mistakes",
    "core.runs.palette",
    "core.analysis.tables",
    "core.runs.store",
    "core.runs.settings",
    "pages.components.gallery",
    "pages.components.queue",
    "pages.app.router",
    "pages.components.settings_form",
    "pages.app.shared",
    "pages.components.draw.pair",
    "pages.components.draw.score",
    "pages.components.draw.verdicts",
    "pages.components.draw.why",
    "pages.components.walk.choices",
    "pages.components.walk.steps",
)


def find_files(*parts: str) -> list[Path]:
    files = [ROOT / "streamlit_app.py"] if "pages" in parts else []
    files += [file for part in parts for file in sorted((ROOT / part).rglob("*.py"))]
    assert len(files) > 3
    return files


def name_file(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imported_packages(tree: ast.AST, anywhere: bool) -> set[str]:
    """The top-level packages that a module imports: anywhere in it, or only as it is itself imported."""
    found = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." if node.level else node.module.split(".")[0])
        deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_for_types(node)
        if anywhere or not deferred:
            pending += ast.iter_child_nodes(node)
    return found


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("file", find_files("core"), ids=name_file)
def test_the_core_knows_no_screen(file):
    assert not imported_packages(ast.parse(file.read_text()), anywhere=True) & {"streamlit", "pages", "."}


@pytest.mark.parametrize("file", find_files("pages"), ids=name_file)
def test_a_screen_opens_without_a_network(file):
    assert not imported_packages(ast.parse(file.read_text()), anywhere=False) & NETWORKS


@pytest.mark.parametrize("file", find_files("core", "pages"), ids=name_file)
def test_nothing_is_pickled(file):
    assert not imported_packages(ast.parse(file.read_text()), anywhere=True) & {"pickle", "joblib", "dill"}


@pytest.mark.parametrize("file", find_files("pages"), ids=name_file)
def test_styles_and_scripts_are_files_of_their_own(file):
    strings = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    for text in filter(lambda value: isinstance(value, str), strings):
        assert "<script" not in text
        assert "<style" not in text or name_file(file) == "pages/components/files.py"  # which reads them
        assert not re.search(r"\{[^{}]*:[^{}]*;[^{}]*\}", text)  # a rule of CSS


def test_imports_are_found_where_they_stand():
    source = (
        "import a.b\nif TYPE_CHECKING:\n    import c\ndef f():\n    from d.e import g\nwith x:\n    from . import h\n"
    )
    tree = ast.parse(source)
    assert imported_packages(tree, anywhere=True) == {"a", "c", "d", "."}
    assert imported_packages(tree, anywhere=False) == {"a", "."}


def test_the_server_trains_and_compares_without_pytorch():
    script = f"import sys, {', '.join(SERVER_MODULES)}\nprint(sorted({NETWORKS!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


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
        f"print(sorted({NETWORKS!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
