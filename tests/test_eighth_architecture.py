"""The exercise of CONTRIBUTING.md, carried out on a copy of the program: an architecture more, in one class, one
registry entry and one look."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import ROOT

pytestmark = pytest.mark.process

MODEL = "BilinearModel"
LOOK = """
from streamlit.testing.v1 import AppTest

from core.cluster.conductor import Conductor
from core.analysis.tables import load_runs
from core.runs.store import RunStore
from core.sections import draw_sections

Conductor.start = lambda conductor: None


def open_page(page, **link):
    app = AppTest.from_file("streamlit_app.py", default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.run().switch_page(f"pages/{page}.py").run()
    assert not app.exception and not app.error, page
    return app


def show(page, **link):
    app = open_page(page, **link)
    shown = [part.value for part in [*app.header, *app.metric, *app.markdown, *app.caption]]
    return shown + [chart.proto.spec for chart in app.get("plotly_chart")]


assert any("Bilinear" in name for name in open_page("train").multiselect(key="model").options)
described = show("architectures", one="BilinearModel")
assert "53,103" in described and any("multiplies the two vectors" in text.lower() for text in described)
assert "Bilinear comparison" in set(open_page("compare", view="Table", own_rounds="true").dataframe[0].value["label"])
assert any("Bilinear comparison" in text for text in show("compare", view="Curves", own_rounds="true"))
assert any("Bilinear comparison" in text for text in show("mistakes", mistakes="Together", own_rounds="true"))
assert any("Bilinear" in name for name in open_page("walk", pair="0-1").selectbox[0].options)
for page in ("findings", "leaderboard", "draw"):
    show(page)
store = RunStore()
for section in draw_sections(store, load_runs(store), load_runs(store)):
    print(section.drawn.figure.to_json())
"""


def read_exercise() -> list[tuple[str, list[str]]]:
    """(file, lines with their sign) of each part of the exercise's diff."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    [diff] = re.findall(r"<!-- exercise: begin -->\n```diff\n(.*?)```\n<!-- exercise: end -->", text, re.DOTALL)
    parts = [part.splitlines() for part in re.split("^--- ", diff, flags=re.MULTILINE)[1:]]
    return [(name, lines) for name, *lines in parts]


def join(lines: list[str], signs: str) -> str:
    return "".join(f"{line[1:]}\n" for line in lines if line[0] in signs)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The program and its runs with the exercise's lines."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("core", "pages", "cached_runs", ".streamlit"):
        shutil.copytree(ROOT / name, copy / name)
    shutil.copy(ROOT / "streamlit_app.py", copy)
    (copy / "data").symlink_to(ROOT / "data")
    for name, lines in read_exercise():
        [file] = (copy / "core").rglob(Path(name).name)
        before, found, after = file.read_text().partition("\n" + join(lines, " "))
        assert found, f"{name} has no line like that: {join(lines, ' ')}"
        file.write_text(before + "\n" + join(lines, " +") + after)
    return copy


def run(copy: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_exercise_is_as_long_as_it_says():
    added = sum(line.startswith("+") for _, lines in read_exercise() for line in lines)
    assert f"its look: {added} lines in two files" in (ROOT / "CONTRIBUTING.md").read_text().replace("\n", " ")


@pytest.mark.cluster
def test_an_eighth_architecture_is_everywhere(copy):
    run(copy, "-m", "core", "architectures")
    [file] = (copy / "core").rglob("architectures.json")
    structures = json.loads(file.read_text())
    assert [structure["model"] for structure in structures][7:] == [MODEL]
    assert structures[7]["blocks"][-1]["layers"] == ["Bilinear 10 × 10 → 1"]

    assert MODEL in run(copy, "-m", "core", "train", "--help")
    run(copy, "-m", "core", "train", "--model", MODEL, "--nb_rounds", "2", "--max-epochs", "100")
    rows = json.loads(run(copy, "-m", "core", "table", "--json", "--own-rounds"))
    assert [row["rounds"] for row in rows if row["model"] == MODEL] == [2]
    figures = run(copy, "-c", LOOK).splitlines()
    assert sum("Bilinear comparison" in figure for figure in figures) > 5
