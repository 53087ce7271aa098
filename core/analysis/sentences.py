"""The words around an interval, a test and a cell."""

from typing import Any

import pandas as pd

from core.analysis.numbers import percent, points, round_exactly, signed
from core.analysis.statistics import LEVEL, PairedDifference
from core.runs.palette import PALETTE
from core.runs.settings import ModelName

# Said once per screen: what the intervals are about.
TARGET = (
    "Intervals are 95 %, each by itself, and speak of further rounds unless said otherwise: networks trained anew, on "
    "pairs drawn from MNIST's test half. Halves are rounded to the even digit."
)
CUT_SHORT = "Cut short, as most rounds reached the last epoch without stopping early"


def bound(share: float) -> str:
    """The end of an interval in points, with a second digit if one would hide on which side of zero it lies."""
    return points(share) if float(round_exactly(share, 1, 100)) else signed(share, 2, 100)


def between(low: float, high: float) -> str:
    """An interval of a difference: '95 % −0.3 to 1.8'."""
    return f"95 % {bound(low)} to {bound(high)}"


def size_between(low: float, high: float) -> str:
    """The interval of a difference whose size alone is said, as in 'costs 17.7 points': '95 % 11.6 to 23.8'."""
    return between(-high, -low) if low + high < 0 else between(low, high)


def percent_between(low: float, high: float) -> str:
    """An interval of a share: '95 % 79.1 % to 82.4 %'."""
    return f"95 % {percent(low)} to {percent(high)}"


def describe_p(p: float) -> str:
    """A p value for a sentence or a table: '< 0.001', '0.034'; a value below 0.05 never reads as 0.050."""
    if p < 0.001:
        return "< 0.001"
    if p >= 0.9995:
        return "1"
    texts = (f"{p:.{digits}f}" for digits in range(3, 17))
    return next(text for text in texts if (float(text) < LEVEL) == (p < LEVEL))


def join(parts: list[str], last: str = "and") -> str:
    """'a', 'a and b', 'a, b and c'."""
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def tuples(table: pd.DataFrame) -> list[Any]:
    """One named tuple per row, of which any column is an attribute."""
    return list(table.itertuples())


def name_dropout(dropout: float) -> str:
    """'No dropout' or 'Dropout 0.25', short enough for a panel on a phone."""
    return f"Dropout {dropout:g}" if dropout else "No dropout"


def with_dropout(dropout: float) -> str:
    """'without dropout' or 'with dropout 0.25', as part of a sentence."""
    return f"with dropout {dropout:g}" if dropout else "without dropout"


def name_cell(model: ModelName, dropout: float, dropout_at_evaluation: bool = False) -> str:
    """A cell for people: 'Two channels without dropout', 'Auxiliary losses with dropout 0.25 left on'."""
    return f"{PALETTE[model].label} {with_dropout(dropout)}" + (" left on" if dropout and dropout_at_evaluation else "")


def describe_change(paired: PairedDifference, p_holm: float, where: str = "") -> str:
    """What a change does, as the end of a sentence: 'adds 3.0 points on unequal digits (95 % …, Holm's p 0.011)'.

    It claims an effect only if p, corrected over all that is tested on the same screen, is below 0.05.
    """
    if paired.rounds < 2:
        there = {0: "are none", 1: "is one"}[paired.rounds]
        return f"cannot be judged yet{where}: it takes two common rounds, there {there}"
    p = f"Holm's p {describe_p(p_holm)}"
    if not p_holm < LEVEL:
        interval = between(paired.low, paired.high)
        return f"makes no clear difference{where}: {points(paired.difference)} points ({interval}, {p})"
    verb = "adds" if paired.difference > 0 else "costs"
    return f"{verb} {points(abs(paired.difference))} points{where} ({size_between(paired.low, paired.high)}, {p})"


def describe_gaps(table: pd.DataFrame, planned: int = 10) -> str:
    """Names the cells (model, dropout, dropout_at_evaluation, `rounds`) that have fewer rounds than planned; empty
    if there are none."""
    short = table.loc[table["rounds"] < planned, ["model", "dropout", "dropout_at_evaluation", "rounds"]]
    names = [f"{name_cell(*cell)} ({rounds})" for *cell, rounds in short.itertuples(index=False)]
    if not names:
        return ""
    more = f" and {len(names) - 4} more cells" if len(names) > 5 else ""
    return f"Fewer than {planned} rounds so far: {', '.join(names[:4] if more else names)}{more}."
