"""The one number that a finding is about, which stands large beside its figure."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from core.analysis.artefact import DIGIT_MODELS
from core.analysis.comparison import COIN_MODEL
from core.analysis.numbers import percent, with_sign
from core.analysis.sentences import between, percent_between, tuples, with_dropout
from core.analysis.statistics import LEVEL, half_width, pool_rounds
from core.analysis.studies import PLAIN, name_pairs, pairs_needed
from core.analysis.traces import EARLY_MODELS, passing_epochs
from core.runs.palette import PALETTE
from core.runs.settings import ModelName
from core.runs.studies import TRAINING_PAIRS

READER: ModelName = "DirectClassificationModel"


class Headline(NamedTuple):
    """A number with its unit, and what it is the number of, with its interval if it has one."""

    number: str
    about: str


def find_headline(question: str, table: pd.DataFrame, dropout: float = 0.0) -> Headline | None:
    """The number of a finding of core.analysis.findings.QUESTIONS, at one dropout if its figure has one.

    `table` is what the figure is drawn from: for `twins`, `weights`, `speed` and `best` the comparisons, else the data
    frame of the question. None if the store does not have what it takes. Raises KeyError for an unknown question.
    """
    return FINDERS[question](table, dropout)


def _find_row(table: pd.DataFrame, **values: object) -> Any:
    """The first row with these values, as a named tuple; None if there is none."""
    for name, value in values.items():
        table = table[table[name] == value]
    return next(iter(tuples(table)), None)


def _say_gain(rounds: int, gain: float, low: float, high: float, is_clear: bool, about: str) -> Headline | None:
    """A difference in points; one that is not clear is not large."""
    if rounds < 2:
        return None
    number, interval = f"{with_sign(gain)} points", between(low, high)
    if not is_clear:
        return Headline("Not clear", f"{about}: {number} ({interval})")
    return Headline(number, f"{about} ({interval})")


def _say_row(row: Any, about: str) -> Headline | None:
    return row and _say_gain(row.rounds, row.difference, row.low, row.high, row.clear, about)


def _artefact(table: pd.DataFrame, _: float) -> Headline | None:
    row = _find_row(table, model=DIGIT_MODELS[0], case="Dropout 0.25")
    about = f"from dropout 0.25 for {PALETTE[DIGIT_MODELS[0]].label}, if it is off at evaluation"
    return row and _say_gain(row.common, row.gain, row.gain_low, row.gain_high, row.gain_p_holm < LEVEL, about)


def _distance(counted: pd.DataFrame, dropout: float) -> Headline | None:
    shown = counted[(counted["dropout"] == dropout) & ~counted["dropout_at_evaluation"].astype(bool)]
    row = _find_row(pool_rounds(shown[shown["distance"] == 0], ["model"]), model=COIN_MODEL)
    if row is None:
        return None
    interval = "" if pd.isna(row.low) else f" ({percent_between(row.low, row.high)})"
    about = f"right on equal digits, where {PALETTE[COIN_MODEL].label} can only toss a coin{interval}"
    return Headline(percent(row.accuracy), about)


def _parameters(table: pd.DataFrame, dropout: float) -> Headline | None:
    shown = table[table["dropout"] == dropout]
    if len(shown) < 3:
        return None
    best = max(tuples(shown), key=lambda row: row.mean)
    about = f"has the highest mean, {percent(best.mean)}; the largest network has {shown['parameters'].max():,}"
    return Headline(f"{best.parameters:,} parameters", f"{PALETTE[best.model].label} {about}")


def _epochs(table: pd.DataFrame, _: float) -> Headline | None:
    if table.empty:
        return None
    capped = int((table["stop_reason"] == "max_epochs").sum())
    return Headline(f"{capped} of {len(table)}", "rounds reached the last epoch without stopping early")


def _squared(table: pd.DataFrame, _: float) -> Headline | None:
    lucky = table.loc[table["dropout"] == 0, "lucky"]
    if lucky.empty:
        return None
    half, mean = float(half_width(lucky.std(), len(lucky))), float(lucky.mean())
    interval = f" ({percent_between(max(mean - half, 0), mean + half)})" if len(lucky) > 1 else ""
    about = f"of the pairs keep their order though a digit is misread, without dropout{interval}"
    return Headline(percent(mean), about)


def _hypothesis(table: pd.DataFrame, _: float) -> Headline | None:
    model = EARLY_MODELS[0]
    epoch = passing_epochs(table).get(model)
    if not epoch:
        return None
    return Headline(f"Epoch {epoch}", f"{PALETTE[model].label} passes its printed figure here already")


def _data(table: pd.DataFrame, dropout: float) -> Headline | None:
    needed = next((each for each in pairs_needed(table, dropout) if each.model == READER), None)
    if needed is None:
        return None
    aim = f"what {PALETTE[READER].label} reaches with 1,000, {with_dropout(dropout)} (n = {needed.rounds})"
    if needed.low == float("inf"):
        return Headline(f"Not with {TRAINING_PAIRS[-1]:,} pairs", f"does {PALETTE[PLAIN].label} reach {aim}")
    if needed.pairs == float("inf"):
        return Headline(
            "Not clear", f"whether {PALETTE[PLAIN].label} reaches {aim} within {TRAINING_PAIRS[-1]:,} pairs"
        )
    return Headline(f"{name_pairs(needed).capitalize()} pairs", f"are what {PALETTE[PLAIN].label} needs for {aim}")


def _twins(compared: pd.DataFrame, _: float) -> Headline | None:
    row, equal = (_find_row(compared, kind=kind) for kind in ("unequal", "equal"))
    said = row and _say_row(row, f"{row.change.rstrip(',').lower()}, on unequal digits")
    if said is None or equal is None:
        return said
    unclear = "" if equal.clear else ", not clear"
    return Headline(said.number, f"{said.about}; on equal ones {with_sign(equal.difference)}{unclear}")


def _weights(compared: pd.DataFrame, _: float) -> Headline | None:
    row = _find_row(compared, weight=1.0, dropout=0.0)
    about = "from the report's weight of 1 instead of 0, without dropout"
    return row and _say_gain(row.rounds, row.difference, row.difference_low, row.difference_high, row.clear, about)


def _speed(compared: pd.DataFrame, _: float) -> Headline | None:
    row = next(iter(tuples(compared)), None)
    return row and _say_row(row, f"{PALETTE[row.second].label} over {PALETTE[row.first].label} at {row.when}")


def _best(compared: pd.DataFrame, dropout: float) -> Headline | None:
    tested = compared[compared["rounds"] >= 2]
    if tested.empty:
        return None
    about = "numbers of training pairs at which the best epoch's weights clearly differ from the last's"
    return Headline(f"{tested['clear'].sum()} of {len(tested)}", f"{about}, {with_dropout(dropout)}")


def _unseen(table: pd.DataFrame, _: float) -> Headline | None:
    row = next(row for row in tuples(table) if row.kind == "double digits")
    interval = percent_between(1 - row.unsure_high, 1 - row.unsure_low)
    about = f"of double digits pass the limit of confidence that 99 % of real digits pass ({interval})"
    return Headline(percent(1 - row.unsure / row.drawings), about)


FINDERS: dict[str, Callable[[pd.DataFrame, float], Headline | None]] = {
    "artefact": _artefact,
    "distance": _distance,
    "parameters": _parameters,
    "epochs": _epochs,
    "squared": _squared,
    "hypothesis": _hypothesis,
    "data": _data,
    "twins": _twins,
    "weights": _weights,
    "speed": _speed,
    "best": _best,
    "unseen": _unseen,
}
