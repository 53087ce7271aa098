"""Intervals and tests over rounds, against hand-worked cases and published examples."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.analysis.statistics import (
    add_holm,
    compare_paired,
    compare_unpaired,
    half_width,
    holm,
    mcnemar,
    pool_rounds,
    resample_order,
    wilson_interval,
)

SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]  # hours gained, Student (1908)

pytestmark = pytest.mark.filterwarnings("error")


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


def test_what_is_clear_is_below_five_percent_after_the_correction():
    table = add_holm(pd.DataFrame({"p": [0.024, 0.9, 0.026, np.nan]}))
    assert table["p_holm"].tolist()[:3] == pytest.approx([0.072, 0.9, 0.072])
    assert table["clear"].tolist() == 4 * [False]
    assert add_holm(pd.DataFrame({"p": [0.016, 0.9, 0.024]}))["clear"].tolist() == [True, False, True]


def test_half_an_interval():
    assert half_width(2.0, 4) == pytest.approx(3.1824463)  # t(0.975, 3) = 3.1824463, × 2 / √4
    assert np.isnan(half_width([1.0, 1.0], [1, 0])).all()


def test_paired_differences_give_students_sleep_example():
    paired = compare_paired(SLEEP)
    assert paired.rounds == 10
    assert (paired.difference, paired.low, paired.high) == pytest.approx((1.58, 0.7001142, 2.4598858))
    assert paired.p == pytest.approx(0.002833, abs=5e-7)
    opposite = compare_paired([-hours for hours in SLEEP])
    assert (opposite.low, opposite.high, opposite.p) == pytest.approx((-paired.high, -paired.low, paired.p))


@pytest.mark.parametrize(("shift", "p"), [(0.0, 1.0), (0.013, 0.0)])
def test_equal_differences_leave_nothing_to_chance(shift, p):
    before = np.array([0.81, 0.85, 0.827, 0.8])
    paired = compare_paired(before + shift - before)
    assert (paired.difference, paired.low, paired.high) == pytest.approx((shift, shift, shift), abs=1e-12)
    assert paired.p == p


@pytest.mark.parametrize("differences", [[], [0.1]])
def test_one_round_or_none_has_no_interval(differences):
    paired = compare_paired(differences)
    assert paired.rounds == len(differences)
    assert np.isnan([paired.low, paired.high, paired.p]).all()
    assert paired.difference == pytest.approx(0.1) if differences else np.isnan(paired.difference)


def test_welch_by_hand_and_beside_scipy():
    # s² / n: 0.0004 / 4 = 0.0001 and 0.0009 / 9 = 0.0001; error √0.0002 = 0.0141421; t = 0.03 / 0.0141421 = 2.12132
    # degrees: 0.0002² / (0.0001² / 3 + 0.0001² / 8) = 4 / (1 / 3 + 1 / 8) = 8.72727
    tested = compare_unpaired([0.83, 0.02, 4], [0.80, 0.03, 9])
    assert tested.difference[0] == pytest.approx(0.03)
    half = stats.t.ppf(0.975, 96 / 11) * 0.0002**0.5
    assert (tested.low[0], tested.high[0]) == pytest.approx((0.03 - half, 0.03 + half))
    assert tested.p[0] == pytest.approx(stats.ttest_ind_from_stats(0.83, 0.02, 4, 0.80, 0.03, 9, False).pvalue)
    assert compare_unpaired([0.80, 0.03, 9], [0.83, 0.02, 4]).difference[0] == pytest.approx(-0.03)


def test_welch_without_two_rounds_or_without_scatter():
    rows = compare_unpaired(
        [[0.8, np.nan, 1], [0.8, 0.0, 5], [0.8, 0.0, 5]], [[0.7, 0.1, 10], [0.7, 0.0, 5], [0.8, 0.0, 5]]
    )
    assert np.isnan([rows.low[0], rows.high[0], rows.p[0]]).all()
    assert rows.p[1:].tolist() == [0, 1]
    assert (rows.low[1], rows.high[1]) == pytest.approx((0.1, 0.1))


def test_wilson_intervals_of_newcombe():
    # Newcombe (1998), Table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    low, high = wilson_interval([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)
    assert np.isnan(wilson_interval([0], [0])).all()


def pool(*rounds: tuple[int, int]) -> pd.Series:
    by_round = pd.DataFrame([{"of": "x", "right": right, "count": count} for right, count in rounds])
    return pool_rounds(by_round, ["of"]).iloc[0]


def test_rounds_that_scatter_widen_the_interval():
    # 14 of 20 in both cases. Rounds of 8 and 6: residuals ±1, scatter 2 · 2 / 20² = 0.01, less than the 0.0105 of 20
    # independent answers. Rounds of 10 and 4: residuals ±3, scatter 2 · 18 / 20² = 0.09, as of 20 · 0.0105 / 0.09 = 2⅓
    # answers. t(0.975, 1) = 12.7062, squared 161.448.
    even, uneven = pool((8, 10), (6, 10)), pool((10, 10), (4, 10))
    assert (even["accuracy"], even["rounds"], even["right"], even["count"]) == (0.7, 2, 14, 20)
    assert uneven["accuracy"] == 0.7
    assert (uneven["low"], uneven["high"]) == pytest.approx((0.00699, 0.99871), abs=2e-5)
    low, high = wilson_interval([14], [20], [12.7062])
    assert (even["low"], even["high"]) == pytest.approx((low[0], high[0]), abs=1e-5)
    assert uneven["high"] - uneven["low"] > even["high"] - even["low"]


def test_all_right_is_not_certainty_and_one_round_has_no_interval():
    sure = pool((10, 10), (10, 10))
    assert (sure["low"], sure["high"]) == pytest.approx((20 / (20 + 161.448), 1), abs=1e-5)
    assert np.isnan(pool((7, 10))[["low", "high"]].astype(float)).all()


def test_many_even_rounds_are_as_wilson_with_students_t():
    ten = pool(*10 * [(70, 100)])
    low, high = wilson_interval([700], [1_000], [stats.t.ppf(0.975, 9)])
    assert (ten["low"], ten["high"]) == pytest.approx((low[0], high[0]))


def test_mcnemars_exact_p_worked_by_hand():
    assert mcnemar(1, 5) == mcnemar(5, 1) == pytest.approx(14 / 64)  # 2 · (1 + 6) of 2⁶ tosses are as uneven
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1


def test_an_order_that_every_draw_keeps():
    order = resample_order([[0.1, 0.2], [0.5, 0.6], [0.8, 0.9]], [1, 2, 3])
    assert order == (3, 1, 1, 1, 1)
    assert resample_order([[0.1, 0.2], [0.5, 0.6], [0.8, 0.9]], [3, 2, 1]) == (3, -1, -1, -1, 0)


def test_an_order_that_rounds_decide():
    # The second beats the first only where a draw takes its good round twice, one time in four; the third is far ahead.
    order = resample_order([[0.5, 0.5], [0.6, 0.3], [0.9, 0.9]], [1, 2, 3])
    assert (order.tau, order.low, order.high) == pytest.approx((1 / 3, 1 / 3, 1))
    assert order.exact == pytest.approx(0.25, abs=0.015)  # 3.5 standard errors of 10,000 draws


def test_a_tie_counts_neither_way_and_one_round_has_no_interval():
    order = resample_order([[0.5], [0.5], [0.9]], [1, 2, 3])
    assert order.tau == pytest.approx(2 / 3)
    assert np.isnan([order.low, order.high, order.exact]).all()
