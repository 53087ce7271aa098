"""What is found in stored predictions, against hand-worked cases and published examples."""

import numpy as np
import pytest

from core.analysis.findings import (
    describe_epochs,
    describe_parameters,
    describe_squared,
    digit_accuracy_squared,
    epochs_to_stop,
    expect_accuracy,
    parameters_and_accuracy,
)
from core.analysis.tables import load_runs
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from support.fake_runs import CLASSES, decide, write_run

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
    assert describe_squared(digit_accuracy_squared(store, runs).table)[0].endswith(
        "no finished round with predictions yet."
    )
    assert describe_parameters(parameters_and_accuracy(runs))[0].startswith("Fewer than three architectures")
    assert describe_epochs(epochs_to_stop(runs)) == ["No round with these settings has finished yet."]


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
        "Without dropout, 95.0 % of the digits are read rightly over 1 round; that squared is 90.2 %, yet 99.0 % of "
        "the comparisons are right: 9.0 % of the pairs keep their order though a digit is misread. Independent "
        "misreadings with the same confusions would give 99.2 %."
    ]


def test_the_squared_digit_accuracy_is_told_dropout_by_dropout(store):
    digits = CLASSES.copy()
    digits[CLASSES[:, 0] == 0, 0] = 1
    arrays = {"digits": digits, "decision": digits[:, 0] <= digits[:, 1]}
    write_run(store, RunSettings(model=DIRECT, dropout=0.25), 0.99, arrays=arrays)
    for seed, read in enumerate((CLASSES, digits)):
        right = {"digits": read, "decision": read[:, 0] <= read[:, 1]}
        write_run(store, RunSettings(model=DIRECT, seed=seed), 0.99, arrays=right)
    first, second = describe_squared(digit_accuracy_squared(store, load_runs(store)).table)
    # 0 and 9 points: mean 4.5, deviation 6.364, t(0.975, 1) = 12.7062: ± 57.2, and a share is never below zero
    assert ": 4.5 % (95 % 0.0 % to 61.7 %) of the pairs keep their order" in first
    assert second.startswith("With dropout 0.25, 95.0 % of the digits are read rightly over 1 round;")


def test_parameters_and_accuracy(store):
    for place, model in enumerate(MODEL_NAMES[:4]):
        write_rounds(store, [0.8 + place / 100, 0.81 + place / 100], model=model)
    table = parameters_and_accuracy(load_runs(store))
    assert table["model"].tolist() == list(MODEL_NAMES[:4])
    assert table["parameters"].tolist() == [53_301, 106_026, 53_013, 106_225]
    assert table["mean"].tolist() == pytest.approx([0.805, 0.815, 0.825, 0.835])
    # Of 4! = 24 orders the six of τ = 0 are less uneven: p = 18 / 24.
    assert describe_parameters(table) == [
        "The highest mean, 83.5 % of Branches to vectors, is that of the largest network.",
        "Among these 4, size does not clearly go with accuracy (Kendall's τ 0.33, p 0.750): so few points can show "
        "only a very strong relation.",
    ]
    write_rounds(store, [0.97], model=DIRECT)
    assert describe_parameters(parameters_and_accuracy(load_runs(store)))[0] == (
        "The highest mean, 97.0 % of Direct classification, comes with 53,002 parameters; the largest network, "
        "Branches to vectors, has 106,225 and reaches 83.5 %."
    )


@pytest.mark.parametrize(
    ("ranks", "sentence"),
    [
        # Of 5! = 120 orders two have τ = ±1: p = 2 / 120 = 0.017; ten have at most one swap of neighbours: 10 / 120.
        ([1, 2, 3, 4, 5], "Among these 5, larger networks are more accurate (Kendall's τ 1.00, p 0.017)."),
        ([5, 4, 3, 2, 1], "Among these 5, larger networks are less accurate (Kendall's τ −1.00, p 0.017)."),
        (
            [2, 1, 3, 4, 5],
            "Among these 5, size does not clearly go with accuracy (Kendall's τ 0.80, p 0.083): so few points can show "
            "only a very strong relation.",
        ),
    ],
)
def test_size_goes_with_accuracy_only_where_the_points_can_tell(store, ranks, sentence):
    by_size = [DIRECT, "WeightSharingBranchesModel", "WeightSharingBranchesToVecModel", "TwoChannelsModel", AUXILIARY]
    for model, rank in zip(by_size, ranks, strict=True):
        write_rounds(store, [0.8 + rank / 100], model=model)
    table = parameters_and_accuracy(load_runs(store))
    assert table.sort_values("parameters")["model"].tolist() == by_size
    assert describe_parameters(table)[1] == sentence


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
    assert describe_epochs(table) == ["1 of 3 rounds reached the last epoch without stopping early.", CUT_SHORT % 1]


CUT_SHORT = (
    "%d of them are Direct classification with dropout 0.25: its training was cut short, so its accuracy is that of "
    "unfinished training."
)


def test_epochs_are_told_dropout_by_dropout(store):
    for seed, epochs in enumerate((20, 22)):  # mean 21, t(0.975, 1) · √2 / √2 = 12.7
        write_run(store, RunSettings(model="TwoChannelsModel", seed=seed), 0.8, epochs=epochs)
    for seed, epochs in enumerate((50, 52)):
        write_run(store, RunSettings(model=DIRECT, seed=seed), 0.9, epochs=epochs)
        write_run(store, RunSettings(model="TwoChannelsModel", dropout=0.25, seed=seed), 0.8, epochs=epochs)
    write_run(store, RunSettings(model=DIRECT, dropout=0.25), 0.9, epochs=40)
    assert describe_epochs(epochs_to_stop(load_runs(store)))[:2] == [
        "Without dropout, means go from 21 epochs of Two channels (95 % 8 to 34) to 51 epochs of Direct classification "
        "(95 % 38 to 64).",
        "With dropout 0.25, means go from 40 epochs of Direct classification to 51 epochs of Two channels (95 % 38 to "
        "64).",
    ]


def test_no_mean_can_be_more_than_the_epochs_there_are(store):
    for model, epochs in ((DIRECT, (100, 90)), ("TwoChannelsModel", (20, 22))):  # mean 95, ± 63.5
        for seed, count in enumerate(epochs):
            write_run(store, RunSettings(model=model, seed=seed), 0.9, epochs=count)
    [first, *_] = describe_epochs(epochs_to_stop(load_runs(store)))
    assert first.endswith("95 epochs of Direct classification (95 % 31 to 100).")


@pytest.mark.parametrize(("capped", "sentences"), [(2, 1), (3, 2)])
def test_a_cell_is_cut_short_where_more_than_half_of_it_was(store, capped, sentences):
    for seed in range(4):
        reason = "max_epochs" if seed < capped else "patience"
        write_run(store, RunSettings(model=DIRECT, dropout=0.25, seed=seed), 0.96, epochs=30, stop_reason=reason)
    described = describe_epochs(epochs_to_stop(load_runs(store)))
    assert len(described) == sentences
    assert (CUT_SHORT % capped in described) == (sentences == 2)


def test_decisions_helper_is_exact():
    assert (decide(1.0) == (CLASSES[:, 0] <= CLASSES[:, 1])).all()
    assert (decide(0.0) != (CLASSES[:, 0] <= CLASSES[:, 1])).all()
