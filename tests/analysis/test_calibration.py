"""Whether probabilities can be believed, against hand-worked cases and on both sides of what is clear."""

import numpy as np
import pandas as pd
import pytest

from core.analysis.calibration import (
    Calibration,
    calibrate,
    calibration_error,
    calibration_floor,
    describe_calibration,
    measure_calibration,
    wrong_if_calibrated,
)
from core.analysis.statistics import PairedDifference
from support.fake_runs import CLASSES

DIRECT = "DirectClassificationModel"
TARGET = CLASSES[:, 0] <= CLASSES[:, 1]  # 550 of the 1,000 pairs

pytestmark = pytest.mark.filterwarnings("error")


def answer(*rounds):
    """Answers as core.analysis.mistakes gives them: for each round the probability given to every pair."""
    parts = []
    for seed, probability in enumerate(rounds):
        said = np.broadcast_to(np.asarray(probability, dtype=float), TARGET.shape)
        decision = said >= 0.5
        columns = {"model": DIRECT, "seed": seed, "first": CLASSES[:, 0], "second": CLASSES[:, 1], "probability": said}
        sure = np.where(decision, said, 1 - said)
        parts.append(pd.DataFrame({**columns, "right": decision == TARGET, "confidence": sure}))
    return pd.concat(parts)


def test_how_sure_of_its_wrong_answers_a_calibrated_network_would_be():
    # Of ten answers given with 0.6 four are wrong, of ten with 0.9 one: (4 × 0.6 + 0.9) / 5.
    assert wrong_if_calibrated(10 * [0.6] + 10 * [0.9]) == pytest.approx(0.66)
    assert wrong_if_calibrated([0.5, 1.0]) == 0.5  # what is certain is never wrong


def test_the_curve_and_the_error_worked_by_hand():
    # Round 0 always says 0.75, round 1 always 1.0; the truth is 0.55. Tenths 7 and 9, one round each.
    curve = calibrate(answer(0.75, 1.0))
    assert curve[["bin", "rounds", "count", "said", "right", "accuracy"]].values.tolist() == [
        [7, 1, 1_000, 0.75, 550, 0.55],
        [9, 1, 1_000, 1.0, 550, 0.55],
    ]
    assert curve["low"].isna().all()
    assert calibration_error(np.full(1_000, 0.75), TARGET) == pytest.approx(0.2)
    measured = measure_calibration(answer(0.75, 1.0))
    assert measured.error == pytest.approx((0.2 + 0.45) / 2)
    assert measured.std == pytest.approx(0.25 / 2**0.5)
    assert (measured.sure, measured.right) == pytest.approx((0.875, 0.55))


def test_the_error_is_weighted_by_the_pairs_of_a_tenth():
    # Two pairs say 0.1, and none is so: 0.1 off each. One says 0.9 and is so: 0.1 off. One says 0.5 and is so: 0.5 off.
    assert calibration_error([0.1, 0.1, 0.9, 0.5], [0, 0, 1, 1]) == pytest.approx((0.2 + 0.1 + 0.5) / 4)
    assert calibration_error([0.1, 0.1], [[0, 0], [1, 1]]) == pytest.approx([0.1, 0.9])


def test_the_floor_is_what_a_perfect_network_shows():
    assert calibration_floor(TARGET.astype(float)) == 0  # it says what is so, and nothing is left to chance
    # 1,000 pairs at one half: the mean distance of a fair share from one half is √(2 / π) · √(0.25 / 1,000) = 0.012616
    assert calibration_floor(np.full(1_000, 0.5)) == pytest.approx(0.012616, abs=0.002)
    assert calibration_floor(np.full(4_000, 0.5)) == pytest.approx(0.006308, abs=0.001)


def test_a_network_that_says_what_is_so_has_no_error():
    measured = measure_calibration(answer(TARGET, TARGET))
    assert (measured.error, measured.floor, measured.excess.difference, measured.gap.difference) == (0, 0, 0, 0)
    sentences = describe_calibration(measured)
    assert "0.0 ± 0.0 points" in sentences[0]
    assert sentences[0].endswith("the difference of 0.0 points (95 % 0.00 to 0.00) is not clear.")
    assert "not clearly more or less sure than right" in sentences[1]


def test_a_network_that_says_too_much_is_clearly_off():
    sentences = describe_calibration(measure_calibration(answer(0.75, 0.76, 0.74)))
    assert sentences[0].startswith("Expected calibration error of Direct classification: 20.0 ± 1.0 points, mean of")
    assert sentences[0].endswith("is clear.")
    assert sentences[1].startswith(
        "On average Direct classification is 75.0 % sure of what it says and right in 55.0 %: more sure than right by "
        "20.0 points (95 % 17.5 to 22.5)."
    )


@pytest.mark.parametrize(
    ("excess_p", "gap", "gap_p", "words"),
    [
        (0.049, (0.005, 0.001, 0.009), 0.04, ("is clear.", "more sure than right by 0.5 points (95 % 0.1 to 0.9)")),
        (0.050, (-0.005, -0.009, -0.001), 0.04, ("not clear.", "less sure than right by 0.5 points (95 % 0.1 to 0.9)")),
        (0.9, (-0.005, -0.011, 0.001), 0.051, ("not clear.", "not clearly more or less sure than right (−0.5 points")),
    ],
)
def test_calibration_is_judged_by_the_rounds(excess_p, gap, gap_p, words):
    excess, gap = PairedDifference(10, 0.001, -0.001, 0.003, 0.3), PairedDifference(10, *gap, 0.02)
    measured = Calibration(DIRECT, 10, 0.014, 0.003, 0.013, 0.963, 0.966, excess, gap, excess_p, gap_p)
    first, second = describe_calibration(measured)
    assert "a perfectly calibrated network would show 1.3 with as many pairs" in first
    assert first.endswith(words[0])
    assert words[1] in second


def test_one_round_is_not_judged():
    assert describe_calibration(measure_calibration(answer(0.75))) == [
        "Expected calibration error of Direct classification: 20.0 points, mean of single rounds (n = 1); a perfectly "
        f"calibrated network would show {100 * calibration_floor(np.full(1_000, 0.75)):.1f} with as many pairs.",
        "On average Direct classification is 75.0 % sure of what it says and right in 55.0 %.",
    ]
