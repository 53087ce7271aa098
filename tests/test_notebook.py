"""`docs/take-home.ipynb`, run from top to bottom, says what the store says."""

import json
import os
import re
import subprocess
import sys

import pytest

from core.analysis.tables import load_runs, only_planned, results_table
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.servers import ROOT

pytestmark = pytest.mark.process

NOTEBOOK = ROOT / "docs" / "take-home.ipynb"
# Runs the code cells as Jupyter does, in one name space, and prints what the last line of a cell is.
RUN = """
import ast, json, pathlib, sys
names = {"__name__": "__main__"}
for cell in json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        *body, last = ast.parse("".join(cell["source"])).body
        shown = isinstance(last, ast.Expr)
        exec(compile(ast.Module(body if shown else [*body, last], []), cell["id"], "exec"), names)
        if shown and (value := eval(compile(ast.Expression(last.value), cell["id"], "eval"), names)) is not None:
            print(value.to_string() if hasattr(value, "to_string") else value)
"""


def test_it_is_kept_without_outputs():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)


@pytest.fixture(scope="module")
def said() -> str:
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "error,ignore:FigureCanvasAgg"}
    command = [sys.executable, "-c", RUN, str(NOTEBOOK)]
    done = subprocess.run(command, cwd=NOTEBOOK.parent, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_network_loaded_by_hand_is_the_stored_one(said):
    run_id = RunSettings(model="WeightSharingBranchesModel", seed=2).run_id
    assert f'"{run_id}"' in "".join(json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"][3]["source"])
    stored = RunStore(ROOT / "cached_runs").open(run_id).summary["test_accuracy"]
    assert f"Right: {stored:.1%} of 1,000 test pairs. The store says {stored:.1%}." in said


def test_the_table_is_that_of_the_store(said):
    cells = results_table(only_planned(load_runs(RunStore(ROOT / "cached_runs"))))
    for label, model in (("Two channels", "TwoChannelsModel"), ("Direct classification", "DirectClassificationModel")):
        own = cells[(cells["model"] == model) & ~cells["dropout_at_evaluation"]].set_index("dropout")
        [row] = re.findall(rf"^{label} +(0\.\d+) +(0\.\d+) +(0\.\d+)", said, re.MULTILINE)
        assert [float(number) for number in row] == own.loc[0.0, ["mean", "std", "report_mean"]].astype(float).round(
            3
        ).tolist()


def test_an_architecture_of_ones_own_stands_beside_the_seven(said):
    mine = float(re.findall(r"^Mine +(0\.\d+)", said, re.MULTILINE)[0])
    assert 0.75 < mine < 1  # it has learnt: whoever says yes always is right in about 0.55
