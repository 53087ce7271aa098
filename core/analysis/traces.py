"""What the networks said during training, from the stored predictions of every fifth epoch.

Stored are probabilities; a decision is probability >= 0.5. That is the networks' own decision, but for
DirectClassificationModel, which compares its two likeliest digits: the two seldom differ.
"""

from typing import Any

import numpy as np
import pandas as pd

from core.analysis.comparison import Cell, select_cells
from core.analysis.numbers import percent, plural, points
from core.analysis.report import REPORT_ROUNDS, REPORT_TABLE
from core.analysis.sentences import describe_p, join, size_between, tuples
from core.analysis.statistics import LEVEL, add_holm, compare_unpaired, summarise_rounds
from core.analysis.tables import Arrays, TableWithProblems, read_each
from core.runs.palette import PALETTE
from core.runs.records import TRACE_EVERY
from core.runs.settings import REPORT_MODELS, ModelName, RunSettings
from core.runs.store import RunStore

EARLY_MODELS: tuple[ModelName, ...] = ("TwoChannelsModel", "TwoBranchesModel")  # those that the report prints lower
CURVE_COLUMNS = ["model", "seed", "epoch", "accuracy", "running"]
TRACE_COLUMNS = ["run_id", "model", "seed", "epoch", "probability"]


# An earlier stop as an explanation


def early_stop_hypothesis(store: RunStore, runs: pd.DataFrame, dropout: float = 0.0) -> TableWithProblems:
    """Test accuracy during training of all seven, beside the report's Table 1: had all stopped earlier, would the
    report's figures come out?

    One row per model and every fifth epoch: `model`, `epoch`, `rounds`, `mean`, `std`, `low`, `high`, `running` (rounds
    still training), `report_mean` (Table 1, its column without or with dropout) and `difference` (ours − the report's)
    with `difference_low`, `difference_high` and `p` (Welch). A round that has stopped keeps its final test accuracy.
    """
    chosen = select_cells(runs, [Cell(model, dropout) for model in REPORT_MODELS])
    last = max((int(epochs) for epochs in chosen["epochs"]), default=0)
    curves, problems = read_each(store, chosen, lambda run, arrays: hold_trace(run, arrays, last))
    epochs = pd.concat(curves) if curves else pd.DataFrame(columns=CURVE_COLUMNS)
    table = summarise_rounds(epochs, ["model", "epoch"], "accuracy", also=())
    running: Any = epochs.groupby(["model", "epoch"])["running"].sum()
    printed = [REPORT_TABLE[model][1 if dropout else 0] for model in table["model"]]
    beside = np.array([[cell.mean, cell.std, REPORT_ROUNDS] for cell in printed]).reshape(-1, 3)
    tested = compare_unpaired(table[["mean", "std", "rounds"]].to_numpy(float), beside)
    table = table.assign(
        running=running.to_numpy(),
        report_mean=beside[:, 0],
        difference=tested.difference,
        difference_low=tested.low,
        difference_high=tested.high,
        p=tested.p,
    )
    return TableWithProblems(table, problems)


def hold_trace(run: Any, arrays: Arrays, last: int) -> pd.DataFrame:
    """One round at every fifth epoch until `last` is past, held at its final test accuracy once it has stopped."""
    epochs = np.arange(TRACE_EVERY, last + TRACE_EVERY, TRACE_EVERY)
    curve = traced_accuracy(arrays).reindex(epochs, fill_value=float(run.test_accuracy))
    return pd.DataFrame(
        {"model": run.model, "seed": run.seed, "epoch": epochs, "accuracy": curve, "running": epochs <= run.epochs}
    )


def traced_accuracy(arrays: Arrays) -> "pd.Series[float]":
    """Test accuracy by stored epoch."""
    target = arrays["classes"][:, 0] <= arrays["classes"][:, 1]
    return pd.Series(((arrays["trace"] >= 0.5) == target).mean(axis=1), index=arrays["trace_epochs"])


def passing_epochs(table: pd.DataFrame) -> dict[ModelName, int | None]:
    """The first stored epoch at which the mean test accuracy of each of EARLY_MODELS reaches the report's; None if
    it never does."""
    passing: dict[ModelName, int | None] = {}
    for model in EARLY_MODELS:
        curve = table[table["model"] == model]
        if len(curve):
            epochs = curve.loc[curve["mean"] >= curve["report_mean"], "epoch"]
            passing[model] = int(epochs.iloc[0]) if len(epochs) else None
    return passing


def common_stop(table: pd.DataFrame) -> pd.DataFrame:
    """All architectures at the stored epoch at which EARLY_MODELS come nearest to their printed figures together: rows
    of early_stop_hypothesis with `p_holm` and `clear` over them. Empty unless one of those two ends above its print."""
    early = table[table["model"].isin(EARLY_MODELS)]
    if not any(passing_epochs(table).values()):
        return add_holm(table.iloc[:0])
    distance: Any = (early["difference"] ** 2).groupby(early["epoch"]).sum()
    return add_holm(table[table["epoch"] == distance.idxmin()])


def least_off(table: pd.DataFrame) -> dict[int, float]:
    """By stored epoch: the smallest p with which an architecture is off its printed figure, corrected over those of the
    epoch. Where it is below 0.05, one of them is clearly off."""
    by_epoch: Any = table[table["p"].notna()].groupby("epoch")
    return {int(epoch): float(add_holm(own)["p_holm"].min()) for epoch, own in by_epoch}


def describe_hypothesis(table: pd.DataFrame) -> list[str]:
    """A sentence for each of EARLY_MODELS on early_stop_hypothesis, what a common earlier stop would do to all, and
    what is missing."""
    sentences = []
    for model, epoch in passing_epochs(table).items():
        curve = tuples(table[table["model"] == model])
        reached = f"passes it at about epoch {epoch}" if epoch else "stays below it"
        sentences.append(
            f"{PALETTE[model].label}: the report prints {percent(curve[0].report_mean)}; our mean of "
            f"{plural(curve[0].rounds, 'round')} {reached} and ends at {percent(curve[-1].mean)}."
        )
    sentences += _describe_common_stop(common_stop(table), least_off(table))
    missing = [PALETTE[model].label for model in EARLY_MODELS if model not in set(table["model"])]
    return [*sentences, f"No finished rounds with predictions yet: {join(missing)}."] if missing else sentences


def _describe_common_stop(stopped: pd.DataFrame, by_epoch: dict[int, float]) -> list[str]:
    tested = stopped[stopped["p"].notna()]
    if tested.empty:
        return []
    epoch, count = tested["epoch"].iloc[0], len(tested)
    start = f"The two together come nearest to the print at epoch {epoch}."
    evidence = f"Welch's test, Holm's correction over the {count}"
    parts = [
        f"{PALETTE[row.model].label} {points(abs(row.difference))} points {'below' if row.difference < 0 else 'above'} "
        f"({size_between(row.difference_low, row.difference_high)})"
        for row in tuples(tested[tested["clear"]])
    ]
    if parts:
        fitting = [epoch for epoch, p in by_epoch.items() if p >= LEVEL]
        nearest = max(by_epoch, key=lambda epoch: by_epoch[epoch])
        verdict = (
            f"at epoch {fitting[0]} none would: a common stop there stays a hypothesis."
            if fitting
            else f"at every other stored epoch, too, some would, at epoch {nearest} by the least (Holm's p "
            f"{describe_p(by_epoch[nearest])}): in this column the same runs speak against a common earlier stop. One "
            "of these two alone stays a hypothesis."
        )
        return [
            f"{start} Had all stopped there, clearly off their printed figures would be {join(parts)} ({evidence}); "
            f"{verdict}"
        ]
    return [
        f"{start} Had all stopped there, none of the {count} would clearly differ from its printed figure "
        f"({evidence}): an earlier stop remains a possible explanation, a hypothesis and not a finding."
    ]


# One test pair


def trace_pair(store: RunStore, runs: pd.DataFrame, pair: tuple[int, int], settings: RunSettings) -> TableWithProblems:
    """The probability that first <= second which the runs with these settings, of any architecture and round, gave to a
    pair of test images during training: `run_id`, `model`, `seed`, `epoch`, `probability`.

    The last epoch's is that of the finished network. A run counts if the pair is among its own test pairs; the
    rounds draw them anew, so a pair is seldom in two.
    """
    same = runs["state"] == "finished"
    for name, value in settings.model_dump(exclude={"model", "seed"}).items():
        same &= runs[name] == value
    parts, problems = read_each(store, runs[same], lambda run, arrays: _trace_pair_of(run, arrays, pair))
    filled = [part for part in parts if part is not None]
    return TableWithProblems(pd.concat(filled) if filled else pd.DataFrame(columns=TRACE_COLUMNS), problems)


def _trace_pair_of(run: Any, arrays: Arrays, pair: tuple[int, int]) -> pd.DataFrame | None:
    rows = np.flatnonzero((arrays["indices"] == pair).all(axis=1))
    if not len(rows):
        return None
    trace = dict(zip(arrays["trace_epochs"].tolist(), arrays["trace"][:, rows[0]].tolist(), strict=True))
    trace[int(run.epochs)] = float(arrays["probability"][rows[0]])
    traced = pd.DataFrame(trace.items(), columns=["epoch", "probability"])
    return traced.assign(run_id=run.run_id, model=run.model, seed=run.seed)[TRACE_COLUMNS]
