"""Between architectures: what each idea adds and which differ, paired by round, on all pairs of digits and by kind.

A tenth of the pairs have equal digits. A difference of two equal scores can only toss a coin there, which hides what
sharing weights does elsewhere; so everything is compared on all pairs, on unequal and on equal digits.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.analysis.numbers import percent, points, signed
from core.analysis.sentences import between, describe_change, join, percent_between, tuples
from core.analysis.statistics import PairedDifference, add_holm, compare_paired, pool_rounds
from core.analysis.tables import CELL_FIELDS, Arrays, TableWithProblems, read_each, with_report_settings
from core.runs.palette import PALETTE
from core.runs.settings import MODEL_NAMES, ModelName
from core.runs.store import RunStore

KIND_TITLES = {"all": "All pairs", "unequal": "Unequal digits", "equal": "Equal digits"}
KINDS = {"all": "over all pairs", "unequal": "on unequal digits", "equal": "on equal digits"}  # of pairs
COIN_MODEL: ModelName = (
    "WeightSharingBranchesModel"  # its logit is f(second) − f(first), with the same f for both digits
)
WHY_COIN = "as its logit f(second) − f(first) changes sign when the two digits swap places"
COIN_TWIN: ModelName = "TwoBranchesModel"  # the same, with an f of its own for each digit


class Cell(NamedTuple):
    """What a mean over rounds is of; every other setting is the report's."""

    model: ModelName
    dropout: float = 0.0
    dropout_at_evaluation: bool = False
    auxiliary_weight: float = 1.0


class Idea(NamedTuple):
    """One idea, `change`, and the two networks that differ by it: architectures and the weights of auxiliary losses."""

    change: str
    first: ModelName
    second: ModelName
    first_weight: float = 1.0
    second_weight: float = 1.0


LADDER = (
    Idea("Sharing weights between branches that give a score", "TwoBranchesModel", "WeightSharingBranchesModel"),
    Idea(
        "Sharing weights between branches that give a vector", "BranchesToVecModel", "WeightSharingBranchesToVecModel"
    ),
    Idea("Giving vectors instead of scores, with own weights,", "TwoBranchesModel", "BranchesToVecModel"),
    Idea(
        "Giving vectors instead of scores, with shared weights,",
        "WeightSharingBranchesModel",
        "WeightSharingBranchesToVecModel",
    ),
    Idea(
        "Taking the auxiliary network's layers instead of shared vectors, its losses switched off,",
        "WeightSharingBranchesToVecModel",
        "WeightSharingAuxiliaryModel",
        second_weight=0.0,
    ),
    Idea(
        "Switching on the auxiliary losses",
        "WeightSharingAuxiliaryModel",
        "WeightSharingAuxiliaryModel",
        first_weight=0.0,
    ),
    Idea(
        "Classifying both digits directly, instead of the auxiliary losses,",
        "WeightSharingAuxiliaryModel",
        "DirectClassificationModel",
    ),
)


def select_cells(runs: pd.DataFrame, cells: list[Cell]) -> pd.DataFrame:
    """The finished runs of these cells, all with the report's auxiliary weight."""
    finished = with_report_settings(runs)
    columns: Any = finished[CELL_FIELDS]
    wanted = set(cells)
    keep = [Cell(m, float(p), bool(on)) in wanted for m, p, on in columns.itertuples(index=False)]
    return finished[np.array(keep, dtype=bool)]


# Accuracy by round and kind of pair


def read_rounds(store: RunStore, runs: pd.DataFrame) -> TableWithProblems:
    """Test accuracy of every finished run of a Cell with a weight of LADDER, from its predictions: one row per run with
    the fields of Cell, `seed`, the accuracy on each of KINDS, and its `epochs`, the `count` of its pairs, `equal_count`
    of those with equal digits and `equal_right` of those it gets right."""
    columns = [*Cell._fields, "seed", *KINDS, "epochs", "count", "equal_count", "equal_right"]
    weights = {weight for idea in LADDER for weight in (idea.first_weight, idea.second_weight)}
    chosen = with_report_settings(runs, "auxiliary_weight")
    rows, problems = read_each(store, chosen[chosen["auxiliary_weight"].isin(weights)], _measure)
    kinds = {"dropout": float, "dropout_at_evaluation": bool, "auxiliary_weight": float, "seed": int}
    return TableWithProblems(pd.DataFrame(rows, columns=columns).astype(kinds), problems)


def _measure(run: Any, arrays: Arrays) -> list[Any]:
    first, second = arrays["classes"].T
    right, equal = arrays["decision"] == (first <= second), first == second
    shares = [float(part.mean()) if len(part) else float("nan") for part in (right, right[~equal], right[equal])]
    return [
        *(getattr(run, name) for name in Cell._fields),
        run.seed,
        *shares,
        run.epochs,
        len(right),
        int(equal.sum()),
        int((right & equal).sum()),
    ]


def compare_cells(rounds: pd.DataFrame, pairs: Sequence[tuple[Cell, Cell]]) -> pd.DataFrame:
    """Every pair of cells on each of KINDS, second minus first, paired by round: one row per pair and kind with `pair`
    (its place), `kind`, the fields of Paired, and `p_holm` and `clear` over all rows together: one family of tests.

    `rounds` are those of read_rounds.
    """
    groups: Any = rounds.groupby(list(Cell._fields))
    by_cell = {Cell(*key): own.set_index("seed")[list(KINDS)] for key, own in groups}
    none = pd.DataFrame(columns=list(KINDS), dtype=float)
    rows = []
    for place, (first, second) in enumerate(pairs):
        before, after = by_cell.get(first, none), by_cell.get(second, none)
        common = before.index.intersection(after.index)
        differences = after.loc[common] - before.loc[common]
        rows += [(place, kind, *compare_paired(differences[kind].dropna())) for kind in KINDS]
    return add_holm(pd.DataFrame(rows, columns=["pair", "kind", *PairedDifference._fields]))


def compare_ideas(rounds: pd.DataFrame, dropout: float = 0.0) -> pd.DataFrame:
    """What each idea of LADDER adds at one dropout and, if there is dropout, what that adds to each architecture:
    the rows of compare_cells with `group` ("idea" or "dropout"), `change` (a sentence's subject) and `model` (for its
    look). All of them are one family of tests.
    """
    ladder = [
        (Cell(s.first, dropout, False, s.first_weight), Cell(s.second, dropout, False, s.second_weight)) for s in LADDER
    ]
    effects = [(Cell(model), Cell(model, dropout)) for model in MODEL_NAMES] if dropout else []
    table = compare_cells(rounds, [*ladder, *effects])
    named = [("idea", step.change, step.second) for step in LADDER]
    named += [("dropout", f"{PALETTE[model].label}: dropout {dropout:g}", model) for model in MODEL_NAMES]
    names = pd.DataFrame([named[place] for place in table["pair"]], columns=["group", "change", "model"])
    return pd.concat([names, table], axis=1)


def describe_ideas(table: pd.DataFrame) -> list[str]:
    """One sentence per change of compare_ideas: on which pairs its effect is clear, and how large."""
    return [_describe_idea(str(change), tuples(rows)) for change, rows in table.groupby("change", sort=False)]


def _describe_idea(change: str, rows: list[Any]) -> str:
    count = rows[0].rounds
    if count < 2:
        return f"{change} {_describe_row(rows[0])}."
    clear = [_describe_row(row, f" {KINDS[row.kind]}") for row in rows if row.clear]
    unclear = [
        f"{KINDS[row.kind]} ({points(row.difference)} points, {between(row.low, row.high)})"
        for row in rows
        if not row.clear
    ]
    parts = [join(clear)] if clear else []
    parts += [f"makes no clear difference {join(unclear, 'or')}"] if unclear else []
    return f"{change} {'; it '.join(parts)}, n = {count}."


def _describe_row(row: Any, where: str = "") -> str:
    return describe_change(
        PairedDifference(*(getattr(row, name) for name in PairedDifference._fields)), row.p_holm, where
    )


def describe_coin(rounds: pd.DataFrame, dropout: float = 0.0) -> str:
    """Why the kinds of pairs are shown apart: on equal digits one architecture can only toss a coin. Empty without
    it."""
    own = rounds[(rounds["dropout"] == dropout) & ~rounds["dropout_at_evaluation"] & (rounds["auxiliary_weight"] == 1)]
    counts = own.rename(columns={"equal_right": "right"})[["model", "right"]].assign(count=own["equal_count"])
    figures = {row.model: row for row in tuples(pool_rounds(counts, ["model"])) if row.rounds >= 2}
    if COIN_MODEL not in figures:
        return ""
    sentence = (
        f"Equal digits are {percent(own['equal_count'].sum() / own['count'].sum())} of the pairs. There "
        f"{PALETTE[COIN_MODEL].label} can only toss a coin, {WHY_COIN}: {_say_share(figures[COIN_MODEL])} right"
    )
    if COIN_TWIN not in figures:
        return f"{sentence}."
    beside = f"{PALETTE[COIN_TWIN].label}, with an f for each digit, can lean to one side"
    return f"{sentence}; {beside}: {_say_share(figures[COIN_TWIN])}. Over all pairs both effects mix."


def _say_share(row: Any) -> str:
    return f"{percent(row.accuracy)} ({percent_between(row.low, row.high)})"


def describe_control(rounds: pd.DataFrame, dropout: float = 0.0) -> str:
    """How long the auxiliary network trained with and without its losses, which is part of what switching them on does.
    Empty without both."""
    own = rounds[(rounds["model"] == "WeightSharingAuxiliaryModel") & (rounds["dropout"] == dropout)]
    epochs = own[~own["dropout_at_evaluation"]].groupby("auxiliary_weight")["epochs"].mean()
    if not {0.0, 1.0} <= set(epochs.index):
        return ""
    return (
        f"With its losses the auxiliary network trained for {signed(epochs[1.0], 0)} epochs on average, with them "
        f"switched off for {signed(epochs[0.0], 0)}: what they add includes what comes of that."
    )


def compare_architectures(rounds: pd.DataFrame, dropout: float = 0.0) -> pd.DataFrame:
    """All pairs of architectures at one dropout on each of KINDS, the later of Table 1 minus the earlier: the rows of
    compare_cells with `first` and `second`, one family of tests (21 pairs of seven architectures: 63)."""
    pairs = list(combinations(MODEL_NAMES, 2))
    table = compare_cells(rounds, [(Cell(first, dropout), Cell(second, dropout)) for first, second in pairs])
    return pd.concat(
        [pd.DataFrame([pairs[place] for place in table["pair"]], columns=["first", "second"]), table], axis=1
    )


def describe_pair(table: pd.DataFrame, first: ModelName, second: ModelName) -> str:
    """What one architecture adds to the other over all pairs, the later of Table 1 to the earlier, from
    compare_architectures."""
    same = table["first"].isin([first, second]) & table["second"].isin([first, second]) & (table["kind"] == "all")
    row = tuples(table[same])[0]
    change = f"{PALETTE[row.second].label} instead of {PALETTE[row.first].label}"
    return f"{change} {_describe_row(row)}{f', n = {row.rounds}' if row.rounds >= 2 else ''}."


def describe_architectures(table: pd.DataFrame) -> list[str]:
    """How many pairs of architectures of compare_architectures differ clearly on each kind of pairs of digits."""
    sentences = []
    for kind, where in KINDS.items():
        known = table[(table["kind"] == kind) & table["p_holm"].notna()]
        if len(known):
            sentences.append(
                f"{int(known['clear'].sum())} of {len(known)} pairs of architectures differ clearly {where}"
            )
    family = int(table["p_holm"].notna().sum())
    if not sentences:
        return ["No two architectures share two rounds yet, so none can be compared."]
    return [f"{', '.join(sentences)} (paired t tests, Holm's correction over all {family} comparisons of this screen)."]


def tabulate_architectures(table: pd.DataFrame) -> pd.DataFrame:
    """The known rows of compare_architectures as text: one row per pair with its difference and 95 % interval on each
    of KINDS, in points, a star if it is clear."""
    known = table[table["rounds"] >= 2]
    rows = []
    groups: Any = known.groupby(["second", "first"], sort=False)
    for (ahead, behind), own in groups:
        cells = {row.kind: f"{points(row.difference)} ({points(row.low)} to {points(row.high)})" for row in tuples(own)}
        clear = set(own.loc[own["clear"], "kind"])
        texts = {kind: text + (" *" if kind in clear else "") for kind, text in cells.items()}
        rows.append({"ahead": PALETTE[ahead].label, "behind": PALETTE[behind].label, **texts})
    return pd.DataFrame(rows, columns=["ahead", "behind", *KINDS])
