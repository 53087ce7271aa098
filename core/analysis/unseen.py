"""Drawings of what is no digit: whether networks are less sure of them, and whether their strangeness is noticed.

The counts stand in unseen.csv, beside this file, as `python -m benchmarks.never_seen` prints them with seed 0: drawings
made by code, read by the ten shipped rounds of Direct classification without dropout.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from core.analysis.numbers import percent, points
from core.analysis.sentences import join, tuples
from core.analysis.statistics import wilson_interval

METHOD = (
    "1,000 drawings of each kind, made by code (seed 0), and MNIST's 10,000 test digits; the ten shipped rounds of "
    "Direct classification without dropout. Both limits are what 1 % of the test digits are beyond. Wilson's 95 % "
    "intervals over drawings, the networks taken as they are; no test."
)
WAYS = ("unsure", "strange")  # noticed by the network's own confidence, and by the distance to training digits


def count_unseen() -> pd.DataFrame:
    """One row per kind of drawing, MNIST's test digits first.

    `drawings`; `strange` and `unsure`, how many of them core.drawing.strangeness notices, and how many the rounds read
    with less confidence than 99 % of the test digits; for both, the share's Wilson interval as `strange_low` and so on,
    which takes the networks as they are; `confidence`, the median of the rounds' mean probability of what they read.
    """
    table = pd.read_csv(Path(__file__).with_name("unseen.csv"))
    for way in WAYS:
        low, high = wilson_interval(table[way], table["drawings"])
        table = table.assign(**{f"{way}_low": low, f"{way}_high": high})
    return table


def describe_unseen(table: pd.DataFrame) -> list[str]:
    """What the networks notice by their confidence, and what is noticed by the distance; `table` of count_unseen."""
    real, *unseen = tuples(table)
    medians = [row.confidence for row in unseen]
    return [
        f"By their confidence, with a limit that doubts {percent(real.unsure / real.drawings)} of the test digits, the "
        f"networks doubt {_list_shares(unseen, 'unsure')}; in the median it is {percent(min(medians))} to "
        f"{percent(max(medians))}, on test digits {percent(real.confidence)}.",
        f"By the distance to the nearest training digits, with a limit likewise, {_list_shares(unseen, 'strange')} are "
        "noticed. *Draw* goes by it.",
    ]


def _list_shares(rows: list[Any], way: str) -> str:
    """Their shares, and how far the intervals reach from them at most."""
    shares = [getattr(row, way) / row.drawings for row in rows]
    named = join([f"{percent(share)} of {row.kind}" for share, row in zip(shares, rows, strict=True)])
    ends = [(getattr(row, f"{way}_low"), getattr(row, f"{way}_high")) for row in rows]
    reach = max(max(share - low, high - share) for share, (low, high) in zip(shares, ends, strict=True))
    return f"{named} (95 % intervals within ± {points(reach).lstrip('+')} points)"
