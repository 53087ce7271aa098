"""What the stored runs show beyond Table 1: data frames from summaries and predictions, each with its sentences.

Accuracies are shares of 1 in every frame. All functions are pure; those that take the store read each run's
predictions once.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from core.palette import PALETTE
from core.results import REPORT_TABLE, Arrays, Found, count_parameters, read_each, with_report_settings
from core.runs import RunStore
from core.settings import MODEL_NAMES, SHIPPED_DROPOUTS, ModelName, RunSettings
from core.statistics import (
    CELL_FIELDS,
    LEVEL,
    Cell,
    compare_paired,
    describe_gaps,
    percent,
    plural,
    points,
    signed,
    summarise_rounds,
)

QUESTIONS = {  # a finding's name -> what it answers
    "artefact": "Why did dropout not help in the report?",
    "distance": "Which pairs are hard?",
    "parameters": "Do more parameters help?",
    "epochs": "How long does training last?",
    "squared": "Why does reading digits compare so well?",
    "hypothesis": "Did the first two stop earlier?",
}
DIGIT_MODELS: tuple[ModelName, ...] = ("WeightSharingAuxiliaryModel", "DirectClassificationModel")
EARLY_MODELS: tuple[ModelName, ...] = ("TwoChannelsModel", "TwoBranchesModel")  # those that the report prints lower
ARTEFACT_CASES = ((0.0, False), (0.25, False), (0.5, False), (0.25, True), (0.5, True))
SQUARED_COLUMNS = ["dropout", "seed", "digit_accuracy", "squared", "both_right", "lucky", "expected", "test_accuracy"]
CURVE_COLUMNS = ["model", "seed", "epoch", "accuracy", "running"]
TRACE_COLUMNS = ["run_id", "model", "seed", "epoch", "probability"]


def select_cells(runs: pd.DataFrame, cells: list[Cell]) -> pd.DataFrame:
    """The finished runs of these cells with the report's other settings."""
    finished = with_report_settings(runs)
    columns: Any = finished[CELL_FIELDS]
    wanted = set(cells)
    keep = [Cell(m, float(p), bool(on)) in wanted for m, p, on in columns.itertuples(index=False)]
    return finished[np.array(keep, dtype=bool)]


# Dropout left on at evaluation


def dropout_artefact(runs: pd.DataFrame) -> pd.DataFrame:
    """How the two networks that see digit classes do without dropout, with it, and with it left on at evaluation.

    A row a case: CELL_FIELDS, `case` (its name), `rounds`, `mean`, `std`, `low`, `high`; `gain`, `gain_low` and
    `gain_high`, what the case adds over no dropout, paired by round; and `report_mean`, `report_std` of the report's
    column with dropout (Table 1).
    """
    cells = [Cell(model, *case) for model in DIGIT_MODELS for case in ARTEFACT_CASES]
    rounds = summarise_rounds(select_cells(runs, cells), CELL_FIELDS, also=()).astype({"dropout": float})
    table = pd.DataFrame(cells).merge(rounds, "left", on=CELL_FIELDS)
    gains = [compare_paired(runs, Cell(cell.model), cell) for cell in cells]
    printed = [REPORT_TABLE[cell.model][1] for cell in cells]
    return table.assign(
        rounds=table["rounds"].fillna(0).astype(int),
        case=[name_case(cell) for cell in cells],
        gain=[gain.difference for gain in gains],
        gain_low=[gain.low for gain in gains],
        gain_high=[gain.high for gain in gains],
        report_mean=[cell.mean for cell in printed],
        report_std=[cell.std for cell in printed],
    )


def name_case(cell: Cell) -> str:
    """A case of dropout_artefact for people."""
    if not cell.dropout:
        return "No dropout"
    return f"Dropout {cell.dropout:g}" + (", left on" if cell.dropout_at_evaluation else "")


def describe_artefact(table: pd.DataFrame) -> list[str]:
    """A sentence a network with the numbers of dropout_artefact, and one that names cells with few rounds."""
    sentences = [_describe_artefact_of(table[table["model"] == model], model) for model in DIGIT_MODELS]
    return [sentence for sentence in [*sentences, describe_gaps(table)] if sentence]


def _describe_artefact_of(table: pd.DataFrame, model: ModelName) -> str:
    cases: Any = {(row.dropout, row.dropout_at_evaluation): row for row in table.itertuples()}
    off, on, without = cases[0.25, False], cases[0.25, True], cases[0.0, False]
    if min(off.rounds, on.rounds, without.rounds) < 2:
        return ""
    change = "changes nothing that these rounds could show"
    if off.gain_low > 0 or off.gain_high < 0:
        change = f"{'adds' if off.gain > 0 else 'costs'} {points(abs(off.gain))} points"
    return (
        f"{PALETTE[model].label}: dropout 0.25 {change} when it is off at evaluation ({percent(without.mean)} without, "
        f"{percent(off.mean)} with); left on at evaluation it gives {percent(on.mean)}, "
        f"where the report prints {percent(on.report_mean)}."
    )


# Two digits right, or one comparison


def digit_accuracy_squared(store: RunStore, runs: pd.DataFrame) -> Found:
    """Why DirectClassificationModel compares better than it reads two digits; a row a round, dropout off at evaluation.

    `digit_accuracy` q and `squared` q², what two independent readings would both be right in; `both_right`, the
    share of pairs in which they are; `lucky`, the share compared rightly though a digit is misread, so that
    `test_accuracy` = both_right + lucky exactly; `expected`, the accuracy that follows from the round's own confusion
    matrix if misreadings are independent.
    """
    cells = [Cell(DIGIT_MODELS[1], dropout) for dropout in SHIPPED_DROPOUTS]
    rows, problems = read_each(store, select_cells(runs, cells), _square_one)
    table = pd.DataFrame(rows, columns=SQUARED_COLUMNS).sort_values(["dropout", "seed"], ignore_index=True)
    return Found(table, problems)


def _square_one(run: Any, arrays: Arrays) -> list[float]:
    classes, digits, decision = arrays["classes"].astype(int), arrays["digits"].astype(int), arrays["decision"]
    right = decision == (classes[:, 0] <= classes[:, 1])
    both = (digits == classes).all(axis=1)
    share = float((digits == classes).mean())
    return [
        float(run.dropout),
        int(run.seed),
        share,
        share**2,
        float(both.mean()),
        float((right & ~both).mean()),
        expect_accuracy(classes, digits),
        float(right.mean()),
    ]


def expect_accuracy(classes: NDArray[Any], digits: NDArray[Any]) -> float:
    """The expected share of right comparisons if each digit of a class is misread independently of its partner.

    `classes` and the `digits` read are (N, 2). With C[a, c] the share of class a read as c, a pair (a, b) is compared
    rightly with probability Σ C[a, c] · C[b, d] over the readings c, d whose order is that of a, b.
    """
    counts = np.zeros((10, 10))
    np.add.at(counts, (classes.ravel(), digits.ravel()), 1)
    confusion = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (10, 10), rows are true classes
    at_most = np.tri(10).T  # [c, d] = 1 where c <= d
    says_at_most = confusion @ at_most @ confusion.T  # [a, b]: probability that the reading says first <= second
    right = np.where(at_most == 1, says_at_most, 1 - says_at_most)
    return float(right[classes[:, 0], classes[:, 1]].mean())


def describe_squared(table: pd.DataFrame) -> list[str]:
    """Two sentences on digit_accuracy_squared, means over its rounds."""
    if table.empty:
        return [f"{PALETTE[DIGIT_MODELS[1]].label} has no finished round with predictions yet."]
    mean = table.mean()
    return [
        f"Over {plural(len(table), 'round')}{_whose(table)}, {percent(mean['digit_accuracy'])} of the digits are read "
        f"rightly; that squared is {percent(mean['squared'])}, yet {percent(mean['test_accuracy'])} of the comparisons "
        "are right.",
        f"The difference is pairs whose order survives a misread digit, {percent(mean['lucky'])} of all; independent "
        f"misreadings with the same confusions would give {percent(mean['expected'])}.",
    ]


# Size and time


def parameters_and_accuracy(runs: pd.DataFrame) -> pd.DataFrame:
    """A row an architecture and dropout of Table 1: CELL_FIELDS, `parameters`, `rounds`, `mean`, `std`, `low`, `high`.

    Cells without rounds are left out.
    """
    table = summarise_rounds(select_cells(runs, _table_cells()), CELL_FIELDS)
    parameters = [count_parameters(RunSettings(model=model)) for model in table["model"]]
    return _sort_by_model(table.assign(parameters=parameters))


def describe_parameters(table: pd.DataFrame, dropout: float = 0.0) -> list[str]:
    """Whether size goes with accuracy, from parameters_and_accuracy at one dropout."""
    shown: Any = table[table["dropout"] == dropout].set_index("model")
    if len(shown) < 3:
        return ["Fewer than three architectures have finished rounds with these settings, too few to compare sizes."]
    best, largest = shown["mean"].idxmax(), shown["parameters"].idxmax()
    tau, p = stats.kendalltau(shown["parameters"], shown["mean"])
    verdict = "Size alone does not decide"
    if p < LEVEL:
        verdict = f"Larger networks are {'more' if tau > 0 else 'less'} accurate"
    size = f"The most accurate architecture, {PALETTE[best].label} ({percent(shown['mean'][best])}), is the largest."
    if best != largest:
        size = (
            f"The most accurate architecture, {PALETTE[best].label} ({percent(shown['mean'][best])}), has "
            f"{shown['parameters'][best]:,} parameters; the largest, {PALETTE[largest].label}, has "
            f"{shown['parameters'][largest]:,} and reaches {percent(shown['mean'][largest])}."
        )
    relation = f"Kendall's τ between parameters and accuracy is {signed(tau)} over {len(shown)} architectures"
    return [size, f"{verdict}: {relation}."]


def epochs_to_stop(runs: pd.DataFrame) -> pd.DataFrame:
    """A row a finished run of Table 1's cells: CELL_FIELDS, `seed`, `epochs`, `stop_reason`, `seconds`."""
    columns = [*CELL_FIELDS, "seed", "epochs", "stop_reason", "seconds"]
    return _sort_by_model(select_cells(runs, _table_cells())[columns])


def describe_epochs(table: pd.DataFrame) -> list[str]:
    """Which architecture stops first and last, and how many rounds early stopping never ended."""
    if table.empty:
        return ["No round with these settings has finished yet."]
    mean: Any = table.groupby("model")["epochs"].mean()
    first, last = mean.idxmin(), mean.idxmax()
    sentences = []
    if first != last:
        sentences.append(
            f"{PALETTE[first].label} stops first, after {mean[first]:.0f} epochs on average{_whose(table)}, "
            f"{PALETTE[last].label} last, after {mean[last]:.0f}."
        )
    capped = int((table["stop_reason"] == "max_epochs").sum())
    return [*sentences, f"{capped} of {plural(len(table), 'round')} reached the last epoch without stopping early."]


def _whose(table: pd.DataFrame) -> str:
    """What a figure over all rows of a table mixes, if anything."""
    return " with and without dropout" if table["dropout"].nunique() > 1 else ""


def _table_cells() -> list[Cell]:
    return [Cell(model, dropout) for dropout in SHIPPED_DROPOUTS for model in MODEL_NAMES]


def _sort_by_model(table: pd.DataFrame) -> pd.DataFrame:
    order = table["model"].map({model: place for place, model in enumerate(MODEL_NAMES)})
    return (
        table.assign(order=order)
        .sort_values(["dropout", "order"], kind="stable")
        .drop(columns="order")
        .reset_index(drop=True)
    )


# An earlier stop as an explanation


def early_stop_hypothesis(store: RunStore, runs: pd.DataFrame, dropout: float = 0.0) -> Found:
    """Test accuracy during training of the two networks that the report prints lower than we measure.

    A row a model and every fifth epoch: `model`, `epoch`, `rounds`, `mean`, `std`, `low`, `high`, `running` (rounds
    still training), `report_mean` (Table 1, its column without or with dropout). A round that has stopped keeps its
    final test accuracy. The decision is probability >= 0.5, as the networks' own.
    """
    chosen = select_cells(runs, [Cell(model, dropout) for model in EARLY_MODELS])
    last = max((int(epochs) for epochs in chosen["epochs"]), default=0)
    curves, problems = read_each(store, chosen, lambda run, arrays: _trace_one(run, arrays, last))
    epochs = pd.concat(curves) if curves else pd.DataFrame(columns=CURVE_COLUMNS)
    table = summarise_rounds(epochs, ["model", "epoch"], "accuracy", also=())
    running: Any = epochs.groupby(["model", "epoch"])["running"].sum()
    printed = [REPORT_TABLE[model][1 if dropout else 0].mean for model in table["model"]]
    return Found(table.assign(running=running.to_numpy(), report_mean=printed), problems)


def _trace_one(run: Any, arrays: Arrays, last: int) -> pd.DataFrame:
    """One round at every fifth epoch until `last` is past, held at its final test accuracy where it stopped before."""
    target = arrays["classes"][:, 0] <= arrays["classes"][:, 1]
    accuracy = ((arrays["trace"] >= 0.5) == target).mean(axis=1)  # (T,)
    epochs = np.arange(5, last + 5, 5)
    curve = pd.Series(accuracy, index=arrays["trace_epochs"]).reindex(epochs, fill_value=float(run.test_accuracy))
    return pd.DataFrame(
        {"model": run.model, "seed": run.seed, "epoch": epochs, "accuracy": curve, "running": epochs <= run.epochs}
    )


def passing_epochs(table: pd.DataFrame) -> dict[ModelName, int | None]:
    """The first traced epoch at which a model's mean test accuracy reaches the report's; None where it never does."""
    passing: dict[ModelName, int | None] = {}
    for model in EARLY_MODELS:
        curve = table[table["model"] == model]
        if len(curve):
            epochs = curve.loc[curve["mean"] >= curve["report_mean"], "epoch"]
            passing[model] = int(epochs.iloc[0]) if len(epochs) else None
    return passing


def describe_hypothesis(table: pd.DataFrame) -> list[str]:
    """A sentence a network on early_stop_hypothesis, what kind of claim it is, and what is missing."""
    sentences = []
    for model, epoch in passing_epochs(table).items():
        curve: Any = table[table["model"] == model]
        reached = f"passes it at about epoch {epoch}" if epoch else "stays below it"
        sentences.append(
            f"{PALETTE[model].label}: the report prints {percent(curve['report_mean'].iloc[0])}; our mean of "
            f"{plural(curve['rounds'].iloc[0], 'round')} {reached} and ends at {percent(curve['mean'].iloc[-1])}."
        )
    if any(passing_epochs(table).values()):
        sentences.append("An earlier stop would explain the report's figures; this is a hypothesis, not a finding.")
    missing = [PALETTE[model].label for model in EARLY_MODELS if model not in set(table["model"])]
    return [*sentences, f"No finished rounds with predictions yet: {', '.join(missing)}."] if missing else sentences


# One test pair


def trace_pair(store: RunStore, runs: pd.DataFrame, pair: tuple[int, int], settings: RunSettings) -> Found:
    """The probability that first <= second which the runs with these settings, of any architecture and round, gave to a
    pair of test images during training: `run_id`, `model`, `seed`, `epoch`, `probability`.

    The last epoch's is that of the finished network. A run counts where the pair is among its own test pairs; the
    rounds draw them anew, so a pair is seldom in two.
    """
    same = runs["state"] == "finished"
    for name, value in settings.model_dump(exclude={"model", "seed"}).items():
        same &= runs[name] == value
    parts, problems = read_each(store, runs[same], lambda run, arrays: _trace_pair_of(run, arrays, pair))
    filled = [part for part in parts if part is not None]
    return Found(pd.concat(filled) if filled else pd.DataFrame(columns=TRACE_COLUMNS), problems)


def _trace_pair_of(run: Any, arrays: Arrays, pair: tuple[int, int]) -> pd.DataFrame | None:
    rows = np.flatnonzero((arrays["indices"] == pair).all(axis=1))
    if not len(rows):
        return None
    trace = dict(zip(arrays["trace_epochs"].tolist(), arrays["trace"][:, rows[0]].tolist(), strict=True))
    trace[int(run.epochs)] = float(arrays["probability"][rows[0]])
    traced = pd.DataFrame(trace.items(), columns=["epoch", "probability"])
    return traced.assign(run_id=run.run_id, model=run.model, seed=run.seed)[TRACE_COLUMNS]
