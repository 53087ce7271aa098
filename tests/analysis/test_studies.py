"""What the studies find, on numbers that are worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from core.analysis.learning import compare_epochs, compare_speed, describe_epochs, read_learning
from core.analysis.studies import (
    Needed,
    accuracy_by_pairs,
    compare_at_sizes,
    compare_twins,
    compare_weights,
    describe_at_sizes,
    describe_cut_short,
    describe_data,
    describe_needed,
    describe_weights,
    pairs_needed,
    read_study,
)
from core.analysis.tables import load_runs
from core.runs.settings import REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from core.runs.studies import STUDIES, TRAINING_PAIRS
from support.fake_runs import write_run

PLAIN, SHARED_VECTORS, AUXILIARY, DIRECT = (
    "TwoChannelsModel",
    "WeightSharingBranchesToVecModel",
    "WeightSharingAuxiliaryModel",
    "DirectClassificationModel",
)
RISING = dict(zip(TRAINING_PAIRS, (0.70, 0.75, 0.80, 0.82, 0.86, 0.88, 0.90), strict=True))  # of the plain network


def tabulate(*cells: tuple[RunSettings, list[float]]) -> pd.DataFrame:
    """Rows as read_study gives them: each cell with its accuracies by round, the same on all kinds of pairs."""
    rows = [
        {
            **settings.model_dump(),
            "seed": seed,
            "stop_reason": "patience",
            "all": value,
            "unequal": value,
            "equal": value,
        }
        for settings, values in cells
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def plain(*offsets: float) -> list[tuple[RunSettings, list[float]]]:
    return [
        (RunSettings(model=PLAIN, training_pairs=pairs), [value + offset for offset in offsets])
        for pairs, value in RISING.items()
    ]


def test_pairs_that_the_plain_network_needs_where_its_curve_meets_what_the_idea_reaches():
    # Halfway between 2,000 and 5,000 on the logarithm, both rounds: sqrt(2,000 x 5,000) = 3,162.
    table = tabulate(*plain(0.0, 0.02), (RunSettings(model=AUXILIARY), [0.84, 0.86]))
    [needed] = pairs_needed(table)
    assert (needed.model, needed.rounds, needed.accuracy) == (AUXILIARY, 2, pytest.approx(0.85))
    step = (25_000 / 200) ** (1 / 399)
    assert math.sqrt(2_000 * 5_000) <= needed.pairs <= math.sqrt(2_000 * 5_000) * step
    assert needed.low == needed.pairs == needed.high  # the rounds' differences do not scatter
    sentence = describe_needed(needed)
    assert sentence == (
        "Two channels needs about 3,200 pairs for what Auxiliary losses reaches with 1,000 (85.0 %) "
        "(95 % 3,200 to 3,200, n = 2)."
    )


def test_rounds_that_scatter_widen_the_interval_of_the_pairs():
    table = tabulate(*plain(0.0, 0.002, -0.002), (RunSettings(model=AUXILIARY), [0.84] * 3))
    [needed] = pairs_needed(table)
    # The interval of three differences of deviation 0.002 is +- 4.303 x 0.002 / sqrt(3) = 0.00497; the curve rises by
    # 0.04 over a factor of 2.5 there.
    factor = 2.5 ** (0.00497 / 0.04)
    assert needed.low == pytest.approx(needed.pairs / factor, rel=0.02)
    assert needed.high == pytest.approx(needed.pairs * factor, rel=0.02)


def test_never_within_the_pairs_that_were_tried_is_an_answer():
    table = tabulate(*plain(0.0, 0.02), (RunSettings(model=DIRECT), [0.96, 0.98]))
    [needed] = pairs_needed(table)
    assert needed[3:] == (math.inf, math.inf, math.inf)
    assert describe_needed(needed) == (
        "Two channels never reaches what Direct classification reaches with 1,000 (97.0 %) within 25,000 pairs, n = 2."
    )
    unsure = describe_needed(Needed(DIRECT, 5, 0.9, math.inf, 12_345.0, math.inf))
    assert unsure.endswith("within 25,000 pairs, though not clearly so (95 % 12,000 to more than 25,000, n = 5).")
    few = describe_needed(Needed(DIRECT, 5, 0.7, 200.0, 200.0, 300.0))
    assert "needs 200 or fewer pairs" in few
    assert "95 % fewer than 200 to 300" in few


def test_one_round_and_sizes_that_are_missing_give_no_number_of_pairs():
    assert pairs_needed(tabulate(*plain(0.0), (RunSettings(model=DIRECT), [0.96]))) == []
    assert pairs_needed(tabulate(*plain(0.0, 0.1)[:-1], (RunSettings(model=DIRECT), [0.96, 0.97]))) == []


def test_what_an_idea_adds_at_each_size():
    cells = [
        (RunSettings(model=model, training_pairs=pairs), [0.80 + gain, 0.81 + gain, 0.82 + gain + scatter])
        for pairs, gain, scatter in ((200, 0.0, 0.001), (1_000, 0.05, 0.001))
        for model, gain in ((SHARED_VECTORS, 0.0), (AUXILIARY, gain))
    ]
    rows = compare_at_sizes(tabulate(*cells), SHARED_VECTORS, AUXILIARY)
    assert rows["rounds"].tolist() == [3, 0, 3, 0, 0, 0, 0]
    assert rows["difference"][2] == pytest.approx(0.05)
    sentence = describe_at_sizes(rows, "Telling it")
    assert sentence.startswith("Telling it makes no clear difference with 200 pairs, n = 3: 0.0 points")
    assert "it adds 5.0 points with 1,000 pairs" in sentence


def test_a_study_that_is_cut_short_says_so():
    cells = [cell for cell in STUDIES["data"].cells if not cell.dropout and cell.training_pairs < 25_000]
    rounds = {200: 4, 500: 2, 1_000: 5, 2_000: 5, 5_000: 5, 10_000: 2}
    sentences = describe_data(tabulate(*((cell, rounds[cell.training_pairs] * [0.8]) for cell in cells)))
    assert sentences[-1] == (
        "Fewer than 5 rounds so far: 0 rounds with 25,000 pairs; 2 rounds with 500 and 10,000 pairs; "
        "4 rounds with 200 pairs."
    )


def test_cells_whose_rounds_mostly_reached_the_last_epoch_are_named():
    settings = [RunSettings(model=model, training_pairs=pairs) for model in (PLAIN, DIRECT) for pairs in (500, 2_000)]
    table = tabulate(*((each, 4 * [0.8]) for each in settings))
    assert describe_cut_short(table) == ""
    table.loc[[0, 1], "stop_reason"] = "max_epochs"  # half of the plain network's with 500
    table.loc[8:14, "stop_reason"] = "max_epochs"  # all of the reader's with 500, three of four with 2,000
    assert describe_cut_short(table) == (
        "Cut short, as most rounds reached the last epoch without stopping early: Direct classification with 500 and "
        "2,000 pairs."
    )
    table.loc[2, "stop_reason"] = "max_epochs"
    assert "early: Two channels with 500 pairs; Direct classification with 500" in describe_cut_short(table)


def test_twins_are_compared_at_equal_parameters_by_round():
    table = tabulate(
        (RunSettings(model="BranchesToVecModel"), [0.80, 0.82, 0.84]),
        (RunSettings(model=SHARED_VECTORS, hidden_units=326), [0.83, 0.84, 0.89]),
        (RunSettings(model=SHARED_VECTORS), [0.1, 0.2, 0.3]),
    )
    rows = compare_twins(table)
    [large] = [row for row in rows.itertuples() if row.rounds and row.kind == "all"]
    assert large.change == "Sharing weights for vectors, at 106,000 parameters either way,"
    assert large.difference == pytest.approx(0.1 / 3)
    assert not large.clear


def test_auxiliary_weights_are_compared_with_none():
    weights = {0.0: [0.80, 0.82, 0.84], 1.0: [0.85, 0.8702, 0.89], 3.0: [0.70, 0.90, 0.80]}
    cells = [(RunSettings(model=AUXILIARY, auxiliary_weight=weight), values) for weight, values in weights.items()]
    rows = compare_weights(tabulate(*cells))
    assert rows["weight"].tolist() == [0.0, 1.0, 3.0]
    assert rows["difference"].tolist() == [pytest.approx(value, nan_ok=True) for value in (math.nan, 0.1502 / 3, -0.02)]
    assert rows["clear"].tolist() == [False, True, False]
    [sentence] = describe_weights(rows)
    assert sentence.startswith("Without dropout, against a weight of 0: weight 1 adds 5.0 points (95 % 5.0 to 5.0")
    assert "weight 3 makes no clear difference: −2.0 points" in sentence
    assert "The highest mean, not tested against its neighbours, is that of 1: 87.0 %" in sentence


def test_runs_of_the_reproduction_and_of_studies_are_read_alike(tmp_path):
    store = RunStore(tmp_path)
    kept, alone = RunSettings(model=PLAIN), RunSettings(model=PLAIN, training_pairs=200)
    for settings in (kept, alone):
        write_run(store, settings, 0.75)
    path = store.path(alone.run_id) / "result.json"
    path.write_text(
        path.read_text().replace('"epochs"', '"test_accuracy_unequal": 0.8, "test_accuracy_equal": 0.5,\n "epochs"')
    )
    store.keep_result_alone(alone.run_id)
    table, problems = read_study(store, load_runs(store), "data")
    assert problems == []
    by_pairs = table.set_index("training_pairs")
    assert by_pairs.loc[200, ["all", "unequal", "equal"]].tolist() == [0.75, 0.8, 0.5]
    arrays = store.open(kept.run_id).predictions()
    right = arrays["decision"] == (arrays["classes"][:, 0] <= arrays["classes"][:, 1])
    equal = arrays["classes"][:, 0] == arrays["classes"][:, 1]
    assert by_pairs.loc[1_000, "unequal"] == right[~equal].mean()
    assert by_pairs.loc[1_000, "equal"] == right[equal].mean()
    means = accuracy_by_pairs(table)
    assert means["rounds"].tolist() == [1, 1]
    assert STUDIES["data"].rounds == 5


def test_the_best_epoch_beside_the_last_by_pairs_is_a_mean_over_architectures():
    gains = {200: [-0.05, -0.051, -0.052], 25_000: [0.001, -0.001, 0.0]}
    rows = [
        {
            "model": model, "dropout": 0.0, "training_pairs": pairs, "seed": seed, "test_accuracy": 0.8,
            "best_epoch_test_accuracy": 0.8 + gain + 0.001 * place,
        }
        for pairs, own in gains.items()
        for seed, gain in enumerate(own)
        for place, model in enumerate(REPORT_MODELS)
    ]  # fmt: skip
    lone = {**rows[0], "seed": 9, "best_epoch_test_accuracy": 0.9}  # a round of one architecture is no mean over all
    without = {**rows[0], "training_pairs": 1_000, "best_epoch_test_accuracy": None}
    table = compare_epochs(pd.DataFrame([*rows, lone, without, {**rows[0], "dropout": 0.25}]))
    assert table["training_pairs"].tolist() == [200, 25_000]
    assert table["difference"].tolist() == [pytest.approx(-0.048), pytest.approx(0.003)]
    assert table["rounds"].tolist() == [3, 3]
    # −4.7, −4.8, −4.9: s 0.1, t(2, 0.975) = 4.303: ± 0.25 points; 0.4, 0.2, 0.3: ± 0.25, p 0.035
    assert describe_epochs(table) == [
        "Averaged over the seven architectures, testing the weights of the best validation epoch instead of the last "
        "one's costs 4.8 points with 200 training pairs (95 % 4.6 to 5.0, Holm's p < 0.001); it adds 0.3 points with "
        "25,000 training pairs (95 % 0.1 to 0.5, Holm's p 0.035) (Holm's correction over the 2 numbers of pairs, "
        "n = 3)."
    ]
    assert not compare_epochs(pd.DataFrame([lone]))["rounds"].sum()


def test_speed_at_equal_epochs_in_equal_time_and_at_the_end():
    rows = [
        {"model": model, "seed": seed, "epoch": epoch, "accuracy": accuracy + 0.001 * seed, "seconds": epoch * pace}
        for model, pace, accuracies in ((PLAIN, 0.1, (0.6, 0.7, 0.8, 0.9)), (AUXILIARY, 0.2, (0.5, 0.8, 0.85, 0.88)))
        for seed in range(3)
        for epoch, accuracy in zip((10, 20, 30, 40), accuracies, strict=True)
    ]
    table = compare_speed(pd.DataFrame(rows), [(PLAIN, AUXILIARY)]).set_index("when")
    assert table["difference"].to_dict() == {
        "epoch 20": pytest.approx(0.1),
        "equal seconds": pytest.approx(0.8 - 0.9),  # 4 s: epoch 40 of the quick one
        "the end": pytest.approx(-0.02),
    }


def test_learning_has_the_seconds_of_each_stored_epoch(tmp_path):
    store = RunStore(tmp_path)
    write_run(store, RunSettings(model=PLAIN), 0.75, epochs=12)
    write_run(store, RunSettings(model=PLAIN, seed=1), 0.75, epochs=4, trace={})
    table, problems = read_learning(store, load_runs(store))
    assert problems == []
    first, second = (own for _, own in table.groupby("seed"))
    assert first["epoch"].tolist() == [5, 10, 15]
    assert np.allclose(first["seconds"], [0.5, 1.0, 1.2])  # an epoch takes a tenth of a second; ended after twelve
    assert np.allclose(second["seconds"], [0.4, 0.4, 0.4])
