"""Intervals and tests over rounds, against hand-worked cases and published examples."""

import numpy as np
import pandas as pd
import pytest
from fake_runs import write_run
from scipy import stats

from core.results import REPORT_TABLE, load_runs
from core.runs import RunStore
from core.settings import MODEL_NAMES, RunSettings
from core.statistics import (
    LADDER,
    Cell,
    Paired,
    climb_ladder,
    compare_paired,
    compare_with_report,
    describe_reproduction,
    describe_step,
    dropout_effects,
    half_width,
    holm,
    leaderboard,
    mcnemar,
    pairwise_architectures,
    plural,
    points,
    signed,
    wilson_interval,
)

TWO, SHARED = "TwoBranchesModel", "WeightSharingBranchesModel"
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]  # hours gained, Student (1908)

pytestmark = pytest.mark.filterwarnings("error")


def runs_of(*cells: tuple[Cell, list[float]], **settings) -> pd.DataFrame:
    """A runs frame as load_runs gives it, with these test accuracies at seeds 0, 1, …"""
    rows = []
    for cell, accuracies in cells:
        for seed, accuracy in enumerate(accuracies):
            run = RunSettings(**cell._asdict(), seed=seed, **settings)
            figures = {"test_accuracy": accuracy, "epochs": 50 + seed, "seconds": 4.0, "parameters": 53_013}
            rows.append({"run_id": run.run_id, "state": "finished", "stop_reason": "patience", **dict(run), **figures})
    return pd.DataFrame(rows)


def with_rounds(mean: float, std: float, count: int = 10) -> list[float]:
    """`count` numbers of exactly this mean and standard deviation."""
    spread = np.arange(count) - (count - 1) / 2
    return (mean + std * spread / spread.std(ddof=1)).tolist()


@pytest.fixture
def empty(tmp_path):
    return load_runs(RunStore(tmp_path))


def test_holm_worked_by_hand():
    # sorted: 0.005 × 4, 0.01 × 3, 0.03 × 2, 0.04 × 1 -> 0.02, 0.03, 0.06, and 0.04 raised to the 0.06 before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert holm([]).tolist() == []


def test_holm_passes_nan_through_and_does_not_count_it():
    adjusted = holm([0.02, np.nan, 0.01])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.02])
    assert np.isnan(adjusted[1])
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_holm_rejects_three_of_benjamini_and_hochbergs_fifteen():
    # Benjamini and Hochberg (1995), section 4.1: a step-wise control of the family rejects the first three
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459,
         0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert (holm(p) < 0.05).tolist() == 3 * [True] + 12 * [False]
    assert holm(p)[:4] == pytest.approx([0.0015, 0.0056, 0.0247, 0.114])


def test_half_an_interval():
    assert half_width(2.0, 4) == pytest.approx(3.1824463)  # t(0.975, 3) = 3.1824463, × 2 / √4
    assert np.isnan(half_width([1.0, 1.0], [1, 0])).all()


def test_paired_differences_give_students_sleep_example():
    before = with_rounds(0.5, 0.1)
    runs = runs_of((Cell(TWO), before), (Cell(SHARED), np.add(before, np.array(SLEEP) / 100).tolist()))
    paired = compare_paired(runs, Cell(TWO), Cell(SHARED))
    assert paired.rounds == 10
    assert (100 * paired.difference, 100 * paired.low, 100 * paired.high) == pytest.approx((1.58, 0.7001142, 2.4598858))
    assert paired.p == pytest.approx(0.002833, abs=5e-7)
    assert paired.p == pytest.approx(stats.ttest_rel(np.add(before, SLEEP), before).pvalue)


def test_only_common_rounds_are_paired():
    runs = runs_of((Cell(TWO), [0.80, 0.82, 0.90]), (Cell(SHARED), [0.81, 0.85]))
    paired = compare_paired(runs, Cell(TWO), Cell(SHARED))
    assert (paired.rounds, paired.difference) == (2, pytest.approx(0.02))
    assert compare_paired(runs, Cell(SHARED), Cell(TWO)).difference == pytest.approx(-0.02)


@pytest.mark.parametrize(("shift", "p"), [(0.0, 1.0), (0.013, 0.0)])
def test_equal_differences_leave_nothing_to_chance(shift, p):
    before = [0.81, 0.85, 0.827, 0.8]
    paired = compare_paired(
        runs_of((Cell(TWO), before), (Cell(SHARED), [a + shift for a in before])), Cell(TWO), Cell(SHARED)
    )
    assert (paired.difference, paired.low, paired.high) == pytest.approx((shift, shift, shift), abs=1e-12)
    assert paired.p == p


@pytest.mark.parametrize(("second", "rounds"), [([], 0), ([0.9], 1)])
def test_one_round_or_none_has_no_interval(second, rounds):
    paired = compare_paired(runs_of((Cell(TWO), [0.8, 0.8]), (Cell(SHARED), second)), Cell(TWO), Cell(SHARED))
    assert paired.rounds == rounds
    assert np.isnan([paired.low, paired.high, paired.p]).all()
    assert paired.difference == pytest.approx(0.1) if rounds else np.isnan(paired.difference)


def test_dropout_left_on_and_other_settings_are_other_cells():
    left_on = Cell("DirectClassificationModel", 0.25, True)
    runs = pd.concat([
        runs_of((Cell("DirectClassificationModel", 0.25), [0.96, 0.97]), (left_on, [0.95, 0.95])),
        runs_of((left_on, [0.1, 0.2, 0.3]), batch_size=50),
    ])  # fmt: skip
    paired = compare_paired(runs, Cell("DirectClassificationModel", 0.25), left_on)
    assert (paired.rounds, paired.difference) == (2, pytest.approx(-0.015))


def test_the_table_beside_the_report():
    accuracies = with_rounds(0.8182, 0.0102)
    runs = runs_of((Cell("TwoChannelsModel"), accuracies), (Cell(TWO), [0.83]), (Cell(TWO, 0.1), [0.83, 0.85]))
    table = compare_with_report(runs)
    assert table["model"].tolist()[:14] == [*MODEL_NAMES, *MODEL_NAMES]
    assert table["dropout"].tolist() == 7 * [0.0] + 7 * [0.25] + [0.1]
    row = table.iloc[0]
    assert (row["rounds"], row["mean"], row["std"]) == (10, pytest.approx(0.8182), pytest.approx(0.0102))
    assert (row["low"], row["high"]) == pytest.approx(stats.t.interval(0.95, 9, 0.8182, 0.0102 / 10**0.5))
    assert row["difference"] == pytest.approx(0.0202)
    standard_error = (0.0102**2 / 10 + 0.011**2 / 10) ** 0.5
    assert row["p"] == pytest.approx(2 * stats.t.sf(0.0202 / standard_error, 17.898), rel=1e-3)  # Welch's 17.9 degrees
    assert row["p_holm"] == row["p"]  # the one cell that can be tested
    assert row["more_than_chance"]
    assert (row["parameters"], row["epochs"], row["seconds"]) == (53_301, 54.5, 4.0)
    assert table.loc[1, ["std", "low", "high", "p", "p_holm"]].isna().all()
    assert table.loc[2, "rounds"] == 0
    assert np.isnan(table.loc[14, "p"])
    assert table["more_than_chance"].tolist() == [True] + 14 * [False]


def test_holm_counts_the_cells_that_can_be_tested():
    cells = [(Cell(model), with_rounds(REPORT_TABLE[model][0].mean + 0.01, 0.01)) for model in MODEL_NAMES]
    table = compare_with_report(runs_of(*cells))
    assert table["p"].notna().sum() == 7
    assert table["p_holm"].min() == pytest.approx(7 * table["p"].min())


def test_every_function_takes_an_empty_store(empty):
    assert compare_with_report(empty)["rounds"].tolist() == 14 * [0]
    assert pairwise_architectures(empty)["rounds"].tolist() == 21 * [0]
    assert dropout_effects(empty)["p_holm"].isna().all()
    assert climb_ladder(empty)["sentence"].str.contains("cannot be judged yet").all()
    assert leaderboard(empty).empty
    assert describe_reproduction(compare_with_report(empty)) == [
        "No cell of the report's Table 1 has two rounds yet, so nothing can be compared."
    ]


def test_one_damaged_and_one_finished_run_in_a_real_store(tmp_path):
    store = RunStore(tmp_path)
    write_run(store, RunSettings(model=TWO, seed=0), 0.83)
    damaged = write_run(store, RunSettings(model=TWO, seed=1), 0.84)
    (store.path(damaged) / "settings.json").write_text("{}")
    runs = load_runs(store)
    table = compare_with_report(runs).set_index(["model", "dropout"])
    assert (table.loc[(TWO, 0.0), "rounds"], table.loc[(TWO, 0.0), "mean"]) == (1, 0.83)
    assert (table.loc[(TWO, 0.0), "epochs"], table.loc[(TWO, 0.0), "seconds"]) == (12, pytest.approx(1.2))
    assert pairwise_architectures(runs)["rounds"].sum() == 0
    assert leaderboard(runs)["rounds"].tolist() == [1]


def test_all_pairs_are_corrected_together():
    cells = [
        (Cell(model), with_rounds(0.8 + place / 50, 0.01 + place / 1000)) for place, model in enumerate(MODEL_NAMES)
    ]
    table = pairwise_architectures(runs_of(*cells))
    assert len(table) == 21
    assert table.loc[0, ["first", "second"]].tolist() == ["TwoChannelsModel", "TwoBranchesModel"]
    assert table.loc[0, "difference"] == pytest.approx(0.02)
    assert table["p_holm"].to_numpy() == pytest.approx(holm(table["p"]))


def test_what_dropout_changes_is_with_minus_without():
    runs = runs_of((Cell(TWO), [0.80, 0.82, 0.81]), (Cell(TWO, 0.5), [0.81, 0.84, 0.82]))
    table = dropout_effects(runs, 0.5).set_index("model")
    assert list(table.index) == list(MODEL_NAMES)
    assert table.loc[TWO, "difference"] == pytest.approx(0.04 / 3)
    assert table.loc[TWO, "p_holm"] == table.loc[TWO, "p"]
    assert table.loc[SHARED, "rounds"] == 0


def test_the_ladders_steps_differ_by_what_they_say():
    assert [(step.first, step.second) for step in LADDER if step.change.startswith("Sharing")] == [
        ("TwoBranchesModel", "WeightSharingBranchesModel"),
        ("BranchesToVecModel", "WeightSharingBranchesToVecModel"),
    ]
    table = climb_ladder(runs_of((Cell(TWO), [0.8, 0.82, 0.81]), (Cell(SHARED), [0.81, 0.83, 0.822])))
    assert table.loc[0, "sentence"] == (
        "Sharing weights between branches that give a score adds 1.1 points (95 % 0.8 to 1.4, Holm's p 0.004, n = 3)."
    )


@pytest.mark.parametrize(
    ("paired", "p_holm", "sentence"),
    [
        (
            Paired(10, 0.009, 0.002, 0.016, 0.02),
            0.04,
            "It adds 0.9 points (95 % 0.2 to 1.6, Holm's p 0.040, n = 10).",
        ),
        (
            Paired(10, -0.009, -0.016, -0.0003, 0.0001),
            0.0002,
            "It costs 0.9 points (95 % −1.6 to −0.03, Holm's p < 0.001, n = 10).",
        ),
        (
            Paired(10, 0.009, 0.0002, 0.018, 0.046),
            0.09,
            "It makes no clear difference in 10 rounds: 0.9 points (95 % 0.02 to 1.8, Holm's p 0.090).",
        ),
        (
            Paired(1, 0.1, np.nan, np.nan, np.nan),
            np.nan,
            "It cannot be judged yet: it takes two common rounds, there is one.",
        ),
        (
            Paired(0, np.nan, np.nan, np.nan, np.nan),
            np.nan,
            "It cannot be judged yet: it takes two common rounds, there are none.",
        ),
    ],
)
def test_a_steps_sentence_claims_what_the_corrected_test_shows(paired, p_holm, sentence):
    assert describe_step("It", paired, p_holm) == sentence


def test_numbers_for_sentences():
    assert [points(value) for value in (-0.0041, 0.0, -0.0001, 0.1234)] == ["−0.4", "0.0", "0.0", "12.3"]
    assert signed(-0.347, 2) == "−0.35"


def test_the_reproduction_in_sentences():
    shifted = {"TwoChannelsModel": 0.03, "DirectClassificationModel": -0.04}
    cells = [
        (Cell(model, dropout), with_rounds(REPORT_TABLE[model][column].mean + shifted.get(model, 0), 0.01, 10 - column))
        for column, dropout in enumerate((0.0, 0.25))
        for model in MODEL_NAMES
        if (model, column) not in {(SHARED, 1), ("TwoChannelsModel", 1), ("DirectClassificationModel", 1)}
    ]
    assert describe_reproduction(compare_with_report(runs_of(*cells))) == [
        "9 of the 11 cells compared agree with the report within chance (Welch's test with Holm's correction, 5 %).",
        "Higher than printed, in points, are Two channels without dropout by 3.0; "
        "lower than printed, in points, are Direct classification without dropout by 4.0.",
        "The order of the 7 architectures without dropout reproduces (Kendall's τ 0.81).",
        "The order of the 4 architectures with dropout reproduces exactly (Kendall's τ 1.00).",
        "Fewer than 10 rounds so far: Two channels with dropout 0.25 (0), Two branches with dropout 0.25 (9), "
        "Weight-sharing branches with dropout 0.25 (0), Branches to vectors with dropout 0.25 (9) and 3 more cells.",
    ]


def test_a_full_agreement_needs_no_more_sentences():
    cells = [
        (Cell(model, dropout), with_rounds(REPORT_TABLE[model][column].mean, 0.01))
        for column, dropout in enumerate((0.0, 0.25))
        for model in reversed(MODEL_NAMES)
    ]
    sentences = describe_reproduction(compare_with_report(runs_of(*cells)))
    assert sentences[0].startswith("14 of the 14 cells compared agree")
    assert len(sentences) == 3


def test_the_leaderboard_ranks_only_certain_settings():
    runs = pd.concat([
        runs_of((Cell(TWO), with_rounds(0.83, 0.01, 5)), (Cell(SHARED), with_rounds(0.85, 0.01, 6))),
        runs_of((Cell(TWO), [0.99]), hidden_units=64),
    ])  # fmt: skip
    board = leaderboard(runs)
    assert board["model"].tolist() == [SHARED, TWO, TWO]
    assert board["hidden_units"].tolist() == [128, 128, 64]
    assert board["rank"].tolist() == [1, 2, pd.NA]
    assert board["certain"].tolist() == [True, True, False]
    assert board["rounds"].tolist() == [6, 5, 1]
    assert board["epochs"].tolist() == [52.5, 52, 50]
    assert np.isnan(board.loc[2, "std"])
    assert "seed" not in board


def test_runs_that_have_not_finished_do_not_count():
    runs = runs_of((Cell(TWO), [0.8, 0.9]))
    runs.loc[1, "state"] = "stopped"
    assert leaderboard(runs)["mean"].tolist() == [0.8]
    assert compare_with_report(runs).loc[1, "rounds"] == 1


def test_wilson_intervals_of_newcombe():
    # Newcombe (1998), Table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    low, high = wilson_interval([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)
    assert np.isnan(wilson_interval([0], [0])).all()


def test_mcnemars_exact_p_worked_by_hand():
    assert mcnemar(1, 5) == mcnemar(5, 1) == pytest.approx(14 / 64)  # 2 · (1 + 6) of 2⁶ tosses are as uneven
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1


def test_counts_in_sentences():
    assert [plural(count, "round") for count in (0, 1, 1_000)] == ["0 rounds", "1 round", "1,000 rounds"]
