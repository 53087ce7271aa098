"""Every setting ever tried, best first, in groups whose members do not clearly differ."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.analysis.statistics import LEVEL, compare_paired, compare_unpaired, summarise_rounds
from core.analysis.tables import SETTINGS_FIELDS, only_planned

CERTAIN_ROUNDS = 5  # that a setting needs to get a rank


def leaderboard(runs: pd.DataFrame) -> pd.DataFrame:
    """Every setting with a finished round, best mean first: the settings but the seed, `rank`, `rounds`, `mean`, `std`,
    `low`, `high`, `epochs`, `seconds`, `parameters`, `certain` (five rounds or more).

    Only certain ones are ranked; the others follow, by their mean. A setting shares the rank of the best one that it
    does not clearly differ from: its group's leader.
    """
    keys = [name for name in SETTINGS_FIELDS if name != "seed"]
    finished = runs[runs["state"] == "finished"]
    table = summarise_rounds(finished, [*keys, "parameters"]).astype({"parameters": int})
    table = table.assign(certain=table["rounds"] >= CERTAIN_ROUNDS)
    table = table.sort_values(["certain", "mean"], ascending=False, kind="stable").reset_index(drop=True)
    groups: Any = finished.groupby(keys)
    by_setting = {key: own.set_index("seed")["test_accuracy"] for key, own in groups}
    accuracies = [by_setting[key] for key in table[keys].itertuples(index=False, name=None)]
    ranks = rank_in_groups(accuracies[: int(table["certain"].sum())])
    return table.assign(rank=pd.array([*ranks, *[None] * (len(table) - len(ranks))], dtype="Int64"))


def describe_origin(board: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """For each row of the board how many of its rounds are the reproduction's: "all", "10 of 12", or "none"."""
    keys = [name for name in SETTINGS_FIELDS if name != "seed"]
    planned = only_planned(runs[runs["state"] == "finished"]).groupby(keys).size()
    cells: Any = board[[*keys, "rounds"]].itertuples(index=False, name=None)
    counts = [(int(planned.get((*cell,), 0)), int(rounds)) for *cell, rounds in cells]
    return ["all" if own == rounds else f"{own} of {rounds}" if own else "none" for own, rounds in counts]


def rank_in_groups(accuracies: Sequence[pd.Series]) -> list[int]:
    """Ranks from 1 for settings whose accuracies by seed come best mean first. Each is tested against the leader of the
    group before it, paired if they share five rounds, and leads a group of its own if p, times the number of
    these tests (Bonferroni), is below 0.05."""
    ranks: list[int] = []
    for place, own in enumerate(accuracies):
        if place and _test_means(own, accuracies[ranks[-1] - 1]) * (len(accuracies) - 1) >= LEVEL:
            ranks.append(ranks[-1])
        else:
            ranks.append(place + 1)
    return ranks


def _test_means(one: pd.Series, other: pd.Series) -> float:
    common = one.index.intersection(other.index)
    if len(common) >= CERTAIN_ROUNDS:
        return compare_paired(one[common] - other[common]).p
    figures = [[values.mean(), values.std(), len(values)] for values in (one, other)]
    return float(compare_unpaired(*figures).p[0])
