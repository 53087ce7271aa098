"""A session's score: how often each architecture was right on the pairs judged so far."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from core.networks.verdicts import Verdict
from core.runs.settings import MODEL_NAMES


class Judgement(NamedTuple):
    """What one cell said of one judged pair; `rounds_right` of its `rounds` were right."""

    pair: int
    first: int
    second: int
    architecture: str
    settings: str
    dropout: float
    says_first_le_second: bool
    right: bool
    rounds_right: int
    rounds: int


def judge(verdicts: Sequence[Verdict], truths: tuple[int, int], pair: int) -> list[Judgement]:
    """One judgement per verdict on the pair of this number, which holds the digits `truths`."""
    truth = truths[0] <= truths[1]
    return [
        Judgement(
            pair,
            *truths,
            verdict.settings.model,
            verdict.settings.describe_differences(),
            verdict.settings.dropout,
            verdict.first_le_second,
            verdict.first_le_second == truth,
            sum(decision == truth for decision in verdict.decisions),
            verdict.rounds,
        )
        for verdict in verdicts
    ]


def summarise(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """One row per cell, in Table 1's order: `pairs` judged, how many `right`, and the share of its rounds that were."""
    table = pd.DataFrame(judgements, columns=Judgement._fields)
    order = pd.Categorical(table["architecture"], MODEL_NAMES, ordered=True)
    groups = table.assign(architecture=order).groupby(["architecture", "settings", "dropout"], observed=True)
    summed = groups.agg(
        pairs=("pair", "nunique"),
        right=("right", "sum"),
        rounds_right=("rounds_right", "sum"),
        rounds=("rounds", "sum"),
    )
    summed["round_share"] = summed["rounds_right"] / summed["rounds"]
    return summed.drop(columns=["rounds_right", "rounds"]).reset_index().astype({"architecture": str})


def write_csv(judgements: Sequence[Judgement]) -> str:
    """The judgements as CSV, one per line."""
    return pd.DataFrame(judgements, columns=Judgement._fields).to_csv(index=False)
