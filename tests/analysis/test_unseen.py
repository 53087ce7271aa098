"""What is said of drawings that no network has seen, and that the kept counts are what the benchmark counts."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import never_seen
from core.analysis.headlines import find_headline
from core.analysis.unseen import count_unseen, describe_unseen

# Wilson's interval of 10 of 100: 5.5 to 17.4 %
COUNTED = pd.DataFrame(
    {
        "kind": ["MNIST's test digits", "double digits", "letters"],
        "drawings": [1000, 100, 100],
        "strange": [10, 90, 50],
        "unsure": [10, 10, 20],
        "confidence": [0.99, 0.7, 0.75],
        "strange_low": [0.005, 0.826, 0.404], "strange_high": [0.018, 0.945, 0.596],
        "unsure_low": [0.005, 0.055, 0.133], "unsure_high": [0.018, 0.174, 0.289],
    }
)  # fmt: skip


def test_the_sentences_by_hand():
    assert describe_unseen(COUNTED) == [
        "By their confidence, with a limit that doubts 1.0 % of the test digits, the networks doubt 10.0 % of double "
        "digits and 20.0 % of letters (95 % intervals within ± 8.9 points); in the median it is 70.0 % to 75.0 %, on "
        "test digits 99.0 %.",
        "By the distance to the nearest training digits, with a limit likewise, 90.0 % of double digits and 50.0 % of "
        "letters (95 % intervals within ± 9.6 points) are noticed. *Draw* goes by it.",
    ]
    assert find_headline("unseen", COUNTED) == (
        "90.0 %",
        "of double digits pass the limit of confidence that 99 % of real digits pass (95 % 82.6 % to 94.5 %)",
    )


def test_intervals_are_wilsons():
    [row] = count_unseen().query("kind == 'shapes'").itertuples()
    assert (row.drawings, row.strange) == (1000, 500)
    assert (row.strange_low, row.strange_high) == pytest.approx((0.4691, 0.5309), abs=1e-4)


def test_kept_counts_are_those_of_the_drawings():
    """The first kind that the benchmark draws, with its seed and count."""
    generator = np.random.default_rng(0)
    frames = np.stack([never_seen.draw("double digits", generator) for _ in range(1000)])
    [kept] = count_unseen().query("kind == 'double digits'").itertuples()
    assert (never_seen.measure_distances(frames) > never_seen.LIMIT).sum() == kept.strange
    assert np.median(never_seen.measure_confidence(never_seen.load_readers(), frames)) == pytest.approx(
        kept.confidence, abs=1e-4
    )
