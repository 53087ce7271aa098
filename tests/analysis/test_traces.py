"""What networks said during training, against hand-worked cases."""

import numpy as np
import pytest

from core.analysis.tables import load_runs
from core.analysis.traces import common_stop, describe_hypothesis, early_stop_hypothesis, passing_epochs, trace_pair
from core.runs.records import TRACE_EVERY
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from core.training import procedure
from support.fake_runs import write_run

CHANNELS, BRANCHES = "TwoChannelsModel", "TwoBranchesModel"
AUXILIARY, DIRECT = "WeightSharingAuxiliaryModel", "DirectClassificationModel"

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def write_rounds(store, accuracies, trace=None, **settings):
    for seed, accuracy in enumerate(accuracies):
        shift = seed / 1_000
        own = {epoch: round(value + shift, 3) for epoch, value in (trace or {}).items()} or None
        write_run(store, RunSettings(seed=seed, **settings), accuracy, epochs=12, trace=own)


def test_the_stored_epochs_are_those_of_training():
    assert procedure.TRACE_EVERY == TRACE_EVERY


def test_an_empty_store_says_what_is_missing(store):
    table = early_stop_hypothesis(store, load_runs(store)).table
    assert describe_hypothesis(table) == ["No finished rounds with predictions yet: Two channels and Two branches."]
    assert common_stop(table).empty


def test_a_round_that_has_stopped_keeps_its_last_accuracy(store):
    write_run(store, RunSettings(model=CHANNELS, seed=0), 0.83, epochs=11, trace={5: 0.7, 10: 0.81})
    write_run(store, RunSettings(model=CHANNELS, seed=1), 0.82, epochs=18, trace={5: 0.6, 10: 0.77, 15: 0.8})
    table = early_stop_hypothesis(store, load_runs(store)).table
    assert table["epoch"].tolist() == [5, 10, 15, 20]
    assert table["mean"].tolist() == pytest.approx([0.65, 0.79, (0.83 + 0.8) / 2, (0.83 + 0.82) / 2])
    assert table["difference"].tolist() == pytest.approx((table["mean"] - 0.798).tolist())
    assert table["running"].tolist() == [2, 2, 1, 0]
    assert table["rounds"].tolist() == 4 * [2]
    assert passing_epochs(table) == {CHANNELS: 15}
    assert set(common_stop(table)["epoch"]) == {10}  # 0.8 points below, nearer than 1.7 above
    assert describe_hypothesis(table)[0] == (
        "Two channels: the report prints 79.8 %; our mean of 2 rounds passes it at about epoch 15 and ends at 82.5 %."
    )
    assert describe_hypothesis(table)[-1] == "No finished rounds with predictions yet: Two branches."


def test_a_mean_that_never_passes_says_nothing_of_an_earlier_stop(store):
    write_rounds(store, [0.7], model=BRANCHES, dropout=0.25)
    table = early_stop_hypothesis(store, load_runs(store), 0.25).table
    assert table["report_mean"].tolist() == 3 * [0.826]
    assert passing_epochs(table) == {BRANCHES: None}
    assert "our mean of 1 round stays below it and ends at 70.0 %" in describe_hypothesis(table)[0]
    assert "Had all stopped" not in " ".join(describe_hypothesis(table))


def write_first_two(store):
    """Both at their printed figures at epoch 5, and 2 points above at the end; the deviation of three rounds is
    0.001."""
    write_rounds(store, [0.818, 0.819, 0.820], {5: 0.797, 10: 0.817}, model=CHANNELS)
    write_rounds(store, [0.832, 0.833, 0.834], {5: 0.811, 10: 0.831}, model=BRANCHES)


def test_a_common_earlier_stop_that_would_put_another_off_its_print(store):
    write_first_two(store)
    # printed 0.865 ± 0.019: error √(0.000001 / 3 + 0.000361 / 10) = 0.0060360, 9.16 degrees, t(0.975) = 2.2555
    write_rounds(store, [0.864, 0.865, 0.866], {5: 0.834, 10: 0.860}, model=AUXILIARY)
    table = early_stop_hypothesis(store, load_runs(store)).table
    stopped = common_stop(table).set_index("model")
    assert stopped["clear"].to_dict() == {CHANNELS: False, BRANCHES: False, AUXILIARY: True}
    assert stopped.loc[AUXILIARY, "difference"] == pytest.approx(-0.030)
    assert describe_hypothesis(table)[2] == (
        "The two together come nearest to the print at epoch 5. Had all stopped there, clearly off their printed "
        "figures would be Auxiliary losses 3.0 points below (95 % 1.6 to 4.4) (Welch's test, Holm's correction over "
        "the 3); at every other stored epoch, too, some would, at epoch 5 by the least (Holm's p 0.002): in this "
        "column the same runs speak against a common earlier stop. One of these two alone stays a hypothesis."
    )


def test_a_common_earlier_stop_that_fits_all_remains_possible(store):
    write_first_two(store)
    write_rounds(store, [0.864, 0.865, 0.866], {5: 0.851, 10: 0.860}, model=AUXILIARY)  # 1.3 points below
    table = early_stop_hypothesis(store, load_runs(store)).table
    assert not common_stop(table)["clear"].any()
    assert describe_hypothesis(table)[2] == (
        "The two together come nearest to the print at epoch 5. Had all stopped there, none of the 3 would clearly "
        "differ from its printed figure (Welch's test, Holm's correction over the 3): an earlier stop remains a "
        "possible explanation, a hypothesis and not a finding."
    )


def test_one_that_would_lie_above_its_print_speaks_against_it_too(store):
    write_first_two(store)
    write_rounds(store, [0.904, 0.905, 0.906], {5: 0.894, 10: 0.9}, model=AUXILIARY)
    sentence = describe_hypothesis(early_stop_hypothesis(store, load_runs(store)).table)[2]
    assert "would be Auxiliary losses 3.0 points above (95 % 1.6 to 4.4)" in sentence


def test_a_pairs_way_through_training_is_that_of_the_runs_that_met_it(store):
    pair = (14, 15)  # a 0 and a 7, as write_run makes them up
    for model in (DIRECT, AUXILIARY):
        write_run(store, RunSettings(model=model), 0.9, epochs=12, trace={5: 1.0, 10: 0.0})
    elsewhere = np.arange(2_000, 4_000, dtype=np.int16).reshape(1_000, 2)
    write_run(store, RunSettings(model=DIRECT, seed=1), 0.9, arrays={"indices": elsewhere})
    write_run(store, RunSettings(model=DIRECT, dropout=0.25), 0.9)
    write_run(store, RunSettings(model=DIRECT, hidden_units=64), 0.9)
    table, problems = trace_pair(store, load_runs(store), pair, RunSettings(model="TwoBranchesModel", seed=5))
    assert problems == []
    assert set(table["run_id"]) == {RunSettings(model=model).run_id for model in (DIRECT, AUXILIARY)}
    own = table[table["model"] == DIRECT]
    assert own["epoch"].tolist() == [5, 10, 12]
    assert own["probability"].tolist() == pytest.approx([0.751953, 0.251953, 0.75], abs=1e-6)
    assert trace_pair(store, load_runs(store), (15, 14), RunSettings()).table.empty


def test_a_run_without_predictions_is_named_where_a_pair_is_followed(store):
    run_id = write_run(store, RunSettings(model=DIRECT), 0.9)
    (store.path(run_id) / "predictions.safetensors").unlink()
    table, [problem] = trace_pair(store, load_runs(store), (0, 1), RunSettings())
    assert table.empty
    assert f"The run {run_id} has no predictions.safetensors" in problem
