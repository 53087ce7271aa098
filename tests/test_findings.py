"""What is found in stored predictions, against hand-worked cases and published examples."""

import numpy as np
import pytest
from fake_runs import CLASSES, decide, write_run
from scipy import stats

from core.findings import (
    describe_artefact,
    describe_epochs,
    describe_hypothesis,
    describe_parameters,
    describe_squared,
    digit_accuracy_squared,
    dropout_artefact,
    early_stop_hypothesis,
    epochs_to_stop,
    expect_accuracy,
    parameters_and_accuracy,
    passing_epochs,
    trace_pair,
)
from core.results import load_runs
from core.runs import RunStore
from core.settings import MODEL_NAMES, RunSettings

AUXILIARY, DIRECT = "WeightSharingAuxiliaryModel", "DirectClassificationModel"

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def write_rounds(store, accuracies, epochs=12, **settings):
    for seed, accuracy in enumerate(accuracies):
        write_run(store, RunSettings(seed=seed, **settings), accuracy, epochs=epochs)


def test_fake_runs_are_as_right_as_they_say(store):
    arrays = store.read(write_run(store, RunSettings(), 0.731)).predictions()
    target = arrays["classes"][:, 0] <= arrays["classes"][:, 1]
    assert (arrays["decision"] == target).mean() == 0.731
    assert ((arrays["trace"] >= 0.5) == target).mean(axis=1).tolist() == [0.731, 0.731]
    assert arrays["trace_epochs"].tolist() == [5, 10]
    assert store.read(RunSettings().run_id).state == "finished"


def test_an_empty_store_gives_empty_tables_and_says_so(store):
    runs = load_runs(store)
    assert dropout_artefact(runs)["rounds"].tolist() == 10 * [0]
    assert describe_artefact(dropout_artefact(runs))[0].startswith("Fewer than 10 rounds so far: Auxiliary losses")
    assert describe_squared(digit_accuracy_squared(store, runs).table)[0].endswith(
        "no finished round with predictions yet."
    )
    assert describe_parameters(parameters_and_accuracy(runs))[0].startswith("Fewer than three architectures")
    assert describe_epochs(epochs_to_stop(runs)) == ["No round with these settings has finished yet."]
    assert describe_hypothesis(early_stop_hypothesis(store, runs).table) == [
        "No finished rounds with predictions yet: Two channels, Two branches."
    ]


def test_dropout_off_and_left_on(store):
    write_rounds(store, [0.860, 0.864, 0.862], model=AUXILIARY)
    write_rounds(store, [0.890, 0.896, 0.892], model=AUXILIARY, dropout=0.25)
    write_rounds(store, [0.865, 0.867], model=AUXILIARY, dropout=0.25, dropout_at_evaluation=True)
    table = dropout_artefact(load_runs(store))
    own = table[table["model"] == AUXILIARY].set_index("case")
    assert own.index.tolist() == [
        "No dropout",
        "Dropout 0.25",
        "Dropout 0.5",
        "Dropout 0.25, left on",
        "Dropout 0.5, left on",
    ]
    assert own["rounds"].tolist() == [3, 3, 0, 2, 0]
    assert own.loc["Dropout 0.25", "mean"] == pytest.approx(0.892667, abs=1e-6)
    gains = stats.ttest_1samp([0.030, 0.032, 0.030], 0).confidence_interval()
    assert own.loc["Dropout 0.25", ["gain_low", "gain_high"]].tolist() == pytest.approx(list(gains))
    assert own["report_mean"].tolist() == 5 * [0.863]
    assert describe_artefact(table)[0] == (
        "Auxiliary losses: dropout 0.25 adds 3.1 points when it is off at evaluation (86.2 % without, 89.3 % with); "
        "left on at evaluation it gives 86.6 %, where the report prints 86.3 %."
    )
    assert describe_artefact(table)[1].endswith("Auxiliary losses with dropout 0.25 left on (2) and 6 more cells.")


def test_a_gain_within_chance_is_not_claimed(store):
    write_rounds(store, [0.96, 0.97], model=DIRECT)
    write_rounds(store, [0.97, 0.97], model=DIRECT, dropout=0.25)
    write_rounds(store, [0.95, 0.95], model=DIRECT, dropout=0.25, dropout_at_evaluation=True)
    sentence = describe_artefact(dropout_artefact(load_runs(store)))[0]
    assert "dropout 0.25 changes nothing that these rounds could show" in sentence


def test_the_expected_accuracy_worked_by_hand():
    # A 1 is read as 0 in one of its two showings, a 2 always as 2: pairs (1, 2) and (2, 1) always keep their order,
    # and (1, 1) is right unless the first is read 1 and the second 0, which has probability 1/4.
    classes = np.array([[1, 2], [2, 1]])
    assert expect_accuracy(classes, np.array([[0, 2], [2, 1]])) == 1
    assert expect_accuracy(np.array([[1, 1]]), np.array([[0, 1]])) == 0.75
    assert expect_accuracy(np.array([[0, 1], [0, 1]]), np.array([[0, 1], [1, 1]])) == 1  # 1 and 1 are in order
    assert expect_accuracy(CLASSES, CLASSES) == 1


def test_the_squared_digit_accuracy_and_the_lucky_pairs(store):
    digits = CLASSES.copy()
    digits[CLASSES[:, 0] == 0, 0] = 1  # the first digit 0 is always read as 1: only (0, 0) loses its order
    arrays = {"digits": digits, "decision": digits[:, 0] <= digits[:, 1]}
    write_run(store, RunSettings(model=DIRECT, seed=3), 0.99, digit_accuracy=0.95, arrays=arrays)
    found = digit_accuracy_squared(store, load_runs(store))
    row = found.table.iloc[0]
    assert (row["dropout"], row["seed"]) == (0, 3)
    assert row["digit_accuracy"] == pytest.approx(0.95)
    assert row["squared"] == pytest.approx(0.9025)
    assert (row["both_right"], row["lucky"], row["test_accuracy"]) == pytest.approx((0.9, 0.09, 0.99))
    # C[0, 1] = 1/2, so the pair (0, 0) is right unless read (1, 0): 3/4. (0, 1) … (0, 9) and (a, 0) with a > 1 are
    # right; (1, 0) is wrong where the 0 is read as 1: 1/2. 98 of 100 pairs are sure, so 98 + 3/4 + 1/2 of 100.
    assert row["expected"] == pytest.approx(0.9925)
    assert describe_squared(found.table) == [
        "Over 1 round, 95.0 % of the digits are read rightly; that squared is 90.2 %, "
        "yet 99.0 % of the comparisons are right.",
        "The difference is pairs whose order survives a misread digit, 9.0 % of all; independent misreadings with the "
        "same confusions would give 99.2 %.",
    ]


def test_parameters_and_accuracy(store):
    for place, model in enumerate(MODEL_NAMES[:4]):
        write_rounds(store, [0.8 + place / 100, 0.81 + place / 100], model=model)
    table = parameters_and_accuracy(load_runs(store))
    assert table["model"].tolist() == list(MODEL_NAMES[:4])
    assert table["parameters"].tolist() == [53_301, 106_026, 53_013, 106_225]
    assert table["mean"].tolist() == pytest.approx([0.805, 0.815, 0.825, 0.835])
    assert describe_parameters(table) == [
        "The most accurate architecture, Branches to vectors (83.5 %), is the largest.",
        "Size alone does not decide: Kendall's τ between parameters and accuracy is 0.3 over 4 architectures.",
    ]
    write_rounds(store, [0.97], model=DIRECT)
    assert describe_parameters(parameters_and_accuracy(load_runs(store)))[0] == (
        "The most accurate architecture, Direct classification (97.0 %), has 53,002 parameters; the largest, "
        "Branches to vectors, has 106,225 and reaches 83.5 %."
    )


def test_epochs_to_stop(store):
    write_rounds(store, [0.8, 0.8], epochs=30, model="TwoChannelsModel")
    write_run(store, RunSettings(model=DIRECT, dropout=0.25), 0.96, epochs=100, stop_reason="max_epochs")
    write_run(store, RunSettings(model=DIRECT, dropout=0.5), 0.96, epochs=7)  # no cell of Table 1
    table = epochs_to_stop(load_runs(store))
    assert table[["model", "epochs"]].to_numpy().tolist() == [
        ["TwoChannelsModel", 30],
        ["TwoChannelsModel", 30],
        [DIRECT, 100],
    ]
    assert describe_epochs(table) == [
        "Two channels stops first, after 30 epochs on average with and without dropout, "
        "Direct classification last, after 100.",
        "1 of 3 rounds reached the last epoch without stopping early.",
    ]


def test_the_early_stop_hypothesis_holds_what_has_stopped(store):
    model = "TwoChannelsModel"
    write_run(store, RunSettings(model=model, seed=0), 0.83, epochs=11, trace={5: 0.7, 10: 0.81})
    write_run(store, RunSettings(model=model, seed=1), 0.82, epochs=18, trace={5: 0.6, 10: 0.77, 15: 0.8})
    table = early_stop_hypothesis(store, load_runs(store)).table
    assert table["epoch"].tolist() == [5, 10, 15, 20]
    assert table["mean"].tolist() == pytest.approx([0.65, 0.79, (0.83 + 0.8) / 2, (0.83 + 0.82) / 2])
    assert table["running"].tolist() == [2, 2, 1, 0]
    assert table["rounds"].tolist() == 4 * [2]
    assert passing_epochs(table) == {model: 15}
    assert describe_hypothesis(table) == [
        "Two channels: the report prints 79.8 %; our mean of 2 rounds passes it at about epoch 15 and ends at 82.5 %.",
        "An earlier stop would explain the report's figures; this is a hypothesis, not a finding.",
        "No finished rounds with predictions yet: Two branches.",
    ]


def test_a_mean_that_never_passes_is_said_to_stay_below(store):
    write_rounds(store, [0.7], model="TwoBranchesModel", dropout=0.25)
    table = early_stop_hypothesis(store, load_runs(store), 0.25).table
    assert table["report_mean"].tolist() == 3 * [0.826]
    assert passing_epochs(table) == {"TwoBranchesModel": None}
    assert "our mean of 1 round stays below it and ends at 70.0 %" in describe_hypothesis(table)[0]
    assert "earlier stop" not in " ".join(describe_hypothesis(table))


def test_decisions_helper_is_exact():
    assert (decide(1.0) == (CLASSES[:, 0] <= CLASSES[:, 1])).all()
    assert (decide(0.0) != (CLASSES[:, 0] <= CLASSES[:, 1])).all()


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
