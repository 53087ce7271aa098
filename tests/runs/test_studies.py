"""The studies' plans, and runs of which the result alone is kept."""

import json

import pytest
import torch

from core.mnist.pairs import Pairs, Round
from core.networks.structure import count_parameters
from core.runs.plan import planned_run_ids
from core.runs.settings import REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from core.runs.studies import STUDIES, TRAINING_PAIRS, TWINS, study_run_ids
from core.training import verify
from core.training.verify import check_run
from support.fake_runs import write_run


def test_each_study_has_each_of_its_runs_once_without_dropout_first_round_by_round():
    for study in STUDIES.values():
        plan = study.plan()
        assert len({settings.run_id for settings in plan}) == len(plan) == len(study.cells) * study.rounds
        order = [(settings.dropout, settings.seed) for settings in plan]
        assert order == sorted(order)
        assert {settings.seed for settings in plan} == set(range(study.rounds))
    assert len(STUDIES["data"].plan()) == len(REPORT_MODELS) * 2 * len(TRAINING_PAIRS) * 5
    assert not study_run_ids() & planned_run_ids()


def test_twins_have_nearly_equal_parameters():
    cells = {(cell.model, cell.hidden_units): count_parameters(cell) for cell in STUDIES["twins"].cells}
    for own, shared in TWINS.items():
        assert cells[shared, 326] == pytest.approx(cells[own, 128], rel=0.004)
        assert cells[own, 29] == pytest.approx(cells[shared, 128], rel=0.004)
    assert (cells["WeightSharingBranchesToVecModel", 326], cells["BranchesToVecModel", 128]) == (106_089, 106_225)
    assert (cells["BranchesToVecModel", 29], cells["WeightSharingBranchesToVecModel", 128]) == (53_359, 53_223)


def test_a_result_that_is_kept_alone_is_whole(tmp_path):
    store = RunStore(tmp_path)
    run_id = write_run(store, RunSettings(training_pairs=200), 0.75)
    before = store.open(run_id).summary
    store.keep_result_alone(run_id)
    run = store.open(run_id)
    assert sorted(path.name for path in run.path.iterdir()) == [".lock", "result.json", "settings.json"]
    assert run.summary == {**before, "without_history": True}
    assert (run.state, run.is_result_alone, run.history_problem) == ("finished", True, "")
    # What it does not say of itself is a fault.
    (run.path / "result.json").write_text(json.dumps(before))
    assert store.open(run_id).history_problem == f"The history of {run_id} has 0 of {before['epochs']} epochs."


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"test_accuracy_unequal": 675 / 900, "test_accuracy_equal": 75 / 100}, ""),
        ({"test_accuracy_unequal": 676 / 900, "test_accuracy_equal": 75 / 100}, "do not give its test accuracy."),
        ({"test_accuracy_unequal": 675 / 900}, "lacks test_accuracy_equal."),
    ],
)
def test_a_result_that_is_kept_alone_agrees_with_the_test_pairs_of_its_round(tmp_path, monkeypatch, told, problem):
    classes = torch.tensor([[1, 1]] * 100 + [[1, 2]] * 900)
    pairs = Pairs(torch.zeros(1_000, 2, 1, 1), classes, torch.ones(1_000), classes)
    monkeypatch.setattr(verify, "draw_round", lambda *_: Round(pairs, pairs, pairs, 0.0, 1.0))
    store = RunStore(tmp_path)
    run_id = write_run(store, RunSettings(training_pairs=200), 0.75)
    _tell(store, run_id, told)
    store.keep_result_alone(run_id)
    found, recomputed = check_run(store.open(run_id))
    assert (found.endswith(problem) if problem else found == "", recomputed) == (True, False)


@pytest.mark.parametrize("name", ["test_accuracy_unequal", "test_accuracy_equal", "best_epoch_test_accuracy"])
def test_a_share_in_a_result_that_cannot_be_sets_the_run_aside(tmp_path, name):
    store = RunStore(tmp_path)
    run_id = write_run(store, RunSettings(), 0.75)
    _tell(store, run_id, {name: "much"})
    assert store.read(run_id).problem == f"The run {run_id} is set aside: {name} in result.json is wrong."


def _tell(store: RunStore, run_id: str, told: dict) -> None:
    """Add fields to a run's result."""
    path = store.path(run_id) / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **told}))
