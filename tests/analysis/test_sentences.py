"""Numbers for people: one way to round, and words that claim what the test shows."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pandas as pd
import pytest

from core.analysis.agreement import compare_with_report
from core.analysis.numbers import fraction, in_percent, mean_and_deviation, percent, plural, points, signed, with_sign
from core.analysis.sentences import (
    between,
    describe_change,
    describe_gaps,
    describe_p,
    join,
    size_between,
)
from core.analysis.statistics import PairedDifference
from core.analysis.tables import CELL_FIELDS, load_runs, with_report_settings
from core.export import pair_columns
from core.runs.store import RunStore
from support.servers import ROOT

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("share", "as_fraction", "as_percent"),
    [
        (0.8175, "0.818", "81.8 %"),  # a half: to the even digit, in both ways of writing it
        (np.mean([0.8175] * 10), "0.818", "81.8 %"),
        (0.8174999999999999, "0.818", "81.8 %"),  # a hair off in binary is that half
        (0.8165, "0.816", "81.6 %"),  # the even digit below
        (0.81751, "0.818", "81.8 %"),
        (0.81749, "0.817", "81.7 %"),
        (0.0005, "0.000", "0.0 %"),
        (1.0, "1.000", "100.0 %"),
    ],
)
def test_halves_go_to_the_even_digit_in_every_column(share, as_fraction, as_percent):
    assert (fraction(share), percent(share)) == (as_fraction, as_percent)


def test_a_difference_is_rounded_from_what_is_printed():
    assert points(0.8175 - 0.798) == "2.0"  # 0.0195 is a half, though 0.01949999… in binary
    assert points(0.0185) == "1.8"
    assert [points(value) for value in (-0.0041, 0.0, -0.0001, 0.1234)] == ["−0.4", "0.0", "0.0", "12.3"]
    assert [with_sign(value) for value in (0.0195, -0.0195, 0.0001, -0.0001)] == ["+2.0", "−2.0", "0.0", "0.0"]
    assert signed(-0.347, 2) == "−0.35"


def test_every_stored_cell_reads_the_same_wherever_it_is_printed():
    """From counts of right answers, exactly: in the table, in sentences and in the columns of the screen."""
    runs = load_runs(RunStore(ROOT / "cached_runs"))
    table = compare_with_report(runs)
    rights = (with_report_settings(runs)["test_accuracy"].astype(float) * 1_000).round().astype(int)
    counts = with_report_settings(runs).assign(right=rights).groupby(CELL_FIELDS)["right"].agg(["sum", "count"])
    assert len(counts) == len(table) == 32
    printed = pair_columns(table).set_index("Architecture")
    for place, row in enumerate(table.itertuples()):
        right, rounds = counts.loc[(row.model, row.dropout, row.dropout_at_evaluation)]
        exact = Decimal(int(right)) / (1_000 * int(rounds))
        expected = exact.quantize(Decimal("0.001"), ROUND_HALF_EVEN)
        assert fraction(row.mean) == str(expected)
        assert percent(row.mean) == f"{(exact * 100).quantize(Decimal('0.1'), ROUND_HALF_EVEN)} %"
        assert in_percent(table["mean"]).iloc[place] == float(expected * 100)
        if place < 14:
            column = "Ours, dropout" if row.dropout else "Ours, no dropout"
            assert printed.loc[row.model, column].split(" ")[0] == str(expected)
            off = (exact - Decimal(str(row.report_mean))) * 100
            assert points(row.difference).replace("−", "-") == str(off.quantize(Decimal("0.1"), ROUND_HALF_EVEN))


def test_columns_of_a_table_keep_what_is_missing():
    assert in_percent(pd.Series([0.8175, np.nan]))[0] == 81.8
    assert in_percent(pd.Series([0.8175, np.nan])).isna().tolist() == [False, True]


def test_means_and_what_is_missing():
    assert mean_and_deviation(0.8175, 0.0087) == "0.818 ± 0.009"
    assert mean_and_deviation(0.8125, float("nan")) == "0.812"
    assert mean_and_deviation(None, None) == "–"


def test_an_interval_never_hides_its_side_of_zero():
    assert between(-0.003, 0.018) == "95 % −0.3 to 1.8"
    assert between(-0.016, -0.0003) == "95 % −1.6 to −0.03"
    assert size_between(-0.016, -0.0003) == "95 % 0.03 to 1.6"
    assert size_between(0.002, 0.016) == between(0.002, 0.016) == "95 % 0.2 to 1.6"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0001, "< 0.001"), (0.0344, "0.034"), (0.0496, "0.0496"), (0.0504, "0.050"), (0.05, "0.050"), (0.9996, "1")],
)
def test_a_p_below_five_percent_never_reads_as_five(p, text):
    assert describe_p(p) == text


@pytest.mark.parametrize(
    ("paired", "p_holm", "sentence"),
    [
        (  # clear
            PairedDifference(10, 0.009, 0.002, 0.016, 0.02),
            0.049,
            "adds 0.9 points (95 % 0.2 to 1.6, Holm's p 0.049)",
        ),
        (  # the opposite
            PairedDifference(10, -0.009, -0.016, -0.0003, 0.0001),
            0.0002,
            "costs 0.9 points (95 % 0.03 to 1.6, Holm's p < 0.001)",
        ),
        (  # not clear after the correction, though the interval alone leaves out zero
            PairedDifference(10, 0.009, 0.0002, 0.018, 0.046),
            0.05,
            "makes no clear difference: 0.9 points (95 % 0.02 to 1.8, Holm's p 0.050)",
        ),
        (
            PairedDifference(1, 0.1, np.nan, np.nan, np.nan),
            np.nan,
            "cannot be judged yet: it takes two common rounds, there is one",
        ),
        (
            PairedDifference(0, np.nan, np.nan, np.nan, np.nan),
            np.nan,
            "cannot be judged yet: it takes two common rounds, there are none",
        ),
    ],
)
def test_a_changes_sentence_claims_what_the_corrected_test_shows(paired, p_holm, sentence):
    assert describe_change(paired, p_holm) == sentence


def test_a_change_can_say_where():
    paired = PairedDifference(10, 0.03, 0.016, 0.044, 0.0009)
    assert describe_change(paired, 0.011, " on unequal digits") == (
        "adds 3.0 points on unequal digits (95 % 1.6 to 4.4, Holm's p 0.011)"
    )


def test_lists_and_counts():
    assert [join(list("abc")[:count]) for count in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    assert join(["a", "b"], "or") == "a or b"
    assert [plural(count, "round") for count in (0, 1, 1_000)] == ["0 rounds", "1 round", "1,000 rounds"]


def test_cells_with_few_rounds_are_named():
    cells = pd.DataFrame(
        {"model": ["TwoChannelsModel"], "dropout": [0.25], "dropout_at_evaluation": [True], "rounds": [9]}
    )
    assert describe_gaps(cells) == "Fewer than 10 rounds so far: Two channels with dropout 0.25 left on (9)."
    assert describe_gaps(cells.assign(rounds=10)) == ""
    many = pd.concat(6 * [cells])
    assert describe_gaps(many).endswith(", Two channels with dropout 0.25 left on (9) and 2 more cells.")
