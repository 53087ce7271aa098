"""The studies' plans, and runs of which the result alone is kept."""

import json

import pytest

from core.networks.structure import count_parameters
from core.runs.plan import planned_run_ids
from core.runs.settings import REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from core.runs.studies import STUDIES, TRAINING_PAIRS, TWINS, study_run_ids
from core.training.verify import check_run
from support.fake_runs import write_run


def test_each_study_has_each_of_its_runs_once_round_by_round():
    for study in STUDIES.values():
        plan = study.plan()
        assert len({settings.run_id for settings in plan}) == len(plan) == len(study.cells) * study.rounds
        assert [settings.seed for settings in plan[:: len(study.cells)]] == list(range(study.rounds))
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
    assert check_run(run) == ("", False)
    # What it does not say of itself is a fault.
    (run.path / "result.json").write_text(json.dumps(before))
    assert store.open(run_id).history_problem == f"The history of {run_id} has 0 of {before['epochs']} epochs."
