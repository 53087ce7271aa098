"""Intervals and tests over rounds: beside the report, between architectures, and what each idea adds.

Accuracies and their differences are shares of 1 in every frame; sentences speak of percent and of points. Rounds of
two cells with the same seed see the same pairs, so cells are compared round by round.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.palette import PALETTE
from core.results import SETTINGS_FIELDS, count_parameters, results_table, with_report_settings
from core.settings import MODEL_NAMES, SHIPPED_DROPOUTS, ModelName, RunSettings

CELL_FIELDS = ["model", "dropout", "dropout_at_evaluation"]
REPORT_ROUNDS = 10  # a cell, report, Table 1
CERTAIN_ROUNDS = 5  # from here on a mean is worth a rank
LEVEL = 0.05


class Cell(NamedTuple):
    """What a row of Table 1 and one of its columns stand for; every other setting is the report's."""

    model: ModelName
    dropout: float = 0.0
    dropout_at_evaluation: bool = False


class Paired(NamedTuple):
    """The second cell's test accuracy minus the first's over their `rounds` common rounds, with its 95 % interval."""

    rounds: int
    difference: float
    low: float
    high: float
    p: float


TESTED_FIELDS = [*Paired._fields, "p_holm"]


class Step(NamedTuple):
    """One idea, `change`, and the two architectures that differ by it."""

    change: str
    first: ModelName
    second: ModelName


LADDER = (
    Step("Sharing weights between branches that give a score", "TwoBranchesModel", "WeightSharingBranchesModel"),
    Step(
        "Sharing weights between branches that give a vector", "BranchesToVecModel", "WeightSharingBranchesToVecModel"
    ),
    Step("Giving vectors instead of scores, with own weights,", "TwoBranchesModel", "BranchesToVecModel"),
    Step(
        "Giving vectors instead of scores, with shared weights,",
        "WeightSharingBranchesModel",
        "WeightSharingBranchesToVecModel",
    ),
    Step("Training with auxiliary losses", "WeightSharingBranchesToVecModel", "WeightSharingAuxiliaryModel"),
    Step("Classifying both digits directly", "WeightSharingAuxiliaryModel", "DirectClassificationModel"),
)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment of p values (N,), which keeps the chance of any false alarm; NaN passes through."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN sorts last
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted = np.full_like(p, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1) if len(order) else steps
    return adjusted


def wilson_interval(right: Any, count: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % interval of a share, `right` of `count` (N,), after Wilson (1927); NaN where the count is 0."""
    k, n = np.asarray(right, dtype=float), np.asarray(count, dtype=float)
    n = np.where(n > 0, n, np.nan)
    z = stats.norm.ppf(0.975)
    middle = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact p, two-sided, from the counts of pairs that only the first or only the second gets right.

    Were both equally good, each such pair would be a fair coin; where there is none, p is 1.
    """
    count = only_first + only_second
    return float(stats.binomtest(only_first, count, 0.5).pvalue) if count else 1.0


def half_width(std: ArrayLike, rounds: ArrayLike) -> NDArray[np.float64]:
    """Half of the 95 % t interval around a mean of `rounds` values; NaN below two rounds."""
    n = np.asarray(rounds, dtype=float)
    n = np.where(n >= 2, n, np.nan)
    return np.asarray(stats.t.ppf(1 - LEVEL / 2, n - 1) * np.asarray(std, dtype=float) / np.sqrt(n))


def summarise_rounds(
    runs: pd.DataFrame, keys: list[str], value: str = "test_accuracy", also: Sequence[str] = ("epochs", "seconds")
) -> pd.DataFrame:
    """A row a group of finished runs: the keys, `rounds`, `mean`, `std` (one round: NaN), the 95 % interval `low`,
    `high`, and the means of the columns `also`."""
    means: Any = {name: (name, "mean") for name in also}
    groups = runs.groupby(keys)
    return _add_interval(
        groups.agg(rounds=(value, "count"), mean=(value, "mean"), std=(value, "std"), **means).reset_index()
    )


def _add_interval(table: pd.DataFrame) -> pd.DataFrame:
    half = half_width(table["std"], table["rounds"])
    return table.assign(low=table["mean"] - half, high=table["mean"] + half)


def compare_with_report(runs: pd.DataFrame) -> pd.DataFrame:
    """The cells of core.results.results_table, and how far they are from the report's Table 1.

    Adds the 95 % interval `low`, `high`, `difference` (ours − the report's), `p` (Welch's test from the printed mean
    and deviation of ten rounds), `p_holm` (over the cells that have a p), `more_than_chance`, `parameters`, and the
    means of `epochs` and processor `seconds`. Figures that need more rounds than there are, are NaN.
    """
    table = _add_interval(results_table(runs).astype({"mean": float, "std": float}))
    others = summarise_rounds(with_report_settings(runs), CELL_FIELDS)[[*CELL_FIELDS, "epochs", "seconds"]]
    table = table.merge(others.astype({"dropout": float, "dropout_at_evaluation": bool}), "left", on=CELL_FIELDS)
    p = _test_against_report(table)
    return table.assign(
        difference=table["mean"] - table["report_mean"],
        p=p,
        p_holm=(adjusted := holm(p)),
        more_than_chance=adjusted < LEVEL,
        parameters=[count_parameters(RunSettings(model=model)) for model in table["model"]],
    )


def _test_against_report(table: pd.DataFrame) -> NDArray[np.float64]:
    """p of Welch's test for every row of a results table, from the printed mean and deviation; NaN without them."""
    ours = table[["mean", "std", "rounds"]].where(table["rounds"] >= 2).to_numpy(float, na_value=np.nan)
    theirs = table[["report_mean", "report_std"]].to_numpy(float)
    result = stats.ttest_ind_from_stats(*ours.T, *theirs.T, REPORT_ROUNDS, equal_var=False)
    return np.asarray(result.pvalue, dtype=float)


def accuracy_by_round(runs: pd.DataFrame) -> dict[Cell, dict[int, float]]:
    """Seed -> test accuracy, for every cell of the runs with the report's other settings."""
    rounds: dict[Cell, dict[int, float]] = {}
    columns: Any = with_report_settings(runs)[[*CELL_FIELDS, "seed", "test_accuracy"]]
    for model, dropout, left_on, seed, accuracy in columns.itertuples(index=False):
        rounds.setdefault(Cell(model, float(dropout), bool(left_on)), {})[int(seed)] = float(accuracy)
    return rounds


def compare_paired(runs: pd.DataFrame, first: Cell, second: Cell) -> Paired:
    """How much more accurate the second cell is than the first, paired by round (Student's t of the differences)."""
    return _compare_rounds(accuracy_by_round(runs), first, second)


def _compare_rounds(rounds: dict[Cell, dict[int, float]], first: Cell, second: Cell) -> Paired:
    before, after = rounds.get(first, {}), rounds.get(second, {})
    return _test_differences(np.array([after[seed] - before[seed] for seed in sorted(before.keys() & after.keys())]))


def _test_differences(differences: NDArray[np.float64]) -> Paired:
    count, nan = len(differences), float("nan")
    if count < 2:
        return Paired(count, float(differences[0]) if count else nan, nan, nan, nan)
    mean, std = float(differences.mean()), float(differences.std(ddof=1))
    if np.ptp(differences) < 1e-9:  # all the same, up to rounding: nothing is left to chance
        return Paired(count, mean, mean, mean, 1.0 if abs(mean) < 1e-9 else 0.0)
    half = float(half_width(std, count))
    p = 2 * float(stats.t.sf(abs(mean) / (std / count**0.5), count - 1))
    return Paired(count, mean, mean - half, mean + half, p)


def _compare_all(runs: pd.DataFrame, pairs: Sequence[tuple[Cell, Cell]]) -> pd.DataFrame:
    """A row a pair of cells: the fields of Paired, `p_holm` over all of them and `more_than_chance`."""
    rounds = accuracy_by_round(runs)
    table = pd.DataFrame([_compare_rounds(rounds, *pair) for pair in pairs], columns=Paired._fields)
    return table.assign(p_holm=(adjusted := holm(table["p"])), more_than_chance=adjusted < LEVEL)


def pairwise_architectures(runs: pd.DataFrame, dropout: float = 0.0) -> pd.DataFrame:
    """The 21 pairs of architectures at one dropout: `first`, `second`, the fields of Paired (second − first),
    `p_holm` over the 21, `more_than_chance`."""
    pairs = list(combinations(MODEL_NAMES, 2))
    table = _compare_all(runs, [(Cell(first, dropout), Cell(second, dropout)) for first, second in pairs])
    return pd.concat([pd.DataFrame(pairs, columns=["first", "second"]), table], axis=1)


def dropout_effects(runs: pd.DataFrame, dropout: float = SHIPPED_DROPOUTS[1]) -> pd.DataFrame:
    """What dropout changes, a row an architecture: `model`, the fields of Paired (with − without dropout), `p_holm`
    over the seven, `more_than_chance`."""
    table = _compare_all(runs, [(Cell(model), Cell(model, dropout)) for model in MODEL_NAMES])
    return pd.concat([pd.DataFrame({"model": MODEL_NAMES}), table], axis=1)


def climb_ladder(runs: pd.DataFrame, dropout: float = 0.0) -> pd.DataFrame:
    """What each idea of LADDER adds at one dropout: `change`, `first`, `second`, the fields of Paired, `p_holm` over
    the six, `more_than_chance`, and a `sentence` that says it.

    The steps to auxiliary losses and to classifying directly also change the layers behind the branches (report,
    Figures 7 to 9), so what they add is the architecture's, not the loss's alone.
    """
    table = _compare_all(runs, [(Cell(step.first, dropout), Cell(step.second, dropout)) for step in LADDER])
    table = pd.concat([pd.DataFrame(LADDER), table], axis=1)
    sentences = [
        describe_step(step.change, Paired(*values), p_holm)
        for step, (*values, p_holm) in zip(LADDER, table[TESTED_FIELDS].itertuples(index=False), strict=True)
    ]
    return table.assign(sentence=sentences)


def describe_step(change: str, paired: Paired, p_holm: float) -> str:
    """One sentence on what a change adds; it claims an effect only where p, after Holm's correction over all that were
    tested beside it, is below 0.05."""
    if paired.rounds < 2:
        return f"{change} cannot be judged yet: it takes two common rounds, there {_are(paired.rounds)}."
    evidence = f"95 % {_bound(paired.low)} to {_bound(paired.high)}, Holm's p {describe_p(p_holm)}"
    if not p_holm < LEVEL:
        size = points(paired.difference)
        return f"{change} makes no clear difference in {paired.rounds} rounds: {size} points ({evidence})."
    verb = "adds" if paired.difference > 0 else "costs"
    return f"{change} {verb} {points(abs(paired.difference))} points ({evidence}, n = {paired.rounds})."


def describe_effects(effects: pd.DataFrame) -> list[str]:
    """A sentence an architecture on dropout_effects."""
    rows: Any = effects[["model", *TESTED_FIELDS]].itertuples(index=False)
    return [
        describe_step(f"{PALETTE[model].label}: dropout", Paired(*paired), p_holm) for model, *paired, p_holm in rows
    ]


def describe_p(p: float) -> str:
    """A p value for a sentence or a table: '< 0.001', '0.034'."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.9995 else "1"


def _bound(share: float) -> str:
    """The end of an interval in points, with a second digit where one would hide on which side of nought it lies."""
    return points(share) if abs(share) >= 0.0005 else signed(100 * share, 2)


def signed(value: float, digits: int = 1) -> str:
    """A number for a sentence, with a real minus sign and no negative zero: −0.41 -> '−0.4'."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def points(share: float) -> str:
    """A difference of accuracies in percentage points: −0.0041 -> '−0.4'."""
    return signed(100 * share)


def plural(count: int, noun: str) -> str:
    """A count for a sentence: '1 round', '1,000 rounds'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """An accuracy for a sentence: 0.8182 -> '81.8 %'."""
    return f"{100 * share:.1f} %"


def _are(count: int) -> str:
    return {0: "are none", 1: "is one"}.get(count, f"are {count}")


def name_cell(model: ModelName, dropout: float, dropout_at_evaluation: bool = False) -> str:
    """A cell for people: 'Two channels without dropout', 'Auxiliary losses with dropout 0.25 left on'."""
    if not dropout:
        return f"{PALETTE[model].label} without dropout"
    return f"{PALETTE[model].label} with dropout {dropout:g}" + (" left on" if dropout_at_evaluation else "")


def describe_reproduction(table: pd.DataFrame) -> list[str]:
    """Two to five sentences under the table of compare_with_report: what agrees, what differs, the order, the gaps."""
    printed = table[table["report_mean"].notna()]
    tested = printed[printed["p"].notna()]
    if tested.empty:
        return ["No cell of the report's Table 1 has two rounds yet, so nothing can be compared."]
    differs = tested[tested["more_than_chance"].astype(bool)]
    agree = len(tested) - len(differs)
    sentences = [
        f"{agree} of the {len(tested)} cells compared agree with the report within chance "
        "(Welch's test with Holm's correction, 5 %)."
    ]
    if len(differs):
        sentences.append(f"{_list_differences(differs)}.")
    sentences += [describe_order(tested[tested["dropout"] == dropout]) for dropout in SHIPPED_DROPOUTS]
    return [sentence for sentence in [*sentences, describe_gaps(printed)] if sentence]


def _list_differences(differs: pd.DataFrame) -> str:
    cells: Any = differs[["model", "dropout", "difference"]]
    parts = []
    for direction, sign in (("higher", 1), ("lower", -1)):
        names = [
            f"{name_cell(model, dropout)} by {points(abs(difference))}"
            for model, dropout, difference in cells.itertuples(index=False)
            if sign * difference > 0
        ]
        parts += [f"{direction} than printed, in points, are {', '.join(names)}"] if names else []
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:]


def describe_order(tested: pd.DataFrame) -> str:
    """Whether our means put the architectures of one column in the printed order; empty below three of them."""
    if len(tested) < 3:
        return ""
    column = "without dropout" if not tested["dropout"].iloc[0] else "with dropout"
    tau = float(stats.kendalltau(tested["mean"], tested["report_mean"]).statistic)
    verdict = "reproduces exactly" if tau > 1 - 1e-9 else "reproduces" if tau >= 0.8 else "reproduces in part"
    verdict = "does not reproduce" if not tau >= 0.5 else verdict
    return f"The order of the {len(tested)} architectures {column} {verdict} (Kendall's τ {tau:.2f})."


def describe_gaps(table: pd.DataFrame, planned: int = REPORT_ROUNDS) -> str:
    """Names the cells (CELL_FIELDS, `rounds`) that have fewer rounds than planned; empty where there are none."""
    short: Any = table.loc[table["rounds"] < planned, [*CELL_FIELDS, "rounds"]]
    names = [f"{name_cell(*cell)} ({rounds})" for *cell, rounds in short.itertuples(index=False)]
    if not names:
        return ""
    more = f" and {len(names) - 4} more cells" if len(names) > 5 else ""
    return f"Fewer than {planned} rounds so far: {', '.join(names[:4] if more else names)}{more}."


def leaderboard(runs: pd.DataFrame) -> pd.DataFrame:
    """Every setting with a finished round, best first: the settings but the seed, `rank`, `rounds`, `mean`, `std`,
    `low`, `high`, `epochs`, `seconds`, `parameters`, `certain` (five rounds or more). Only certain ones are ranked;
    the others follow, by their mean."""
    keys = [name for name in SETTINGS_FIELDS if name != "seed"]
    finished = runs[runs["state"] == "finished"]
    table = summarise_rounds(finished, [*keys, "parameters"]).astype({"parameters": int})
    table = table.assign(certain=table["rounds"] >= CERTAIN_ROUNDS)
    ranks: Any = table["mean"].where(table["certain"]).rank(ascending=False, method="min").astype("Int64")
    return (
        table.assign(rank=ranks).sort_values(["certain", "mean"], ascending=False, kind="stable").reset_index(drop=True)
    )
