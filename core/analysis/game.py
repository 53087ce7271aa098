"""The game: ten test pairs for people, and what the trained networks said of them.

A pair comes from the test pairs of one round, and each architecture is represented by its network of that round. Test
pairs are drawn from MNIST's test half, of which no network has trained on anything.
"""

import random
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from core.analysis.numbers import in_words, percent
from core.analysis.tables import Arrays, only_planned, read_each, with_report_settings
from core.runs.settings import MODEL_NAMES, ModelName
from core.runs.store import RunStore

Kind = Literal["equal", "hard", "plain"]
MIX: dict[Kind, int] = {"equal": 2, "hard": 3, "plain": 5}  # pairs of each kind in a game
GAMES = range(1, 1_000_000)  # the numbers that a game can have
PAIR_COLUMNS = ["seed", "first_image", "second_image", "first", "second"]


class Pair(NamedTuple):
    """A pair of a game. `seed`: its round; `images`: its places in MNIST's test half; `says`: whether each
    architecture's network says that first <= second, in the order of Votes.models."""

    seed: int
    images: tuple[int, int]
    digits: tuple[int, int]
    kind: Kind
    says: tuple[bool, ...]

    @property
    def truth(self) -> bool:
        """Whether first <= second."""
        return self.digits[0] <= self.digits[1]

    @property
    def right(self) -> tuple[bool, ...]:
        """Whether each architecture's network is right."""
        return tuple(says == self.truth for says in self.says)


class Votes(NamedTuple):
    """`models` in the order of Table 1, and one row per test pair that a network of each has answered: PAIR_COLUMNS,
    `kind`, and for each of the models whether it says that first <= second. `problems`: a sentence for each run whose
    answers cannot be read."""

    models: tuple[ModelName, ...]
    table: pd.DataFrame
    problems: list[str]


def read_votes(store: RunStore, runs: pd.DataFrame) -> Votes:
    """What the reproduction's networks without dropout said of their test pairs; rounds that one of the architectures
    lacks are left out. `runs` is core.analysis.tables.load_runs' frame; without such runs the table is empty."""
    planned = with_report_settings(only_planned(runs))
    plain = planned[(planned["dropout"] == 0) & ~planned["dropout_at_evaluation"].astype(bool)]
    parts, problems = read_each(store, plain, _read_round)
    models = tuple(model for model in MODEL_NAMES if any(part.name == model for part in parts))
    says = [pd.concat([part for part in parts if part.name == model]) for model in models]
    table = pd.concat(says, axis=1, join="inner") if says else pd.DataFrame(index=_index_pairs(*np.empty((5, 0), int)))
    table = table.sort_index().reset_index()
    return Votes(models, table.assign(kind=_find_kinds(table, models)), problems)


def _read_round(run: Any, arrays: Arrays) -> pd.Series:
    seeds = np.full(len(arrays["indices"]), run.seed)
    pairs = _index_pairs(seeds, *arrays["indices"].T, *arrays["classes"].T)
    return pd.Series(arrays["decision"].astype(bool), pairs, name=run.model)


def _index_pairs(*columns: Any) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([column.astype(np.int32) for column in columns], names=PAIR_COLUMNS)


def _find_kinds(table: pd.DataFrame, models: Sequence[ModelName]) -> Any:
    """Of each pair: equal digits; hard, if most of the architectures are wrong of unequal ones; plain."""
    truth = (table["first"] <= table["second"]).to_numpy()
    right = (table[list(models)].to_numpy() == truth[:, None]).sum(axis=1)
    return np.select([table["first"] == table["second"], 2 * right < len(models)], ["equal", "hard"], "plain")


def choose_pairs(votes: Votes, game: int) -> list[Pair]:
    """The ten pairs of a game, always the same for the same votes: one from each of ten rounds, kinds as MIX has them.

    With fewer rounds, each gives several pairs; if a round has no pair of a kind, a plain one stands for it. Empty if
    there are no votes.
    """
    chance = random.Random(game)  # unlike NumPy's, its numbers stay the same from version to version
    kinds = [kind for kind, count in MIX.items() for _ in range(count)]
    chance.shuffle(kinds)
    rounds = sorted(set(votes.table["seed"]))[: len(kinds)]
    table, pairs = votes.table, list[Pair]()
    for place, kind in enumerate(kinds if rounds else []):
        own = table[table["seed"] == rounds[place % len(rounds)]]
        rows = own.index[own["kind"] == kind]
        rows = rows if len(rows) else own.index
        row = table.loc[rows[chance.randrange(len(rows))]]
        pairs.append(_make_pair(row, votes.models))
    return pairs


def _make_pair(row: Any, models: Sequence[ModelName]) -> Pair:
    images, digits = (int(row["first_image"]), int(row["second_image"])), (int(row["first"]), int(row["second"]))
    return Pair(int(row["seed"]), images, digits, row["kind"], tuple(bool(row[model]) for model in models))


def describe_players(votes: Votes) -> str:
    """Whom one plays against."""
    if len(votes.models) == 1:
        return "One network sees the same 14 × 14 pixels as you."
    return (
        f"{in_words(len(votes.models)).capitalize()} networks, each with one idea, see the same 14 × 14 pixels as you."
    )


def measure_accuracies(votes: Votes) -> dict[ModelName, float]:
    """The share of all test pairs that each of the models gets right: its mean test accuracy, as rounds are of equal
    size."""
    truth = votes.table["first"] <= votes.table["second"]
    return {model: float((votes.table[model] == truth).mean()) for model in votes.models}


def describe_mix(pairs: Sequence[Pair], votes: Votes) -> str:
    """What pairs a game has, how often such pairs are among all, and how many of all the networks get right."""
    share = votes.table["kind"].value_counts(normalize=True)
    counts = {kind: sum(pair.kind == kind for pair in pairs) for kind in MIX}
    right = measure_accuracies(votes).values()
    equal, hard = (percent(float(share.get(kind, 0.0))) for kind in ("equal", "hard"))
    accuracy = " to ".join(dict.fromkeys(map(percent, (min(right), max(right)))))
    return (
        f"Ten pairs are no accuracy, and these were chosen: {in_words(counts['equal'])} with equal digits ({equal} of "
        f"all test pairs are) and {in_words(counts['hard'])} with unequal ones that most of the networks miss ({hard} "
        f"of all). Over all {len(votes.table):,} test pairs, the networks are right in {accuracy}."
    )
