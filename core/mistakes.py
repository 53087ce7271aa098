"""Which test pairs the networks get wrong: data frames from stored predictions, and the sentences that go with them.

Accuracies, probabilities and calibration errors are shares of 1 in every frame. A round's pairs are the same for all
architectures, so what they say of one pair can be compared.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.palette import PALETTE
from core.results import Arrays, Found, read_each, with_report_settings
from core.runs import RunStore
from core.settings import MODEL_NAMES, ModelName
from core.statistics import (
    CELL_FIELDS,
    LEVEL,
    Cell,
    Paired,
    describe_gaps,
    describe_p,
    describe_step,
    holm,
    mcnemar,
    pairwise_architectures,
    percent,
    plural,
    points,
    summarise_rounds,
    wilson_interval,
)

COIN_MODEL: ModelName = "WeightSharingBranchesModel"  # f(second) − f(first) with one f
PAIR_FIELDS = ["seed", "first_image", "second_image"]  # what makes a pair of a round
RUN_FIELDS = [*CELL_FIELDS, "run_id", "seed"]
ANSWER_COLUMNS = [
    *RUN_FIELDS, "first_image", "second_image", "first", "second", "probability", "decision", "right", "confidence",
    "first_read", "second_read",
]  # fmt: skip
PAIR_COLUMNS = [*CELL_FIELDS, "first", "second", "count", "right", "rounds"]
BINS = 10  # of a calibration curve


# What every network said of every test pair


def read_answers(store: RunStore, runs: pd.DataFrame) -> Found:
    """A row a test pair of each finished run with the report's other settings: CELL_FIELDS, `run_id`, and

    `seed`, `first_image`, `second_image`: the round and the pair, as places in MNIST's test half; `first`, `second`:
    the digits; `probability` that first <= second; `decision`, whether the network says so, and whether that is
    `right`; `confidence`, the probability of what it says; `first_read`, `second_read`: the digits it reads, or −1.
    """
    parts, problems = read_each(store, with_report_settings(runs), _answers_of)
    if not parts:
        return Found(pd.DataFrame(columns=ANSWER_COLUMNS), problems)
    repeats = [len(arrays["right"]) for _, arrays in parts]
    known = {name: np.repeat([getattr(run, name) for run, _ in parts], repeats) for name in RUN_FIELDS}
    columns = {name: np.concatenate([arrays[name] for _, arrays in parts]) for name in parts[0][1]}
    kinds: Any = {"run_id": "category", "model": pd.CategoricalDtype(list(MODEL_NAMES))}
    return Found(pd.DataFrame({**known, **columns}, columns=ANSWER_COLUMNS).astype(kinds), problems)


def _answers_of(run: Any, arrays: Arrays) -> tuple[Any, Arrays]:
    """The run, and the columns of its pairs."""
    classes, decision, probability = arrays["classes"].astype(np.int8), arrays["decision"], arrays["probability"]
    read = arrays.get("digits", np.full(classes.shape, -1)).astype(np.int8)
    return run, {
        "first_image": arrays["indices"][:, 0],
        "second_image": arrays["indices"][:, 1],
        "first": classes[:, 0],
        "second": classes[:, 1],
        "probability": probability,
        "decision": decision,
        "right": decision == (classes[:, 0] <= classes[:, 1]),
        "confidence": np.where(decision, probability, 1 - probability),
        "first_read": read[:, 0],
        "second_read": read[:, 1],
    }


# Which pairs are hard


def count_pairs(answers: pd.DataFrame) -> pd.DataFrame:
    """How often each pair of digits was tested and was right, over all rounds of a cell.

    A row a cell and pair: CELL_FIELDS, `first` and `second` (0 to 9), `count`, `right`, `rounds`.
    """
    rounds = answers.groupby(CELL_FIELDS, observed=True)["seed"].nunique().rename("rounds").reset_index()
    cells = rounds.sort_values(["dropout", "dropout_at_evaluation", "model"])
    square = pd.DataFrame(dict(zip(("first", "second"), np.divmod(np.arange(100), 10), strict=True)))
    groups = answers.groupby([*CELL_FIELDS, "first", "second"], observed=True)["right"]
    counts = groups.agg(count="size", right="sum").reset_index()
    table = cells.merge(square, "cross").merge(counts, "left", on=[*CELL_FIELDS, "first", "second"])
    return table.fillna({"count": 0, "right": 0}).astype({"count": int, "right": int})[PAIR_COLUMNS]


def _add_accuracy(table: pd.DataFrame) -> pd.DataFrame:
    low, high = wilson_interval(table["right"], table["count"])
    return table.assign(accuracy=table["right"] / table["count"].where(table["count"] > 0), low=low, high=high)


def accuracy_by_pair(counted: pd.DataFrame) -> pd.DataFrame:
    """The table of count_pairs with `accuracy` and its Wilson interval `low`, `high`; NaN for pairs never drawn.

    The interval takes all answers for independent: a round has too few of a pair to tell rounds apart.
    """
    return _add_accuracy(counted)


def accuracy_by_distance(answers: pd.DataFrame) -> pd.DataFrame:
    """A row a cell and `distance` |first − second| (0 to 9): `accuracy`, the mean over `rounds` rounds, its 95 %
    interval `low`, `high` (NaN below two rounds), `count` and `right` over all; NaN for distances never drawn.

    The rounds are what the interval counts: a round's answers come from one network and are not independent.
    """
    distances = answers.assign(distance=(answers["first"].astype(int) - answers["second"].astype(int)).abs())
    groups = distances.groupby([*CELL_FIELDS, "seed", "distance"], observed=True)["right"]
    by_round = groups.agg(count="size", right="sum").reset_index()
    share = by_round["right"] / by_round["count"]
    figures = summarise_rounds(by_round.assign(accuracy=share), [*CELL_FIELDS, "distance"], "accuracy", ())
    totals = by_round.groupby([*CELL_FIELDS, "distance"], as_index=False, observed=True)[["count", "right"]].sum()
    grid = totals[CELL_FIELDS].drop_duplicates().merge(pd.DataFrame({"distance": range(10)}), "cross")
    table = grid.merge(totals, "left").merge(figures.rename(columns={"mean": "accuracy"}), "left")
    table[["low", "high"]] = table[["low", "high"]].clip(0, 1)
    return table.fillna({"count": 0, "right": 0, "rounds": 0}).astype({"count": int, "right": int, "rounds": int})


def describe_distance(table: pd.DataFrame, dropout: float = 0.0) -> list[str]:
    """What accuracy_by_distance shows at one dropout: which pairs are hard, for whom, and who must guess."""
    shown = table[(table["dropout"] == dropout) & ~table["dropout_at_evaluation"].astype(bool)]
    if shown.empty:
        return ["No finished round with these settings has predictions yet."]
    totals = shown.groupby("distance")[["right", "count"]].sum()
    accuracy: Any = totals["right"] / totals["count"]
    by_model: Any = shown.pivot(index="model", columns="distance", values="accuracy")
    loss = by_model[9] - by_model[1]
    hardest, least, most = accuracy.idxmin(), loss.idxmin(), loss.idxmax()
    sentences = [
        f"Over {plural(len(by_model), 'architecture')}, {_name_distance(hardest)} are the hardest "
        f"({percent(accuracy[hardest])} right); pairs nine apart reach {percent(accuracy[9])}."
    ]
    if least != most:
        sentences.append(
            f"From nine apart to one apart {PALETTE[least].label} loses {points(loss[least])} points, "
            f"{PALETTE[most].label} {points(loss[most])}."
        )
    if COIN_MODEL in by_model.index:
        sentences.append(
            f"On equal digits {PALETTE[COIN_MODEL].label} is right in {percent(by_model[0][COIN_MODEL])}: its logit "
            "changes sign when the two digits swap places, so it can only toss a coin."
        )
    return [sentence for sentence in [*sentences, _describe_distance_gaps(shown, dropout)] if sentence]


def _describe_distance_gaps(shown: pd.DataFrame, dropout: float) -> str:
    rounds = shown.groupby("model")["rounds"].max().reindex(list(MODEL_NAMES), fill_value=0)
    cells = pd.DataFrame([Cell(model, dropout) for model in MODEL_NAMES])
    return describe_gaps(cells.assign(rounds=rounds.to_numpy()))


def _name_distance(distance: int) -> str:
    return {0: "pairs of equal digits", 1: "pairs one apart"}.get(distance, f"pairs {distance} apart")


def rank_mistakes(answers: pd.DataFrame, first: int | None = None, second: int | None = None) -> pd.DataFrame:
    """The wrong ones of the answers, the most confident first; of these digits alone where one is given."""
    wrong = ~answers["right"]
    for name, digit in (("first", first), ("second", second)):
        if digit is not None:
            wrong &= answers[name] == digit
    return answers[wrong].sort_values("confidence", ascending=False, kind="stable")


def describe_pairs(table: pd.DataFrame, first: int | None = None, second: int | None = None) -> str:
    """How many pairs of these digits are right, from accuracy_by_pair; of all where a digit is None."""
    shown = table[table["first"].isin([first] if first is not None else range(10))]
    shown = shown[shown["second"].isin([second] if second is not None else range(10))]
    right, count = int(shown["right"].sum()), int(shown["count"].sum())
    names = [f"{name} digit {digit}" for name, digit in (("first", first), ("second", second)) if digit is not None]
    what = " and ".join(names).capitalize() or "All pairs"
    if not count:
        return f"{what}: no such pair was tested."
    low, high = wilson_interval([right], [count])
    interval = f"95 % {percent(low[0])} to {percent(high[0])}"
    wrong = f"The {count - right:,} wrong ones, the most confident first:" if right < count else "None is wrong."
    return f"{what}: {right:,} of {count:,} right, {percent(right / count)} ({interval}). {wrong}"


# The lines under a pair in a gallery, from its row in one of the frames of answers


def say_answer(row: Any) -> list[str]:
    """What one network said."""
    read = [f"reads {row.first_read} and {row.second_read}"] if row.first_read >= 0 else []
    return [f"says {_name_order(row.decision)},", f"{_sure(row.confidence)} sure", *read, f"round {row.seed}"]


def say_missed(row: Any) -> list[str]:
    """What all say of a pair of missed_by_all."""
    return [f"all say {_name_order(row.decision)},", f"{_sure(row.mean)} sure on average", f"round {row.seed}"]


def say_alone(row: Any) -> list[str]:
    """Who is right alone, and how sure those are who say the opposite; a row of right_alone."""
    sure, against = f"right, {_sure(row.confidence)} sure", f"against it, {_sure(row.others)} sure"
    return [PALETTE[row.model].label, sure, against, f"round {row.seed}"]


def _name_order(decision: bool) -> str:
    return f"first {'≤' if decision else '>'} second"


def _sure(probability: float) -> str:
    """Like percent, but a network is never said to be wholly sure."""
    return percent(probability) if probability < 0.9995 else "over 99.9 %"


# All architectures on the same pairs


def judge_together(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers to the pairs that every architecture among them met, with `right_count`, how many of them are right,
    and `others`, the mean confidence of the other ones.

    `answers` are those of one dropout; rounds that some architecture lacks are left out.
    """
    count = answers["model"].nunique()
    groups = answers.groupby(PAIR_FIELDS)
    others = (groups["confidence"].transform("sum") - answers["confidence"]) / max(count - 1, 1)
    together = answers.assign(right_count=groups["right"].transform("sum"), others=others)
    return together[groups["right"].transform("count") == count]


def missed_by_all(together: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of judge_together that no architecture gets right, the surest of all answers to it; first those
    pairs that are missed with the most confidence on average."""
    missed = together[together["right_count"] == 0]
    mean = missed.groupby(PAIR_FIELDS)["confidence"].transform("mean")
    ranked = missed.assign(mean=mean).sort_values(["mean", "confidence"], ascending=False, kind="stable")
    return ranked.drop_duplicates(PAIR_FIELDS)


def right_alone(together: pd.DataFrame) -> pd.DataFrame:
    """The answers of judge_together that are right where all others are wrong, the most confident first."""
    alone = together[(together["right_count"] == 1) & together["right"]]
    return alone.sort_values("confidence", ascending=False, kind="stable")


def count_alone(together: pd.DataFrame) -> pd.DataFrame:
    """A row an architecture of `together`, in the order of Table 1: `model`, and `alone`, how many pairs it alone gets
    right."""
    models = [model for model in MODEL_NAMES if model in set(together["model"])]
    counts: Any = right_alone(together)["model"].value_counts()
    return pd.DataFrame({"model": models, "alone": [int(counts.get(model, 0)) for model in models]})


def describe_together(together: pd.DataFrame) -> str:
    """How many of the common pairs all architectures miss, and how many only one gets right."""
    architectures, rounds = together["model"].nunique(), together["seed"].nunique()
    pairs = len(together) // architectures
    missed, alone = len(missed_by_all(together)), len(right_alone(together))
    return (
        f"Of {plural(pairs, 'pair')} in {plural(rounds, 'round')}, all {architectures} architectures miss {missed:,} "
        f"({percent(missed / pairs)}), and {alone:,} ({percent(alone / pairs)}) are right with one of them alone."
    )


# Two architectures at odds


def count_odds(together: pd.DataFrame, first: ModelName, second: ModelName) -> pd.DataFrame:
    """A row a round that both architectures have: `seed`, how many pairs `both`, `only_first`, `only_second` or
    `neither` get right, and McNemar's exact `p`. `together` is judge_together's of the answers of these two."""
    right = together.pivot(index=PAIR_FIELDS, columns="model", values="right")
    one, other = right[first], right[second]
    outcomes = {"both": one & other, "only_first": one & ~other, "only_second": other & ~one, "neither": ~(one | other)}
    rounds = pd.DataFrame(outcomes).groupby("seed", as_index=False).sum()
    return rounds.assign(
        p=[mcnemar(*counts) for counts in zip(rounds["only_first"], rounds["only_second"], strict=True)]
    )


def describe_odds(rounds: pd.DataFrame, first: ModelName, second: ModelName) -> str:
    """What count_odds shows: over all its rounds together, and in how many of them McNemar's test sees a difference."""
    one, other = int(rounds["only_first"].sum()), int(rounds["only_second"].sum())
    clear = int((holm(rounds["p"]) < LEVEL).sum())
    return (
        f"Over {plural(len(rounds), 'round')}, {PALETTE[first].label} alone is right on {plural(one, 'pair')}, "
        f"{PALETTE[second].label} alone on {other:,}. McNemar's exact test: p {describe_p(mcnemar(one, other))} "
        f"pooled, and a difference in {clear} of {plural(len(rounds), 'single round')} (Holm's correction, 5 %)."
    )


def describe_rounds(runs: pd.DataFrame, dropout: float, first: ModelName, second: ModelName) -> str:
    """What one architecture adds to the other, the later of Table 1 to the earlier, judged by the rounds they share."""
    pairs = pairwise_architectures(runs, dropout)
    row: Any = next(pairs[pairs["first"].isin([first, second]) & pairs["second"].isin([first, second])].itertuples())
    paired = Paired(*(getattr(row, name) for name in Paired._fields))
    return describe_step(f"{PALETTE[row.second].label} instead of {PALETTE[row.first].label}", paired, row.p_holm)


# Can its probabilities be believed?


def calibrate(answers: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """A row for each tenth of the probability that first <= second: `bin` (0 to 9), `count`, `said` (mean
    probability), `right` (pairs in which first <= second), `accuracy` (their share) and its interval `low`, `high`.

    Tenths without pairs are left out. `answers` are those of one cell; a curve of its own for each value of `by`.
    """
    target = answers["first"] <= answers["second"]
    place = np.minimum((answers["probability"] * BINS).astype(int), BINS - 1)
    groups = answers.assign(bin=place, target=target).groupby([*by, "bin"], as_index=False)
    return _add_accuracy(groups.agg(count=("target", "size"), said=("probability", "mean"), right=("target", "sum")))


def calibration_error(curve: pd.DataFrame) -> float:
    """The expected calibration error: the mean distance of what is said from what is so, weighted by the pairs."""
    return float(((curve["said"] - curve["accuracy"]).abs() * curve["count"]).sum() / curve["count"].sum())


def describe_calibration(answers: pd.DataFrame) -> list[str]:
    """The calibration error of a cell, pooled and round by round, and how sure it is beside how often it is right."""
    curve = calibrate(answers)
    errors = pd.Series([calibration_error(own) for _, own in calibrate(answers, by=["seed"]).groupby("seed")])
    spread = f" ± {points(errors.std())}" if len(errors) > 1 else ""
    sure, right = answers["confidence"].mean(), answers["right"].mean()
    gap = points(abs(sure - right))
    habit = f"{'more' if sure > right else 'less'} sure than right by {gap} points"
    return [
        f"Expected calibration error: {points(calibration_error(curve))} points over all {len(answers):,} pairs, "
        f"{points(errors.mean())}{spread} round by round (n = {len(errors)}).",
        f"On average {PALETTE[answers['model'].iloc[0]].label} is {percent(sure)} sure of what it says and right in "
        f"{percent(right)}: {habit if float(gap) else 'as sure as right'}.",
    ]
