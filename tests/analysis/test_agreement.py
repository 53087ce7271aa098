"""Our cells beside the report's, on both sides of every verdict."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.analysis.agreement import (
    CLEAR,
    UNCLEAR,
    WITHIN,
    compare_orders,
    compare_with_report,
    count_after_rounding,
    describe_capped,
    describe_difference,
    describe_order,
    describe_reproduction,
)
from core.analysis.comparison import Cell
from core.analysis.report import REPORT_TABLE
from core.analysis.statistics import Order
from core.analysis.tables import load_runs
from core.runs.settings import REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from support.fake_runs import frame_runs, with_rounds, write_run

TWO, SHARED, DIRECT = "TwoBranchesModel", "WeightSharingBranchesModel", "DirectClassificationModel"

pytestmark = pytest.mark.filterwarnings("error")


def test_the_table_beside_the_report():
    accuracies = with_rounds(0.8182, 0.0102)
    runs = frame_runs((Cell("TwoChannelsModel"), accuracies), (Cell(TWO), [0.83]), (Cell(TWO, 0.1), [0.83, 0.85]))
    table = compare_with_report(runs)
    assert table["model"].tolist()[:14] == [*REPORT_MODELS, *REPORT_MODELS]
    assert table["dropout"].tolist() == 7 * [0.0] + 7 * [0.25] + [0.1]
    row = table.iloc[0]
    assert (row["rounds"], row["mean"], row["std"]) == (10, pytest.approx(0.8182), pytest.approx(0.0102))
    assert (row["low"], row["high"]) == pytest.approx(stats.t.interval(0.95, 9, 0.8182, 0.0102 / 10**0.5))
    error = (0.0102**2 / 10 + 0.011**2 / 10) ** 0.5  # 0.0047437
    half = stats.t.ppf(0.975, 17.898) * error  # Welch's 17.9 degrees of freedom
    assert row["difference"] == pytest.approx(0.0202)
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((0.0202 - half, 0.0202 + half), rel=1e-4)
    assert row["p"] == pytest.approx(2 * stats.t.sf(0.0202 / error, 17.898), rel=1e-3)
    assert row["p_holm"] == row["p"]  # the one cell that can be tested
    assert (row["parameters"], row["epochs"], row["seconds"], row["capped"]) == (53_301, 54.5, 4.0, 0)
    assert table.loc[1, ["std", "low", "high", "p", "p_holm"]].isna().all()
    assert table.loc[2, "rounds"] == 0
    assert np.isnan(table.loc[14, "p"])
    assert table["verdict"].tolist() == [CLEAR] + 14 * [""]
    assert [describe_difference(row) for row in table.itertuples()][:3] == ["+2.0 (1.0 to 3.0)", "+1.8", "–"]


@pytest.mark.parametrize(
    ("mean", "std", "verdict"),
    [
        # Printed: 0.838 ± 0.012. With ten rounds and the same deviation the error is 0.0053666, t(0.975, 18) = 2.10092,
        # the interval ± 0.0112748: a difference of 0.0113 is clear, one of 0.0112 is not, and 0 is not within a point.
        (0.838 + 0.0113, 0.012, CLEAR),
        (0.838 - 0.0113, 0.012, CLEAR),
        (0.838 + 0.0112, 0.012, UNCLEAR),
        (0.838, 0.012, UNCLEAR),
        # With a deviation of 0.001 the error is 0.0038079, 9.12 degrees, t = 2.2577, the interval ± 0.0085974.
        (0.838 + 0.0013, 0.001, WITHIN),
        (0.838 - 0.0013, 0.001, WITHIN),
        (0.838 + 0.0015, 0.001, UNCLEAR),
    ],
)
def test_a_cell_is_clearly_different_within_a_point_or_not_clear(mean, std, verdict):
    table = compare_with_report(frame_runs((Cell(SHARED), with_rounds(mean, std))))
    assert table["verdict"].tolist()[2] == verdict


def test_holm_counts_the_cells_that_can_be_tested():
    cells = [(Cell(model), with_rounds(REPORT_TABLE[model][0].mean + 0.01, 0.01)) for model in REPORT_MODELS]
    table = compare_with_report(frame_runs(*cells))
    assert table["p"].notna().sum() == 7
    assert table["p_holm"].min() == pytest.approx(7 * table["p"].min())


@pytest.mark.parametrize(
    ("difference", "counts"),
    # The edge lies at 0.0112748 for the printed deviation of 0.012, at 0.01105 and 0.01151 for 0.0115 and 0.0125; the
    # printed mean gives another 0.0005 either way.
    [(0.0130, (1, 1)), (0.0116, (0, 1)), (0.0110, (0, 1)), (0.0100, (0, 0)), (-0.0130, (1, 1)), (-0.0100, (0, 0))],
)
def test_rounding_of_the_print_can_decide_an_edge(difference, counts):
    table = compare_with_report(frame_runs((Cell(SHARED), with_rounds(0.838 + difference, 0.012))))
    assert count_after_rounding(table) == counts


def test_the_shipped_runs_sit_on_that_edge():
    from support.servers import ROOT

    table = compare_with_report(load_runs(RunStore(ROOT / "cached_runs")))
    assert table["verdict"].value_counts().to_dict() == {UNCLEAR: 7, CLEAR: 5, WITHIN: 2, "": 18}
    assert count_after_rounding(table) == (2, 5)


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (
            Order(7, 1.0, 1.0, 1.0, 0.95),
            "The report's order of the 7 architectures without dropout reproduces (Kendall's τ 1.00, 95 % 1.00 to 1.00 "
            "over resampled rounds): 95 % of the draws give exactly that order.",
        ),
        (
            Order(7, 1.0, 0.81, 1.0, 0.9499),
            "On the whole the 7 architectures without dropout stand in the report's order (Kendall's τ 1.00, 95 % "
            "0.81 to 1.00 over resampled rounds), but some neighbours are too close to tell: exactly "
            "that order comes out in 95 % of the draws.",
        ),
        (
            Order(3, 0.33, 0.01, 1.0, 0.25),
            "On the whole the 3 architectures without dropout stand in the report's order (Kendall's τ 0.33, 95 % "
            "0.01 to 1.00 over resampled rounds), but some neighbours are too close to tell: exactly "
            "that order comes out in 25 % of the draws.",
        ),
        (
            Order(3, 0.33, 0.0, 1.0, 0.25),
            "Whether the 3 architectures without dropout stand in the report's order is not clear (Kendall's τ 0.33, "
            "95 % 0.00 to 1.00 over resampled rounds).",
        ),
        (
            Order(3, -1.0, -1.0, -0.33, 0.0),
            "The order of the 3 architectures without dropout is the reverse of the report's (Kendall's τ −1.00, 95 % "
            "−1.00 to −0.33 over resampled rounds).",
        ),
        (
            Order(3, 1.0, np.nan, np.nan, np.nan),
            "The order of the architectures without dropout cannot be judged yet: it takes two common rounds.",
        ),
    ],
)
def test_the_order_is_claimed_only_where_resampled_rounds_keep_it(order, sentence):
    assert describe_order(0.0, order) == sentence


def test_the_order_is_that_of_common_rounds():
    cells = [(Cell(model), [0.5 + place / 10] * (3 + place % 2)) for place, model in enumerate(REPORT_MODELS[:4])]
    # printed: 0.798, 0.812, 0.838, 0.827: the last two stand the other way round
    [(dropout, order)] = compare_orders(frame_runs(*cells)).items()
    assert dropout == 0
    assert order == pytest.approx((4, 4 / 6, 4 / 6, 4 / 6, 0))
    assert compare_orders(frame_runs(*cells[:2])) == {}


def test_a_cell_is_cut_short_where_most_rounds_reached_the_last_epoch():
    table = compare_with_report(frame_runs((Cell(TWO), with_rounds(0.8, 0.01))))
    assert describe_capped(table.iloc[[1]].assign(capped=5)) == ""
    assert describe_capped(table.iloc[[1]].assign(capped=6)) == (
        "Cut short, as most rounds reached the last epoch without stopping early: Two branches without dropout "
        "(6 of 10 rounds)."
    )
    runs = frame_runs((Cell(TWO), [0.8, 0.8, 0.8])).assign(stop_reason=["max_epochs", "max_epochs", "patience"])
    assert compare_with_report(runs).loc[1, "capped"] == 2


def test_the_reproduction_in_sentences():
    shifted = {"TwoChannelsModel": 0.03, DIRECT: -0.04}
    cells = [
        (Cell(model, dropout), with_rounds(REPORT_TABLE[model][column].mean + shifted.get(model, 0), 0.01, 10 - column))
        for column, dropout in enumerate((0.0, 0.25))
        for model in REPORT_MODELS
        if (model, column) not in {(SHARED, 1), ("TwoChannelsModel", 1), (DIRECT, 1)}
    ]
    runs = frame_runs(*cells)
    sentences = describe_reproduction(compare_with_report(runs), compare_orders(runs))
    assert sentences[:4] == [
        "Of the 11 cells compared, 2 are clearly different from the report's (Welch's test, Holm's p over the 11 below "
        "0.05), 1 is within ± one point (the 95 % interval of the difference lies inside) and 8 are not clear.",
        "Higher than printed, in points: Two channels without dropout by 3.0 (95 % 2.0 to 4.0).",
        "Lower than printed, in points: Direct classification without dropout by 4.0 (95 % 3.2 to 4.8).",
        "The report's rounding to three digits cannot change that count of 2.",
    ]
    assert [sentence[:60] for sentence in sentences[4:]] == [
        # The spread of every cell is the same from seed to seed, so no draw changes an order.
        "On the whole the 7 architectures without dropout stand in th",
        "The report's order of the 4 architectures with dropout repro",
        "Fewer than 10 rounds so far: Two channels with dropout 0.25 ",
    ]


def test_a_full_agreement_has_no_list_of_differences():
    cells = [
        (Cell(model, dropout), with_rounds(REPORT_TABLE[model][column].mean, 0.01))
        for column, dropout in enumerate((0.0, 0.25))
        for model in reversed(REPORT_MODELS)
    ]
    runs = frame_runs(*cells)
    sentences = describe_reproduction(compare_with_report(runs), compare_orders(runs))
    assert sentences[0].startswith("Of the 14 cells compared, 0 are clearly different")
    assert len(sentences) == 4


def test_an_empty_store_has_nothing_to_compare(tmp_path):
    empty = load_runs(RunStore(tmp_path))
    table = compare_with_report(empty)
    assert table["rounds"].tolist() == 14 * [0]
    assert compare_orders(empty) == {}
    assert describe_reproduction(table, {}) == [
        "No cell of the report's Table 1 has two rounds yet, so nothing can be compared."
    ]


def test_one_damaged_and_one_finished_run_in_a_real_store(tmp_path):
    store = RunStore(tmp_path)
    write_run(store, RunSettings(model=TWO, seed=0), 0.83)
    damaged = write_run(store, RunSettings(model=TWO, seed=1), 0.84)
    (store.path(damaged) / "settings.json").write_text("{}")
    table = compare_with_report(load_runs(store)).set_index(["model", "dropout"])
    assert (table.loc[(TWO, 0.0), "rounds"], table.loc[(TWO, 0.0), "mean"]) == (1, 0.83)
    assert (table.loc[(TWO, 0.0), "epochs"], table.loc[(TWO, 0.0), "seconds"]) == (12, pytest.approx(1.2))


def test_runs_that_have_not_finished_do_not_count():
    runs = frame_runs((Cell(TWO), [0.8, 0.9]))
    runs.loc[1, "state"] = "stopped"
    assert compare_with_report(runs).loc[1, "rounds"] == 1
    assert pd.isna(compare_with_report(runs).loc[1, "p"])
