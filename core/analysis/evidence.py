"""What each chapter of the lesson shows after the guess: the rows of its figure, what is true, and two sentences."""

from collections.abc import Callable, Mapping, Sequence
from math import log2
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import pandas as pd

from core.analysis.artefact import DIGIT_MODELS, EXPLANATIONS, dropout_artefact
from core.analysis.comparison import compare_ideas, read_rounds
from core.analysis.findings import digit_accuracy_squared
from core.analysis.mistakes import read_answers
from core.analysis.numbers import fraction, percent, plural, points, round_exactly, with_sign
from core.analysis.sentences import between, tuples
from core.analysis.statistics import LEVEL, half_width, summarise_rounds
from core.analysis.tables import only_planned, results_table, with_report_settings
from core.networks.structure import count_parameters
from core.runs.palette import PALETTE
from core.runs.plan import planned_run_ids
from core.runs.settings import REPORT_MODELS, ModelName, RunSettings
from core.runs.store import RunStore
from core.runs.studies import STUDIES

NAN = float("nan")
KIND_LABELS = {"all": "All pairs", "unequal": "Different digits", "equal": "Equal digits"}
SHARING: tuple[ModelName, ModelName] = ("TwoBranchesModel", "WeightSharingBranchesModel")
PLAIN: ModelName = "TwoChannelsModel"
READER: ModelName = "DirectClassificationModel"
LAYERS, LOSSES = "Taking the auxiliary network's layers, its losses switched off,", "Switching on the auxiliary losses"
SHARED_VECTORS = "Giving vectors instead of scores, with shared weights,"
SHARED_SCORES = "Sharing weights between branches that give a score"


class Mark(NamedTuple):
    """A row of a figure: a value with its interval if it has one, as the unit of the figure. `step`: from which reveal
    on it is there. `colour` is empty for what is not clear or not ours."""

    label: str
    value: float
    text: str
    low: float = NAN
    high: float = NAN
    colour: str = ""
    step: int = 1
    group: str = ""


class Evidence(NamedTuple):
    """What a chapter shows. `sides`: what less, none and more means on a figure of differences.

    `truth` is the value of the guess that is right, None if the store cannot tell; `says` the sentences, the first with
    the first reveal. `facts` fill the chapter's prompt. `problem` says what is missing, if something is.
    """

    caption: str
    kind: Literal["bars", "dots"] = "bars"
    marks: tuple[Mark, ...] = ()
    sides: tuple[str, str, str] = ("", "", "")
    truth: int | None = None
    says: tuple[str, ...] = ()
    facts: Mapping[str, str] = MappingProxyType({})
    problem: str = ""


def missing(what: str) -> Evidence:
    """A chapter for which the store has no runs."""
    return Evidence("", problem=f"No finished rounds of {what} are stored yet, so there is nothing to reveal.")


# 1: seven ideas


def show_ideas(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """Mean test accuracy of each architecture without dropout; the best is what was asked for."""
    table = results_table(only_planned(runs))
    cells = table[(table["dropout"] == 0) & ~table["dropout_at_evaluation"].astype(bool) & (table["rounds"] > 0)]
    rows = {row.model: row for row in tuples(cells) if row.model in REPORT_MODELS}
    if len(rows) < 2:
        return missing("the seven")
    marks = tuple(
        Mark(PALETTE[model].label, row.mean, percent(row.mean), colour=PALETTE[model].colour, step=2)
        for model, row in rows.items()
    )
    best = max(rows, key=lambda model: rows[model].mean)
    least = min(rows.values(), key=lambda row: row.rounds).rounds
    winner = (
        f"**{PALETTE[best].label}** {PALETTE[best].idea}: right in **{percent(rows[best].mean)}** of the test pairs."
    )
    if PLAIN in rows and best != PLAIN:
        winner += f" {PALETTE[PLAIN].label} {PALETTE[PLAIN].idea}: {percent(rows[PLAIN].mean)}. Same pairs, same rules."
    says = ("Ten pairs are too few to tell: one more or less moves anybody by ten points.", winner)
    caption = f"Test accuracy, mean of {plural(least, 'round')} without dropout"
    return Evidence(caption, "bars", marks, truth=REPORT_MODELS.index(best), says=says)


# 2 to 4: what an idea adds


def _rows_of(store: RunStore, runs: pd.DataFrame, dropout: float, change: str) -> dict[str, Any]:
    """What a change adds on each kind of pairs, as *Compare* has it; empty below two common rounds."""
    ideas = compare_ideas(read_rounds(store, only_planned(runs)).table, dropout)
    rows = {row.kind: row for row in tuples(ideas[ideas["change"] == change])}
    return rows if rows["all"].rounds >= 2 else {}


def _mark_change(row: Any, label: str, step: int, group: str = "") -> Mark:
    colour = PALETTE[row.model].colour if row.clear else ""
    text = with_sign(row.difference)
    return Mark(label, row.difference, text, row.low, row.high, colour, step, group)


def _judge(row: Any) -> int:
    """0 if the first of two is clearly better, 2 if the second is, 1 if no difference is clear."""
    return 1 if not row.clear else 2 if row.difference > 0 else 0


def _say(row: Any) -> str:
    """'+3.0 points (95 % 1.6 to 4.4)' or 'no clear difference: +0.7 points (…)'."""
    number = f"**{with_sign(row.difference)} points** ({between(row.low, row.high)})"
    return number if row.clear else f"no clear difference: {number}"


def _compare_kinds(rows: Mapping[str, Any], adds: str, sides: tuple[str, str, str], says: tuple[str, ...]) -> Evidence:
    marks = tuple(_mark_change(rows[kind], label, 1 if kind == "all" else 2) for kind, label in KIND_LABELS.items())
    caption = f"What {adds} to accuracy, in points: {rows['all'].rounds} rounds, 95 % intervals"
    return Evidence(caption, "dots", marks, sides, _judge(rows["all"]), says)


def show_sharing(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """What sharing weights between branches that give a score adds, on all pairs and by kind."""
    rows = _rows_of(store, runs, 0.0, SHARED_SCORES)
    if not rows:
        return missing(" and ".join(PALETTE[model].label for model in SHARING))
    own, shared = (count_parameters(RunSettings(model=model)) for model in SHARING)
    half = "half the parameters" if round(100 * shared / own) == 50 else f"{percent(shared / own)} of the parameters"
    first = f"Over all pairs, sharing makes {_say(rows['all'])}. It has **{half}**."
    unequal, equal = rows["unequal"], rows["equal"]
    second = f"On different digits: {_say(unequal)}. On equal ones: {_say(equal)}."
    if unequal.clear and unequal.difference > 0 and equal.clear and equal.difference < 0:
        second = (
            f"Sharing helps where digits differ (**{with_sign(unequal.difference)}**): what is learnt from either "
            "serves both. But a difference of two equal scores can only toss a coin, so equal digits hide it."
        )
    return _compare_kinds(
        rows, "sharing adds", ("own eyes better", "no difference", "shared eyes better"), (first, second)
    )


def show_vectors(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """What ten numbers instead of one add, with shared weights."""
    rows = _rows_of(store, runs, 0.0, SHARED_VECTORS)
    if not rows:
        return missing(f"{PALETTE[SHARING[1]].label} and {PALETTE['WeightSharingBranchesToVecModel'].label}")
    unequal, equal = rows["unequal"], rows["equal"]
    second = f"On different digits: {_say(unequal)}. On equal ones: {_say(equal)}."
    if not unequal.clear and equal.clear and equal.difference > 0:
        second = (
            f"Ten numbers do not clearly order digits better ({with_sign(unequal.difference)}). They let the network "
            f"notice that two digits are the same: **{with_sign(equal.difference)}** on equal ones."
        )
    first = f"Over all pairs, ten numbers make {_say(rows['all'])}."
    return _compare_kinds(
        rows, "ten numbers add", ("one number better", "no difference", "ten numbers better"), (first, second)
    )


def show_told(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """What the auxiliary losses add, apart from their layers, without and with dropout."""
    layers, plain = (_rows_of(store, runs, 0.0, change).get("all") for change in (LAYERS, LOSSES))
    dropped = _rows_of(store, runs, 0.25, LOSSES).get("all")
    if plain is None:
        return missing(f"{PALETTE['WeightSharingAuxiliaryModel'].label} with and without its losses")
    marks = [_mark_change(layers, "Its layers, losses off", 1)] if layers is not None else []
    marks += [_mark_change(plain, "Its losses", 1)]
    first = f"Being told the digits adds, without dropout: {_say(plain)}."
    second = f"“Smaller or not” is one bit a pair; which two digits it shows, up to {log2(100):.1f}."
    if dropped is not None:
        marks.append(_mark_change(dropped, "Its losses, with dropout 0.25", 2))
        second = f"With dropout 0.25: {_say(dropped)}. {second}"
    caption = f"What it adds to accuracy, in points: {plain.rounds} rounds, 95 % intervals"
    sides = ("worse", "no difference", "better")
    truth = int(round_exactly(plain.difference, 0, 100))
    return Evidence(caption, "dots", tuple(marks), sides, truth, (first, second))


# 5: reading


def show_reading(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """In how many pairs both digits are read rightly, and in how many the order is right although one is not."""
    table = digit_accuracy_squared(store, only_planned(runs)).table
    own = table[table["dropout"] == 0]
    if own.empty:
        return missing(PALETTE[READER].label)
    mean, count = own.mean(), len(own)
    both, lucky, right = mean["both_right"], mean["lucky"], mean["test_accuracy"]
    colour = PALETTE[READER].colour
    marks = (
        Mark("Both digits read rightly", both, percent(both), colour=colour),
        Mark("Misread, order right", lucky, percent(lucky), colour=colour, step=2),
        Mark("Compared rightly", right, percent(right), colour=colour, step=2),
    )
    options = (0.90, 0.95, 0.97, 0.99)
    nearest = min(range(len(options)), key=lambda place: abs(options[place] - right))
    half = float(half_width(own["lucky"].std(), count))
    interval = f" ({between(lucky - half, lucky + half)})" if count > 1 else ""
    says = (
        f"Two readings are both right in **{percent(both)}** of the pairs, about {percent(mean['digit_accuracy'])} "
        "squared.",
        f"Yet **{percent(right)}** of the comparisons are right: in {points(lucky)} of 100 pairs{interval} a digit is "
        "misread and the order stays. A 4 read as 9 is still more than a 2.",
    )
    digit = str(round_exactly(mean["digit_accuracy"], 0, 100))
    caption = f"Share of test pairs, {PALETTE[READER].label}, {plural(count, 'round')} without dropout"
    return Evidence(caption, "bars", marks, truth=nearest, says=says, facts={"digit": digit})


# 6: reading a paper

_CASE_LABELS = {  # of core.analysis.artefact -> the label, and the reveal
    "Dropout 0.25": ("ours, off in the test", 1),
    "Dropout 0.25, left on": ("ours, left on", 2),
    "Dropout 0.25, best epoch": ("ours, best epoch kept", 2),
}


def show_dropout(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """The printed accuracies with dropout, ours, and which explanation gives the printed ones."""
    table = dropout_artefact(store, only_planned(runs)).table
    known = table[table["case"].isin(EXPLANATIONS) & table["off_p_holm"].notna()]
    cells = {(row.model, row.case): row for row in tuples(known)}
    if len(cells) < len(EXPLANATIONS) * len(DIGIT_MODELS):
        return missing("dropout left on and off in the test")
    marks = []
    for model in DIGIT_MODELS:
        look, printed = PALETTE[model], cells[model, "Dropout 0.25"].report_mean
        marks.append(Mark("printed", printed, fraction(printed), group=look.label))
        for case, (label, step) in _CASE_LABELS.items():
            row = cells[model, case]
            marks.append(Mark(label, row.mean, fraction(row.mean), row.low, row.high, look.colour, step, look.label))
    fits = [case for case in EXPLANATIONS if all(cells[model, case].off_p_holm >= LEVEL for model in DIGIT_MODELS)]
    caption = "Test accuracy with dropout: ours 0.25, ten rounds, 95 % intervals"
    return Evidence(caption, "dots", tuple(marks), truth=_find_slip(fits), says=_say_slip(cells, fits))


def _find_slip(fits: list[str]) -> int | None:
    """The slip in the test, if leaving dropout on is all that fits the printed figures."""
    return 3 if fits == ["Dropout 0.25, left on"] else None


def _say_slip(cells: Mapping[tuple[str, str], Any], fits: list[str]) -> tuple[str, str]:
    def values(case: str) -> str:
        return " and ".join(fraction(cells[model, case].mean) for model in DIGIT_MODELS)

    printed = " and ".join(fraction(cells[model, "Dropout 0.25"].report_mean) for model in DIGIT_MODELS)
    first = (
        f"Switched off in the test, as it should be, ours reach **{values('Dropout 0.25')}**; printed are {printed}."
    )
    left = values("Dropout 0.25, left on")
    if _find_slip(fits) is None:
        return (
            first,
            f"Left on during the test, they reach {left}. Which explanation holds is not clear from these runs.",
        )
    return first, (
        f"Left on, dropout makes a network guess with a part of itself: **{left}** come out. Keeping the best epoch "
        f"does not give both ({values('Dropout 0.25, best epoch')})."
    )


# 7 and 8


def show_data(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """How accuracy grows with training pairs: the plain network's, and what every idea reaches with the most pairs."""
    wanted = {settings.run_id for settings in STUDIES["data"].plan()} | planned_run_ids()
    finished = with_report_settings(runs[runs["run_id"].isin(wanted)], "training_pairs")
    kept = finished[(finished["dropout"] == 0) & ~finished["dropout_at_evaluation"].astype(bool)]
    table = summarise_rounds(kept, ["model", "training_pairs"], also=())
    rows = {(row.model, row.training_pairs): row for row in tuples(table)}
    plain = [pairs for model, pairs in rows if model == PLAIN and pairs >= 1_000]
    most = max(plain, default=0)
    if most <= 1_000 or (READER, 1_000) not in rows:
        return missing(f"{PALETTE[PLAIN].label} with more than 1,000 training pairs")
    goal = rows[READER, 1_000]
    marks = [_mark_pairs(rows[PLAIN, pairs], f"{pairs:,} pairs", PALETTE[PLAIN].label) for pairs in sorted(plain)]
    marks.append(_mark_pairs(goal, "1,000 pairs", PALETTE[READER].label))
    others = [model for model in REPORT_MODELS if (model, most) in rows and model != PLAIN]
    marks += [_mark_pairs(rows[model, most], PALETTE[model].label, f"With {most:,} pairs", 2) for model in others]
    first, truth = _say_worth(rows, sorted(plain), goal)
    known = [pairs for pairs in (1_000, most) if (READER, pairs) in rows and (PLAIN, pairs) in rows]
    leads = {pairs: rows[READER, pairs].mean - rows[PLAIN, pairs].mean for pairs in known}
    second = "An idea is worth data."
    if len(leads) == 2:
        second = (
            f"With 1,000 pairs, reading the digits leads by **{points(leads[1_000])}** points, with {most:,} by "
            f"**{points(leads[most])}**."
        )
    caption = f"Test accuracy without dropout, at least {min(row.rounds for row in rows.values())} rounds each"
    return Evidence(caption, "bars", tuple(marks), truth=truth, says=(first, second))


def _mark_pairs(row: Any, label: str, group: str, step: int = 1) -> Mark:
    return Mark(label, row.mean, percent(row.mean), colour=PALETTE[row.model].colour, step=step, group=group)


def _say_worth(rows: Mapping[tuple[str, int], Any], counts: Sequence[int], goal: Any) -> tuple[str, int | None]:
    """With how many pairs the plain network reaches the goal, and which option says so; None if it is not clear."""
    enough = next((pairs for pairs in counts if rows[PLAIN, pairs].mean >= goal.mean), None)
    reached = f"{PALETTE[READER].label} reaches **{percent(goal.mean)}** with 1,000 pairs"
    if enough is not None:
        place = next((place for place, pairs in enumerate((2_000, 5_000, 25_000)) if enough <= pairs), None)
        return f"{reached}; {PALETTE[PLAIN].label} needs about {enough:,}.", place
    last = rows[PLAIN, counts[-1]]
    never = counts[-1] == 25_000 and last.high < goal.low
    text = f"{reached}; {PALETTE[PLAIN].label}, with {counts[-1]:,}, is at {percent(last.mean)}."
    return text, 3 if never else None


def show_limits(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """How sure the networks without dropout are of the test pairs that they get wrong."""
    plain = (runs["dropout"] == 0) & ~runs["dropout_at_evaluation"].fillna(True).astype(bool)
    answers = read_answers(store, only_planned(runs[plain])).table
    wrong = answers[~answers["right"].astype(bool)]
    if wrong.empty:
        return missing("the seven")
    sure = wrong.groupby("model", observed=True)["confidence"].mean()
    marks = tuple(
        Mark(PALETTE[model].label, sure[model], percent(sure[model]), colour=PALETTE[model].colour)
        for model in REPORT_MODELS
        if model in sure.index
    )
    says = (
        "They know American digits of 14 × 14 pixels and nothing else, and are sure of themselves all the same: "
        f"**{percent(wrong['confidence'].mean())}** sure on average where they are wrong.",
    )
    return Evidence("How sure they are of the test pairs that they get wrong, on average", "bars", marks, says=says)


EVIDENCE: Mapping[str, Callable[[RunStore, pd.DataFrame], Evidence]] = {
    "game": show_ideas,
    "sharing": show_sharing,
    "vectors": show_vectors,
    "told": show_told,
    "reading": show_reading,
    "dropout": show_dropout,
    "data": show_data,
    "fool": show_limits,
}
