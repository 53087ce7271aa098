"""What dropout does to the two networks that see digit classes, and how the report's figures with dropout came
about."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.analysis.comparison import Cell, select_cells
from core.analysis.numbers import in_words, percent
from core.analysis.report import REPORT_ROUNDS, REPORT_TABLE
from core.analysis.sentences import describe_change, describe_gaps, describe_p, join, tuples
from core.analysis.statistics import LEVEL, PairedDifference, add_interval, compare_paired, compare_unpaired, holm
from core.analysis.tables import Arrays, TableWithProblems, load_histories, read_each
from core.analysis.traces import traced_accuracy
from core.runs.palette import PALETTE
from core.runs.settings import ModelName
from core.runs.store import RunStore

DIGIT_MODELS: tuple[ModelName, ...] = ("WeightSharingAuxiliaryModel", "DirectClassificationModel")


class Case(NamedTuple):
    """One way to train and test; with `best_epoch` the weights of the best validation epoch are tested, not the
    last."""

    name: str
    dropout: float
    dropout_at_evaluation: bool = False
    best_epoch: bool = False


CASES = (
    Case("No dropout", 0.0),
    Case("Dropout 0.25", 0.25),
    Case("Dropout 0.5", 0.5),
    Case("Dropout 0.25, left on", 0.25, True),
    Case("Dropout 0.5, left on", 0.5, True),
    Case("Dropout 0.25, best epoch", 0.25, False, True),
)
EXPLANATIONS = {  # of the report's column with dropout: the case -> what it says was done
    "Dropout 0.25": "dropout 0.25, off at evaluation, and the last epoch's weights",
    "Dropout 0.25, best epoch": "dropout 0.25, off, and the weights of the best validation epoch",
    "Dropout 0.25, left on": "dropout 0.25 left on at evaluation",
    "Dropout 0.5, left on": "dropout 0.5 left on at evaluation",
}


def dropout_artefact(store: RunStore, runs: pd.DataFrame) -> TableWithProblems:
    """How the two networks that see digit classes do without dropout, with it, with it left on at evaluation, and with
    the weights of the best validation epoch.

    One row per architecture and Case: `model`, `case`, `dropout`, `dropout_at_evaluation`, `best_epoch`, `rounds`,
    `mean`, `std`, `low`, `high`; `gain`, `gain_low`, `gain_high`, `gain_p`, `gain_p_holm`: what the case adds over no
    dropout, paired by round; `report_mean`, `report_std` of the report's column with dropout (Table 1), and `off`,
    `off_p_holm`: ours − the report's (Welch), for the cases of EXPLANATIONS. One Holm family.
    """
    wanted = [Cell(model, case.dropout, case.dropout_at_evaluation) for model in DIGIT_MODELS for case in CASES]
    chosen = select_cells(runs, wanted)
    best, problems = _read_best_epochs(store, chosen)
    rows = []
    for model in DIGIT_MODELS:
        by_case = {case.name: _accuracies(best if case.best_epoch else chosen, model, case) for case in CASES}
        without = by_case[CASES[0].name]
        for case in CASES:
            own = by_case[case.name]
            common = own.index.intersection(without.index)
            gain = compare_paired((own[common] - without[common]) if case.dropout else [])
            rows.append((model, *case, len(own), own.mean(), own.std(), *gain, *REPORT_TABLE[model][1]))
    gains = ["common", "gain", "gain_low", "gain_high", "gain_p"]
    columns = ["model", "case", *Case._fields[1:], "rounds", "mean", "std", *gains, "report_mean", "report_std"]
    return TableWithProblems(_correct_together(add_interval(pd.DataFrame(rows, columns=columns))), problems)


def _accuracies(runs: pd.DataFrame, model: ModelName, case: Case) -> "pd.Series[float]":
    same = (runs["model"] == model) & (runs["dropout"] == case.dropout)
    same &= runs["dropout_at_evaluation"].astype(bool) == case.dropout_at_evaluation
    return runs[same].set_index("seed")["test_accuracy"].astype(float)


def _read_best_epochs(store: RunStore, runs: pd.DataFrame) -> TableWithProblems:
    """The runs with dropout 0.25 off at evaluation, their test accuracy replaced by that at the stored epoch nearest to
    the first of the best validation accuracy (every fifth epoch is stored)."""
    kept = runs[(runs["dropout"] == 0.25) & ~runs["dropout_at_evaluation"].astype(bool)]
    histories = load_histories(store, kept["run_id"])
    best = histories.loc[histories.groupby("run_id")["validation_accuracy"].idxmax()].set_index("run_id")["epoch"]

    def measure(run: Any, arrays: Arrays) -> tuple[str, int, float]:
        curve = traced_accuracy(arrays)
        nearest = int(np.abs(curve.index.to_numpy(float) - best[run.run_id]).argmin()) if len(curve) else -1
        accuracy = float(curve.iloc[nearest]) if len(curve) else float("nan")
        return run.model, run.seed, accuracy

    rows, problems = read_each(store, kept[kept["run_id"].isin(best.index)], measure)
    table = pd.DataFrame(rows, columns=["model", "seed", "test_accuracy"]).dropna()
    return TableWithProblems(table.assign(dropout=0.25, dropout_at_evaluation=False), problems)


def _correct_together(table: pd.DataFrame) -> pd.DataFrame:
    """Adds the comparisons with the report, and Holm's correction over these and the gains."""
    printed = np.column_stack([table[["report_mean", "report_std"]], np.full(len(table), float(REPORT_ROUNDS))])
    tested = compare_unpaired(table[["mean", "std", "rounds"]].to_numpy(float), printed)
    explains = table["case"].isin(EXPLANATIONS)
    adjusted = holm(np.concatenate([table["gain_p"], np.where(explains, tested.p, np.nan)]))
    return table.assign(
        gain_p_holm=adjusted[: len(table)],
        off=table["mean"] - table["report_mean"],
        off_p_holm=adjusted[len(table) :],
    )


def describe_artefact(table: pd.DataFrame) -> list[str]:
    """What dropout adds to each network, which explanation fits the report's figures, and which cells have few
    rounds."""
    sentences = [_describe_gain(table[table["model"] == model], model) for model in DIGIT_MODELS]
    gaps = table[~table["best_epoch"]]
    return [sentence for sentence in [*sentences, *_explain_report(table), describe_gaps(gaps)] if sentence]


def _describe_gain(table: pd.DataFrame, model: ModelName) -> str:
    cases = {row.case: row for row in tuples(table)}
    off, without = cases["Dropout 0.25"], cases["No dropout"]
    if off.common < 2:
        return ""
    change = describe_change(
        PairedDifference(off.common, off.gain, off.gain_low, off.gain_high, off.gain_p), off.gain_p_holm
    )
    return (
        f"{PALETTE[model].label}: dropout 0.25, off at evaluation as it should be, {change}, from "
        f"{percent(without.mean)} to {percent(off.mean)} (n = {off.common})."
    )


def _explain_report(table: pd.DataFrame) -> list[str]:
    """One sentence per explanation with how far it is from both printed figures, and one on which of them fit."""
    tested = table[table["case"].isin(EXPLANATIONS) & table["off_p_holm"].notna()]
    known = [case for case in EXPLANATIONS if (tested["case"] == case).sum() == len(DIGIT_MODELS)]
    if not known:
        return []
    sentences, fitting = [], []
    for case in known:
        rows = {row.model: row for row in tuples(tested[tested["case"] == case])}
        parts = [_beside_print(rows[model]) for model in DIGIT_MODELS]
        sentences.append(f"With {EXPLANATIONS[case]}: {join(parts)}.")
        fitting += [case] if not any(row.off_p_holm < LEVEL for row in rows.values()) else []
    family = int(table["gain_p_holm"].notna().sum() + table["off_p_holm"].notna().sum())
    names = [EXPLANATIONS[case] for case in fitting]
    verdict = "None of these is compatible with both printed figures"
    if len(names) == 1:
        verdict = f"Of these {in_words(len(known))}, only {names[0]} is compatible with both printed figures"
    elif names:
        verdict = f"Both printed figures are compatible with {join(names, 'and with')}"
    note = (
        "the authors' public code tests the last epoch and leaves dropout on for these two networks. An earlier stop "
        "is not among these: ours stop by the report's rule"
    )
    return [
        *sentences,
        f"{verdict}; {note}. (t tests, Holm's correction over the {family} comparisons of this finding.)",
    ]


def _beside_print(row: Any) -> str:
    fits = "clearly different" if row.off_p_holm < LEVEL else "not clearly different"
    return (
        f"{PALETTE[row.model].label} {percent(row.mean)}, {fits} from the printed {percent(row.report_mean)} "
        f"(Holm's p {describe_p(row.off_p_holm)})"
    )
