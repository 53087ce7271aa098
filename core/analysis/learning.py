"""How training goes on: which architecture learns fast, and whether its best epoch tests better than its last.

Accuracies are shares of 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.analysis.comparison import LADDER, Cell, select_cells
from core.analysis.sentences import describe_change, join, tuples
from core.analysis.statistics import PairedDifference, add_holm, compare_paired
from core.analysis.tables import TableWithProblems, load_histories, read_each
from core.analysis.traces import hold_trace
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS, ModelName
from core.runs.store import RunStore

EARLY = 20  # epochs: a fifth of the most, and stored
_LADDER = [(idea.first, idea.second) for idea in LADDER if idea.first != idea.second and idea.second_weight == 1]
IDEAS = (*_LADDER[:-1], (REPORT_MODELS[4], REPORT_MODELS[5]), _LADDER[-1])  # losses and layers together: no trace apart


# Who learns fast?


def read_learning(store: RunStore, runs: pd.DataFrame, dropout: float = 0.0) -> TableWithProblems:
    """Test accuracy of the reproduction's rounds at every fifth epoch: `model`, `seed`, `epoch`, `accuracy` (held at
    its last value once a round has ended) and `seconds`, the processor time so far, as stored."""
    chosen = select_cells(runs, [Cell(model, dropout) for model in REPORT_MODELS])
    last = max((int(epochs) for epochs in chosen["epochs"]), default=0)
    curves, problems = read_each(store, chosen, lambda run, arrays: hold_trace(run, arrays, last))
    histories = load_histories(store, chosen["run_id"]).sort_values("epoch").astype({"seconds": float})
    spent = histories.assign(seconds=histories.groupby(["model", "seed"])["seconds"].cumsum())
    table = pd.concat(curves) if curves else pd.DataFrame(columns=["model", "seed", "epoch", "accuracy", "running"])
    table = table.merge(spent[["model", "seed", "epoch", "seconds"]], on=["model", "seed", "epoch"], how="left")
    ended = spent.groupby(["model", "seed"])["seconds"].max()
    after = pd.Series([ended.get(key) for key in zip(table["model"], table["seed"], strict=True)], dtype=float)
    return TableWithProblems(table.assign(seconds=table["seconds"].fillna(after)), problems)


def compare_speed(
    curves: pd.DataFrame, steps: Sequence[tuple[ModelName, ModelName]] = IDEAS, epoch: int = EARLY
) -> pd.DataFrame:
    """What the second of each pair of architectures adds to the first at `epoch` of both, at the seconds in which the
    slower of a round's two has trained so long, and at the end; test accuracy, paired by round.

    `curves` are those of read_learning. Columns: `first`, `second`, `when`, the fields of PairedDifference, `p_holm`
    and `clear` over all.
    """
    rows = []
    for first, second in steps:
        one, other = (curves[curves["model"] == model] for model in (first, second))
        at_epoch = [own[own["epoch"] == epoch].set_index("seed") for own in (one, other)]
        both = at_epoch[0].index.intersection(at_epoch[1].index)
        seconds = np.maximum(*(own.loc[both, "seconds"] for own in at_epoch))
        last = [own.sort_values("epoch").groupby("seed")["accuracy"].last() for own in (one, other)]
        differences = {
            f"epoch {epoch}": at_epoch[1]["accuracy"] - at_epoch[0]["accuracy"],
            "equal seconds": _at_seconds(other, seconds) - _at_seconds(one, seconds),
            "the end": last[1] - last[0],
        }
        rows += [(first, second, when, *compare_paired(values.dropna())) for when, values in differences.items()]
    return add_holm(pd.DataFrame(rows, columns=["first", "second", "when", *PairedDifference._fields]))


def _at_seconds(curves: pd.DataFrame, seconds: "pd.Series[float]") -> "pd.Series[float]":
    """Each round's accuracy when it had trained for its `seconds`, by seed: the stored epochs joined by straight lines,
    and held after the last one."""
    found = {
        seed: np.interp(seconds[seed], own["seconds"], own["accuracy"])
        for seed, own in curves.sort_values("epoch").groupby("seed")
        if seed in seconds.index
    }
    return pd.Series(found, dtype=float)


def describe_speed(rows: pd.DataFrame) -> list[str]:
    """A sentence per pair of architectures."""
    places = {"equal seconds": "in equal time", "the end": "at the end"}
    sentences = []
    for (first, second), own in rows.groupby(["first", "second"], sort=False):
        parts = [
            describe_change(PairedDifference(*row[4:9]), row.p_holm, f" {places.get(row.when, f'at {row.when}')}")
            for row in tuples(own)
        ]
        names = f"{PALETTE[str(second)].label} instead of {PALETTE[str(first)].label}"
        sentences.append(f"{names} {'; it '.join(parts)}, n = {int(own['rounds'].max())}.")
    return sentences


# Last epoch or best?


def compare_epochs(table: pd.DataFrame, dropout: float = 0.0) -> pd.DataFrame:
    """What testing the best validation epoch instead of the last one does at one dropout, for each number of training
    pairs whose runs keep both figures: a round's difference is its mean over the seven architectures, of rounds that
    have all of them. `training_pairs`, the fields of PairedDifference, `p_holm` and `clear` over the numbers."""
    known = table[table["best_epoch_test_accuracy"].notna() & (table["dropout"] == dropout)]
    gain = (known["best_epoch_test_accuracy"] - known["test_accuracy"]).astype(float)
    by_round: Any = known.assign(gain=gain).groupby(["training_pairs", "seed"])["gain"].agg(["mean", "count"])
    whole = by_round.loc[by_round["count"] == len(REPORT_MODELS), "mean"]
    rows = [(size, *compare_paired(own)) for size, own in whole.groupby(level="training_pairs")]
    return add_holm(pd.DataFrame(rows, columns=["training_pairs", *PairedDifference._fields]))


def describe_epochs(rows: pd.DataFrame) -> list[str]:
    """With how many training pairs the best validation epoch tests clearly otherwise than the last one."""
    known = rows[rows["rounds"] >= 2]
    if known.empty:
        return []
    subject = "Averaged over the seven architectures, testing the weights of the best validation epoch instead of the"
    clear = [
        describe_change(PairedDifference(*row[2:7]), row.p_holm, f" with {row.training_pairs:,} training pairs")
        for row in tuples(known[known["clear"]])
    ]
    others = [f"{size:,}" for size in known.loc[~known["clear"], "training_pairs"]]
    told = "; it ".join(clear + ([f"makes no clear difference with {join(others)}"] if others else []))
    low, high = known["rounds"].min(), known["rounds"].max()
    count = f"{low}" if low == high else f"{low} to {high}"
    return [f"{subject} last one's {told} (Holm's correction over the {len(known)} numbers of pairs, n = {count})."]
