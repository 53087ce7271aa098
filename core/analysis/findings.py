"""What the stored runs show beyond Table 1: data frames from summaries and predictions, each with its sentences.

Accuracies are shares of 1 in every frame. All functions are pure; those that take the store read each run's
predictions once.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from core.analysis.comparison import Cell, select_cells
from core.analysis.numbers import percent, plural, signed
from core.analysis.sentences import describe_p, name_cell, percent_between, with_dropout
from core.analysis.statistics import LEVEL, half_width, summarise_rounds
from core.analysis.tables import CELL_FIELDS, Arrays, TableWithProblems, read_each
from core.networks.structure import count_parameters
from core.runs.palette import PALETTE
from core.runs.plan import SHIPPED_DROPOUTS
from core.runs.settings import MODEL_NAMES, ModelName, RunSettings
from core.runs.store import RunStore

QUESTIONS = {  # a finding's name -> what it answers
    "artefact": "Does dropout help those that see digit classes?",
    "distance": "Which pairs are hard?",
    "parameters": "Do more parameters help?",
    "epochs": "How long does training last?",
    "squared": "Why does reading digits compare so well?",
    "hypothesis": "Did the first two stop earlier?",
    "data": "How much data is an idea worth?",
    "twins": "Is it the sharing or the size?",
    "weights": "How much should auxiliary losses count?",
    "speed": "Who learns fast?",
    "best": "Is the last epoch the best?",
    "unseen": "Do networks notice what they have never seen?",
}
DIRECT: ModelName = "DirectClassificationModel"
SQUARED_COLUMNS = ["dropout", "seed", "digit_accuracy", "squared", "both_right", "lucky", "expected", "test_accuracy"]


# Two digits right, or one comparison


def digit_accuracy_squared(store: RunStore, runs: pd.DataFrame) -> TableWithProblems:
    """Why DirectClassificationModel compares better than it reads two digits; one row per round, dropout off at
    evaluation.

    `digit_accuracy` q and `squared` q², what two independent readings would both be right in; `both_right`, the
    share of pairs in which they are; `lucky`, the share compared rightly though a digit is misread, so that
    `test_accuracy` = both_right + lucky exactly; `expected`, the accuracy that follows from the round's own confusion
    matrix if misreadings are independent.
    """
    cells = [Cell(DIRECT, dropout) for dropout in SHIPPED_DROPOUTS]
    rows, problems = read_each(store, select_cells(runs, cells), _square_one)
    table = pd.DataFrame(rows, columns=SQUARED_COLUMNS).sort_values(["dropout", "seed"], ignore_index=True)
    return TableWithProblems(table, problems)


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
    """A sentence per dropout on digit_accuracy_squared, means over its rounds."""
    if table.empty:
        return [f"{PALETTE[DIRECT].label} has no finished round with predictions yet."]
    return [_describe_squared_of(own) for _, own in table.groupby("dropout")]


def _describe_squared_of(table: pd.DataFrame) -> str:
    mean, count = table.mean(), len(table)
    half = float(half_width(table["lucky"].std(), count))
    interval = "" if count < 2 else f" ({percent_between(max(mean['lucky'] - half, 0), mean['lucky'] + half)})"
    return (
        f"{with_dropout(mean['dropout']).capitalize()}, {percent(mean['digit_accuracy'])} of the digits are read "
        f"rightly over {plural(count, 'round')}; that squared is {percent(mean['squared'])}, yet "
        f"{percent(mean['test_accuracy'])} of the comparisons are right: {percent(mean['lucky'])}{interval} of the "
        f"pairs keep their order though a digit is misread. Independent misreadings with the same confusions would "
        f"give {percent(mean['expected'])}."
    )


# Size and time


def parameters_and_accuracy(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per architecture and dropout of Table 1: CELL_FIELDS, `parameters`, `rounds`, `mean`, `std`, `low`,
    `high`. Cells without rounds are left out."""
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
    evidence = f"(Kendall's τ {signed(tau, 2)}, p {describe_p(p)})"
    verdict = (
        f"Among these {len(shown)}, size does not clearly go with accuracy {evidence}: so few points can show only "
        "a very strong relation."
    )
    if p < LEVEL:
        verdict = f"Among these {len(shown)}, larger networks are {'more' if tau > 0 else 'less'} accurate {evidence}."
    size = f"The highest mean, {percent(shown['mean'][best])} of {PALETTE[best].label}, is that of the largest network."
    if best != largest:
        size = (
            f"The highest mean, {percent(shown['mean'][best])} of {PALETTE[best].label}, comes with "
            f"{shown['parameters'][best]:,} parameters; the largest network, {PALETTE[largest].label}, has "
            f"{shown['parameters'][largest]:,} and reaches {percent(shown['mean'][largest])}."
        )
    return [size, verdict]


def epochs_to_stop(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per finished run of Table 1's cells: CELL_FIELDS, `seed`, `epochs`, `stop_reason`, `seconds`."""
    columns = [*CELL_FIELDS, "seed", "epochs", "stop_reason", "seconds"]
    return _sort_by_model(select_cells(runs, _table_cells())[columns])


def describe_epochs(table: pd.DataFrame) -> list[str]:
    """Which architecture trains shortest and longest at each dropout, how many rounds early stopping never ended, and
    whose they are."""
    if table.empty:
        return ["No round with these settings has finished yet."]
    sentences = [_describe_epochs_of(own) for _, own in table.groupby("dropout")]
    capped = table[table["stop_reason"] == "max_epochs"]
    sentences.append(f"{len(capped)} of {plural(len(table), 'round')} reached the last epoch without stopping early.")
    if len(capped):
        rounds = table.groupby(["dropout", "model"]).size()
        counts: Any = capped.groupby(["dropout", "model"]).size()
        (dropout, model), most = counts.idxmax(), int(counts.max())
        if 2 * most > rounds[dropout, model]:
            sentences.append(
                f"{most} of them are {name_cell(model, dropout)}: its training was cut short, so its accuracy is that "
                "of unfinished training."
            )
    return [sentence for sentence in sentences if sentence]


def _describe_epochs_of(table: pd.DataFrame) -> str:
    """The fewest and the most epochs of one dropout, each with the interval of its mean over rounds."""
    summed: Any = summarise_rounds(table, ["model"], "epochs", also=()).set_index("model")
    first, last = summed["mean"].idxmin(), summed["mean"].idxmax()
    if first == last:
        return ""
    column = with_dropout(table["dropout"].iloc[0]).capitalize()
    return f"{column}, means go from {_mean_epochs(summed.loc[first])} to {_mean_epochs(summed.loc[last])}."


def _mean_epochs(row: Any) -> str:
    most = RunSettings().max_epochs  # no interval reaches beyond it
    interval = "" if pd.isna(row["low"]) else f" (95 % {signed(row['low'], 0)} to {signed(min(row['high'], most), 0)})"
    return f"{signed(row['mean'], 0)} epochs of {PALETTE[row.name].label}{interval}"


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
