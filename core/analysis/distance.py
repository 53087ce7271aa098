"""How accuracy depends on how far apart the two digits are: data frames from the answers that
core.analysis.mistakes reads, and their sentences."""

from typing import Any, NamedTuple

import pandas as pd

from core.analysis.comparison import COIN_MODEL, WHY_COIN, Cell
from core.analysis.numbers import percent, points
from core.analysis.sentences import describe_gaps, join, percent_between, size_between, tuples
from core.analysis.statistics import PairedDifference, add_holm, compare_paired, pool_rounds
from core.analysis.tables import CELL_FIELDS
from core.runs.palette import PALETTE
from core.runs.settings import MODEL_NAMES


class Contrast(NamedTuple):
    """Two kinds of pairs, by the distance of their digits, whose accuracies are compared."""

    these: str
    those: str
    distance: int  # of these
    other: int  # of those


CONTRASTS = (
    Contrast("Equal digits", "pairs one apart", 0, 1),
    Contrast("Pairs one apart", "pairs nine apart", 1, 9),
)


def count_by_distance(answers: pd.DataFrame) -> pd.DataFrame:
    """One row per cell, round and `distance` |first − second| (0 to 9): CELL_FIELDS, `seed`, `distance`, `count`,
    `right`; distances never drawn in a round are left out."""
    distances = answers.assign(distance=(answers["first"].astype(int) - answers["second"].astype(int)).abs())
    groups = distances.groupby([*CELL_FIELDS, "seed", "distance"], observed=True)["right"]
    return groups.agg(count="size", right="sum").reset_index()


def accuracy_by_distance(counted: pd.DataFrame) -> pd.DataFrame:
    """One row per cell and `distance` (0 to 9) of count_by_distance: `rounds`, `right`, `count`, `accuracy` and its 95
    % interval over rounds `low`, `high`; NaN for distances never drawn."""
    figures = pool_rounds(counted, [*CELL_FIELDS, "distance"])
    grid = counted[CELL_FIELDS].drop_duplicates().merge(pd.DataFrame({"distance": range(10)}), "cross")
    table = grid.merge(figures, "left")
    return table.fillna({"count": 0, "right": 0, "rounds": 0}).astype({"count": int, "right": int, "rounds": int})


def compare_distances(counted: pd.DataFrame) -> pd.DataFrame:
    """Every architecture's accuracy on these pairs of a Contrast minus that on those, paired by round: one row per
    architecture and one of CONTRASTS, with `model`, `these`, the fields of Paired, and `p_holm` and `clear` over all
    of them.

    `counted` is count_by_distance's, of one dropout.
    """
    shares = counted.assign(share=counted["right"] / counted["count"])
    rows = []
    for model in [name for name in MODEL_NAMES if name in set(counted["model"])]:
        own = shares[shares["model"] == model].pivot(index="seed", columns="distance", values="share")
        own = own.reindex(columns=range(10))
        rows += [(model, c.these, *compare_paired((own[c.distance] - own[c.other]).dropna())) for c in CONTRASTS]
    return add_holm(pd.DataFrame(rows, columns=["model", "these", *PairedDifference._fields]))


def describe_distance(counted: pd.DataFrame, dropout: float = 0.0) -> list[str]:
    """What count_by_distance shows at one dropout: for whom equal and near digits are hard, who must guess, and what is
    missing."""
    shown = counted[(counted["dropout"] == dropout) & ~counted["dropout_at_evaluation"].astype(bool)]
    if shown.empty:
        return ["No finished round with these settings has predictions yet."]
    tested = compare_distances(shown)
    family = int(tested["p_holm"].notna().sum())
    sentences = [_describe_contrast(tested[tested["these"] == c.these], c) for c in CONTRASTS]
    sentences = [sentence for sentence in sentences if sentence]
    if sentences:
        tests = f"(Paired t tests by round, Holm's correction over the {family} comparisons of this finding.)"
        sentences[-1] = f"{sentences[-1]} {tests}"
    return [sentence for sentence in [*sentences, _describe_coin(shown), _describe_gaps(shown, dropout)] if sentence]


def _describe_contrast(rows: pd.DataFrame, contrast: Contrast) -> str:
    """For whom these pairs are harder than those, for whom easier, and for whom that is not clear."""
    known = tuples(rows[rows["p_holm"].notna()])
    parts = []
    for words, sign in (("harder", -1), ("easier", 1)):
        names = [
            f"{PALETTE[row.model].label} by {points(abs(row.difference))} ({size_between(row.low, row.high)})"
            for row in known
            if row.clear and sign * row.difference > 0
        ]
        parts += [f"clearly {words} than {contrast.those}, in points, for {join(names)}"] if names else []
    unclear = [PALETTE[row.model].label for row in known if not row.clear]
    parts += [f"neither clearly harder nor easier than {contrast.those} for {join(unclear)}"] if unclear else []
    return f"{contrast.these} are {'; '.join(parts)}." if parts else ""


def _describe_coin(shown: pd.DataFrame) -> str:
    equal = pool_rounds(shown[(shown["model"] == COIN_MODEL) & (shown["distance"] == 0)], ["model"])
    if equal.empty:
        return ""
    row: Any = tuples(equal)[0]
    interval = "" if pd.isna(row.low) else f" ({percent_between(row.low, row.high)})"
    return (
        f"On equal digits {PALETTE[COIN_MODEL].label} is right in {percent(row.accuracy)}{interval}: it can only toss "
        f"a coin there, {WHY_COIN}."
    )


def _describe_gaps(shown: pd.DataFrame, dropout: float) -> str:
    rounds = shown.groupby("model", observed=True)["seed"].nunique().reindex(list(MODEL_NAMES), fill_value=0)
    cells = pd.DataFrame([Cell(model, dropout) for model in MODEL_NAMES])
    return describe_gaps(cells.assign(rounds=rounds.to_numpy()))
