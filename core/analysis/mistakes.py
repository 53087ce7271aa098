"""Which test pairs the networks get wrong: data frames from stored predictions, and the sentences that go with them.

Accuracies, probabilities and calibration errors are shares of 1 in every frame. A round's pairs are the same for all
architectures, so what they say of one pair can be compared.
"""

from typing import Any

import numpy as np
import pandas as pd

from core.analysis.numbers import percent, plural
from core.analysis.sentences import percent_between, tuples
from core.analysis.statistics import add_holm, mcnemar, pool_rounds
from core.analysis.tables import CELL_FIELDS, Arrays, TableWithProblems, read_each, with_report_settings
from core.runs.palette import PALETTE
from core.runs.settings import MODEL_NAMES, ModelName
from core.runs.store import RunStore

PAIR_FIELDS = ["seed", "first_image", "second_image"]  # what makes a pair of a round
RUN_FIELDS = [*CELL_FIELDS, "run_id", "seed"]
ANSWER_COLUMNS = [
    *RUN_FIELDS, "first_image", "second_image", "first", "second", "probability", "decision", "right", "confidence",
    "first_read", "second_read",
]  # fmt: skip


# What every network said of every test pair


def read_answers(store: RunStore, runs: pd.DataFrame) -> TableWithProblems:
    """One row per test pair of each finished run with the report's other settings: CELL_FIELDS, `run_id`, and

    `seed`, `first_image`, `second_image`: the round and the pair, as places in MNIST's test half; `first`, `second`:
    the digits; `probability` that first <= second; `decision`, whether the network says so, and whether that is
    `right`; `confidence`, the probability of what it says; `first_read`, `second_read`: the digits it reads, or −1.
    """
    parts, problems = read_each(store, with_report_settings(runs), _answers_of)
    if not parts:
        return TableWithProblems(pd.DataFrame(columns=ANSWER_COLUMNS), problems)
    repeats = [len(arrays["right"]) for _, arrays in parts]
    known = {name: np.repeat([getattr(run, name) for run, _ in parts], repeats) for name in RUN_FIELDS}
    columns = {name: np.concatenate([arrays[name] for _, arrays in parts]) for name in parts[0][1]}
    kinds: Any = {"run_id": "category", "model": pd.CategoricalDtype(list(MODEL_NAMES))}
    return TableWithProblems(pd.DataFrame({**known, **columns}, columns=ANSWER_COLUMNS).astype(kinds), problems)


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
    """How often each pair of digits was tested and was right in each round of a cell: `seed`, `first`, `second` (0 to
    9), `count`, `right`; pairs never drawn in a round are left out. `answers` are those of one cell."""
    groups = answers.groupby(["seed", "first", "second"], observed=True)["right"]
    return groups.agg(count="size", right="sum").reset_index()


def accuracy_by_pair(counted: pd.DataFrame) -> pd.DataFrame:
    """One row per pair of digits, `first` and `second`, of count_pairs: `rounds`, `right`, `count`, `accuracy` and its
    95 % interval over rounds `low`, `high`; NaN for pairs never drawn."""
    square = pd.DataFrame(dict(zip(("first", "second"), np.divmod(np.arange(100), 10), strict=True)))
    table = square.merge(pool_rounds(counted, ["first", "second"]), "left", on=["first", "second"])
    return table.fillna({"count": 0, "right": 0, "rounds": 0}).astype({"count": int, "right": int, "rounds": int})


def rank_mistakes(answers: pd.DataFrame, first: int | None = None, second: int | None = None) -> pd.DataFrame:
    """The wrong ones of the answers, the most confident first; of these digits alone if one is given."""
    wrong = ~answers["right"]
    for name, digit in (("first", first), ("second", second)):
        if digit is not None:
            wrong &= answers[name] == digit
    return answers[wrong].sort_values("confidence", ascending=False, kind="stable")


def describe_pairs(counted: pd.DataFrame, first: int | None = None, second: int | None = None) -> str:
    """How many pairs of these digits are right, from count_pairs; of all if a digit is None."""
    shown = counted[counted["first"].isin([first] if first is not None else range(10))]
    shown = shown[shown["second"].isin([second] if second is not None else range(10))]
    names = [f"{name} digit {digit}" for name, digit in (("first", first), ("second", second)) if digit is not None]
    what = " and ".join(names).capitalize() or "All pairs"
    if shown.empty:
        return f"{what}: no such pair was tested."
    by_round = shown.groupby("seed", as_index=False)[["right", "count"]].sum()
    [row] = tuples(pool_rounds(by_round.assign(all=True), ["all"]))
    interval = f"{percent_between(row.low, row.high)} over {row.rounds} rounds" if row.rounds > 1 else "1 round"
    wrong = f"The {row.count - row.right:,} wrong ones, the most confident first:"
    return (
        f"{what}: {row.right:,} of {row.count:,} right, {percent(row.accuracy)} ({interval}). "
        f"{wrong if row.right < row.count else 'None is wrong.'}"
    )


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
    """One row per pair of judge_together that no architecture gets right, the surest of all answers to it; first those
    pairs that are missed with the most confidence on average."""
    missed = together[together["right_count"] == 0]
    mean = missed.groupby(PAIR_FIELDS)["confidence"].transform("mean")
    ranked = missed.assign(mean=mean).sort_values(["mean", "confidence"], ascending=False, kind="stable")
    return ranked.drop_duplicates(PAIR_FIELDS)


def right_alone(together: pd.DataFrame) -> pd.DataFrame:
    """The answers of judge_together that are right while all others are wrong, the most confident first."""
    alone = together[(together["right_count"] == 1) & together["right"]]
    return alone.sort_values("confidence", ascending=False, kind="stable")


def count_alone(together: pd.DataFrame) -> pd.DataFrame:
    """One row per architecture of `together`, in the order of Table 1: `model`, and `alone`, how many pairs it alone
    gets right."""
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
    """One row per round that both architectures have: `seed`, how many pairs `both`, `only_first`, `only_second` or
    `neither` get right, McNemar's exact `p`, and `p_holm` and `clear` over the rounds. `together` is judge_together's
    of the answers of these two."""
    right = together.pivot(index=PAIR_FIELDS, columns="model", values="right")
    one, other = right[first], right[second]
    outcomes = {"both": one & other, "only_first": one & ~other, "only_second": other & ~one, "neither": ~(one | other)}
    rounds = pd.DataFrame(outcomes).groupby("seed", as_index=False).sum()
    counts = zip(rounds["only_first"], rounds["only_second"], strict=True)
    return add_holm(rounds.assign(p=[mcnemar(*each) for each in counts]))


def describe_odds(rounds: pd.DataFrame, first: ModelName, second: ModelName) -> str:
    """What count_odds shows: the counts of all its rounds, and in how many single rounds, and for whom, the two
    networks differ clearly. It speaks of these networks; what an architecture adds is judged over rounds."""
    one, other = int(rounds["only_first"].sum()), int(rounds["only_second"].sum())
    ahead = rounds["only_first"] > rounds["only_second"]
    clear = [int((rounds["clear"] & side).sum()) for side in (ahead, ~ahead)]
    return (
        f"Over {plural(len(rounds), 'round')}, {PALETTE[first].label} alone is right on {plural(one, 'pair')}, "
        f"{PALETTE[second].label} alone on {other:,}. Of the two networks of a round, that of {PALETTE[first].label} "
        f"is clearly ahead in {clear[0]} and that of {PALETTE[second].label} in {clear[1]} of "
        f"{plural(len(rounds), 'round')} (McNemar's exact test, Holm's correction over these rounds)."
    )
