"""What the studies of core.runs.studies find: data frames from the runs' results, each with its sentences.

Accuracies are shares of 1. Rounds are paired by their seed, which decides the test pairs, whatever the number of
training pairs.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.analysis.comparison import KINDS
from core.analysis.numbers import percent, plural
from core.analysis.sentences import CUT_SHORT, describe_change, join, percent_between, tuples, with_dropout
from core.analysis.statistics import PairedDifference, add_holm, compare_paired, half_width, summarise_rounds
from core.analysis.tables import Arrays, TableWithProblems, read_each
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS, ModelName, RunSettings
from core.runs.store import RunStore
from core.runs.studies import OWN_AS_SMALL, SHARED_AS_LARGE, STUDIES, TRAINING_PAIRS, TWINS

PLAIN: ModelName = "TwoChannelsModel"  # sees both digits at once: no idea but the convolution
AUXILIARY, SHARED_VECTORS = REPORT_MODELS[5], REPORT_MODELS[4]
KIND_COLUMNS = {"all": "test_accuracy", "unequal": "test_accuracy_unequal", "equal": "test_accuracy_equal"}
GRID = np.geomspace(TRAINING_PAIRS[0], TRAINING_PAIRS[-1], 400)  # numbers of training pairs between the studied ones


class Needed(NamedTuple):
    """How many training pairs the plain network needs for what `model` reaches with 1,000, which is `accuracy`: the
    mean over `rounds` and its 95 % interval. Infinite: more than were tried."""

    model: ModelName
    rounds: int
    accuracy: float
    pairs: float
    low: float
    high: float


def read_study(store: RunStore, runs: pd.DataFrame, name: str) -> TableWithProblems:
    """The finished runs of a study: the settings, `parameters`, `seconds`, `best_epoch_test_accuracy`, and the accuracy
    on each of KINDS. Runs of the reproduction have it in their predictions, those of studies in their results."""
    planned = {settings.run_id for settings in STUDIES[name].plan()}
    own = runs[runs["run_id"].isin(planned) & (runs["state"] == "finished")]
    told = own["test_accuracy_unequal"].notna()
    rows, problems = read_each(store, own[~told], _measure)
    measured = pd.DataFrame(rows, columns=["run_id", *KINDS]).set_index("run_id")
    stored = own[told].set_index("run_id")[list(KIND_COLUMNS.values())].set_axis(list(KINDS), axis=1)
    table = own.set_index("run_id").join(pd.concat([measured, stored]).astype(float), how="inner")
    return TableWithProblems(table.reset_index(), problems)


def _measure(run: Any, arrays: Arrays) -> list[Any]:
    first, second = arrays["classes"].T
    right, equal = arrays["decision"] == (first <= second), first == second
    return [run.run_id, right.mean(), right[~equal].mean(), right[equal].mean()]


def _by_seed(table: pd.DataFrame, settings: RunSettings, kind: str) -> "pd.Series[float]":
    """The accuracies of a cell, by seed."""
    same = pd.Series(True, index=table.index)
    for name, value in settings.model_dump(exclude={"seed"}).items():
        same &= table[name] == value
    return table[same].set_index("seed")[kind]


def _compare(table: pd.DataFrame, first: RunSettings, second: RunSettings, kind: str) -> PairedDifference:
    """Second minus first, paired by round."""
    difference = _by_seed(table, second, kind) - _by_seed(table, first, kind)
    return compare_paired(difference.dropna())


# How much data is an idea worth?


def accuracy_by_pairs(table: pd.DataFrame, kind: str = "all") -> pd.DataFrame:
    """One row per architecture, dropout and number of training pairs: `rounds`, `mean`, `std`, `low`, `high`."""
    return summarise_rounds(table, ["model", "dropout", "training_pairs"], kind, also=())


def pairs_needed(table: pd.DataFrame, dropout: float = 0.0, kind: str = "all") -> list[Needed]:
    """For each architecture but the plain one, how many pairs the plain one needs to match it at 1,000.

    Each round's accuracies of the plain network are joined by straight lines over the logarithm of the pairs; where the
    mean of the differences from the other network reaches zero, it has caught up. The interval is the stretch around
    that place in which the 95 % interval of those differences (Student's t over the rounds) holds zero.
    """
    plain = [_by_seed(table, RunSettings(model=PLAIN, dropout=dropout, training_pairs=n), kind) for n in TRAINING_PAIRS]
    curves = pd.concat(plain, axis=1, keys=TRAINING_PAIRS).dropna()
    found = []
    for model in REPORT_MODELS:
        target = _by_seed(table, RunSettings(model=model, dropout=dropout), kind)
        seeds = curves.index.intersection(target.index)
        if model != PLAIN and len(seeds) >= 2:
            found.append(_find_needed(model, curves.loc[seeds].to_numpy(float), target.loc[seeds].to_numpy(float)))
    return found


def _find_needed(model: ModelName, curves: Any, target: Any) -> Needed:
    """`curves` (rounds, sizes) of the plain network, `target` (rounds,)."""
    sizes = np.log(TRAINING_PAIRS)
    ahead = np.array([np.interp(np.log(GRID), sizes, row) for row in curves]) - target[:, None]  # (rounds, GRID)
    mean, half = ahead.mean(axis=0), half_width(ahead.std(axis=0, ddof=1), len(target))
    place = int((mean >= 0).argmax()) if (mean >= 0).any() else len(GRID)
    behind, ahead_of_it = np.flatnonzero(mean[:place] + half[:place] < 0), np.flatnonzero((mean - half)[place:] >= 0)
    low = int(behind[-1]) + 1 if len(behind) else 0
    high = place + int(ahead_of_it[0]) if len(ahead_of_it) else len(GRID)
    return Needed(model, len(target), float(target.mean()), *map(_pairs_at, (place, low, high)))


def _pairs_at(place: int) -> float:
    """Infinite for a place beyond the grid."""
    return float(GRID[place]) if place < len(GRID) else float("inf")


def describe_needed(needed: Needed) -> str:
    """How many pairs an idea is worth, in a sentence."""
    aim = f"what {PALETTE[needed.model].label} reaches with 1,000 ({percent(needed.accuracy)})"
    most = f"{TRAINING_PAIRS[-1]:,}"
    if needed.low == float("inf"):
        return f"{PALETTE[PLAIN].label} never reaches {aim} within {most} pairs, n = {needed.rounds}."
    low = "fewer than 200" if needed.low <= TRAINING_PAIRS[0] else round_pairs(needed.low)
    high = f"more than {most}" if needed.high == float("inf") else round_pairs(needed.high)
    interval = f"95 % {low} to {high}, n = {needed.rounds}"
    if needed.pairs == float("inf"):
        return f"{PALETTE[PLAIN].label} does not reach {aim} within {most} pairs, though not clearly so ({interval})."
    return f"{PALETTE[PLAIN].label} needs {name_pairs(needed)} pairs for {aim} ({interval})."


def name_pairs(needed: Needed) -> str:
    """How many pairs are needed, if within those that were tried: 'about 11,000' or '200 or fewer'."""
    return "200 or fewer" if needed.pairs <= TRAINING_PAIRS[0] else f"about {round_pairs(needed.pairs)}"


def round_pairs(pairs: float) -> str:
    """To two digits: finer than the rounds allow would be a lie."""
    return f"{int(float(f'{pairs:.1e}')):,}"


def compare_at_sizes(table: pd.DataFrame, first: ModelName, second: ModelName, dropout: float = 0.0) -> pd.DataFrame:
    """What `second` adds to `first` on all pairs at each number of training pairs: `training_pairs`, the fields of
    PairedDifference, `p_holm` and `clear` over the sizes."""
    cells = [[RunSettings(model=m, dropout=dropout, training_pairs=n) for m in (first, second)] for n in TRAINING_PAIRS]
    rows = [(one.training_pairs, *_compare(table, one, other, "all")) for one, other in cells]
    return add_holm(pd.DataFrame(rows, columns=["training_pairs", *PairedDifference._fields]))


def describe_at_sizes(rows: pd.DataFrame, change: str) -> str:
    """What a change adds at the fewest, the report's and the most training pairs that have rounds."""
    known = rows[rows["rounds"] >= 2]
    ends = {*known["training_pairs"].iloc[[0, -1]], 1_000} if len(known) else set()
    parts = [
        describe_change(
            PairedDifference(*row[2:7]), row.p_holm, f" with {row.training_pairs:,} pairs, n = {row.rounds}"
        )
        for row in tuples(known[known["training_pairs"].isin(ends)])
    ]
    return f"{change} {'; it '.join(parts)}." if parts else ""


def describe_data(table: pd.DataFrame, dropout: float = 0.0) -> list[str]:
    """The sentences of the data study at one dropout."""
    if table.empty:
        return []
    grows = compare_at_sizes(table, SHARED_VECTORS, AUXILIARY, dropout)
    change = f"{PALETTE[AUXILIARY].label} instead of {PALETTE[SHARED_VECTORS].label}"
    own = table[table["dropout"] == dropout]
    sentences = [
        *map(describe_needed, pairs_needed(table, dropout)),
        describe_at_sizes(grows, change),
        describe_cut_short(own),
        count_rounds(own),
    ]
    return [sentence for sentence in sentences if sentence]


def describe_cut_short(table: pd.DataFrame) -> str:
    """Which cells of one dropout most rounds of which were ended by the last epoch; empty if none."""
    capped: Any = (table["stop_reason"] == "max_epochs").groupby([table["model"], table["training_pairs"]]).mean()
    names = []
    for model in REPORT_MODELS:
        sizes = [f"{pairs:,}" for (name, pairs), share in capped.items() if name == model and share > 0.5]
        names += [f"{PALETTE[model].label} with {join(sizes)} pairs"] if sizes else []
    return f"{CUT_SHORT}: {'; '.join(names)}." if names else ""


def count_rounds(table: pd.DataFrame) -> str:
    """How many rounds of one dropout are stored: all planned ones, or where fewer, of the least trained network."""
    planned = STUDIES["data"].rounds
    stored = table.groupby(["training_pairs", "model"]).size()
    every = pd.MultiIndex.from_product([TRAINING_PAIRS, REPORT_MODELS])
    counts = stored.reindex(every, fill_value=0).groupby(level=0).min()
    short = []
    for count in range(planned):
        if sizes := [f"{size:,}" for size in counts.index[counts == count]]:
            short.append(f"{plural(count, 'round')} with {join(sizes)} pairs")
    return f"Fewer than {planned} rounds so far: {'; '.join(short)}." if short else f"{planned} rounds of each."


# Sharing or size?


def compare_twins(table: pd.DataFrame) -> pd.DataFrame:
    """Shared minus own weights with equal parameters, large and small, for scores and vectors: `change` (a sentence's
    subject), `model` (for its look), `kind`, the fields of PairedDifference, `p_holm` and `clear` over all of them."""
    rows = []
    for own, shared in TWINS.items():
        gives = "scores" if shared == "WeightSharingBranchesModel" else "vectors"
        pairs = {
            "106,000": (RunSettings(model=own), RunSettings(model=shared, hidden_units=SHARED_AS_LARGE)),
            "53,000": (RunSettings(model=own, hidden_units=OWN_AS_SMALL), RunSettings(model=shared)),
        }
        for size, pair in pairs.items():
            change = f"Sharing weights for {gives}, at {size} parameters either way,"
            rows += [(change, shared, kind, *_compare(table, *pair, kind)) for kind in KINDS]
    return add_holm(pd.DataFrame(rows, columns=["change", "model", "kind", *PairedDifference._fields]))


# How much should the auxiliary losses count?


def compare_weights(table: pd.DataFrame) -> pd.DataFrame:
    """Each auxiliary weight minus none, on all pairs: `dropout`, `weight`, `mean` and its `low` and `high`, the fields
    of PairedDifference (`difference_low`, `difference_high`), `p_holm` and `clear` over all."""
    cells = [cell for cell in STUDIES["auxiliary-weight"].cells if len(_by_seed(table, cell, "all"))]
    rows = []
    for cell in cells:
        values = _by_seed(table, cell, "all")
        half = float(half_width(values.std(), len(values)))
        change = _compare(table, cell.model_copy(update={"auxiliary_weight": 0.0}), cell, "all")
        change = change if cell.auxiliary_weight else PairedDifference(len(values), *4 * [float("nan")])
        mean = float(values.mean())
        rows.append((cell.dropout, cell.auxiliary_weight, mean, mean - half, mean + half, *change))
    named = ["rounds", "difference", "difference_low", "difference_high", "p"]
    return add_holm(pd.DataFrame(rows, columns=["dropout", "weight", "mean", "low", "high", *named]))


def describe_weights(rows: pd.DataFrame) -> list[str]:
    """At each dropout: what the report's weight adds, and whether another one adds clearly more or less than none."""
    sentences = []
    dropouts: list[float] = sorted(set(rows["dropout"]))
    for dropout in dropouts:
        own = tuples(rows[(rows["dropout"] == dropout) & (rows["rounds"] >= 2)])
        parts = [f"weight {row.weight:g} {_describe_gain(row)}" for row in own if row.weight > 0]
        if parts:
            best = max(own, key=lambda row: row.mean)
            sentences.append(
                f"{with_dropout(dropout).capitalize()}, against a weight of 0: {'; '.join(parts)}. "
                f"The highest mean, not tested against its neighbours, is that of {best.weight:g}: "
                f"{percent(best.mean)} ({percent_between(best.low, best.high)}), n = {best.rounds}."
            )
    return sentences


def _describe_gain(row: Any) -> str:
    change = PairedDifference(row.rounds, row.difference, row.difference_low, row.difference_high, row.p)
    return describe_change(change, row.p_holm)
