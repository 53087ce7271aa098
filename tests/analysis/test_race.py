"""How a race stands: places, epochs, means, and results that are told only when they are there."""

import pytest

from core.analysis.race import make_lanes, rank_lanes
from core.analysis.tables import load_histories
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.fake_runs import write_run

OWN, SHARED, DIRECT = (
    RunSettings(model=model)
    for model in ("TwoBranchesModel", "WeightSharingBranchesModel", "DirectClassificationModel")
)


@pytest.fixture
def store(tmp_path) -> RunStore:
    """Two finished rounds of one lane, one finished round of another, none of a third."""
    store = RunStore(tmp_path / "runs")
    for settings, accuracy, epochs in zip(OWN.rounds(2), (0.70, 0.80), (10, 12), strict=True):
        write_run(store, settings, accuracy, epochs)
    write_run(store, SHARED, 0.90, 8)
    return store


def rank(store: RunStore, *cells: RunSettings, count: int = 2, told: bool = True):
    lanes = make_lanes(cells, count)
    names = [settings.run_id for lane in lanes for settings in lane.rounds]
    return rank_lanes(lanes, load_histories(store, names), {name: store.read(name) for name in names} if told else {})


def test_the_best_comes_first_and_who_has_no_epoch_last(store):
    shared, own, direct = rank(store, DIRECT, OWN, SHARED)
    assert [each.lane.rounds[0].model for each in (shared, own, direct)] == [SHARED.model, OWN.model, DIRECT.model]
    assert (own.epochs, shared.epochs, direct.epochs) == ((10, 12), (0, 8), (0, 0))
    assert own.validation == pytest.approx(0.75)
    assert (own.finished, own.test, own.deviation) == (2, pytest.approx(0.75), pytest.approx(0.0707107))
    assert own.seconds == pytest.approx(1.1)
    assert (shared.finished, shared.test, shared.deviation) == (1, 0.9, None)
    assert direct[2:] == (None, 0, None, None, None)


def test_a_replay_does_not_tell_results(store):
    assert [each.test for each in rank(store, OWN, SHARED, told=False)] == [None, None]


def test_when_all_have_finished_the_test_accuracy_decides(tmp_path):
    store = RunStore(tmp_path / "runs")
    write_run(store, OWN, 0.70)
    write_run(store, SHARED, 0.80)
    path = store.path(OWN.run_id) / "history.jsonl"  # its last validation accuracy is the better one
    path.write_text(path.read_text().replace('"validation_accuracy": 0.7,', '"validation_accuracy": 0.9,'))
    standings = rank(store, OWN, SHARED, count=1)
    assert [each.lane.rounds[0].model for each in standings] == [SHARED.model, OWN.model]
    assert [each.validation for each in standings] == [pytest.approx(0.8), pytest.approx(0.9)]


def test_lanes_of_several_dropouts_say_theirs():
    cells = [OWN, OWN.model_copy(update={"dropout": 0.25})]
    assert [lane.name for lane in make_lanes(cells, 1)] == ["Two branches, dropout 0", "Two branches, dropout 0.25"]
    assert [lane.name for lane in make_lanes(cells[1:], 1)] == ["Two branches"]
