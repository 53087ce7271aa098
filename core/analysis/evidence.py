"""What each chapter of the lesson shows after the guess: the rows of its figure, what is true, and two sentences."""

from collections.abc import Callable, Mapping, Sequence
from math import log10
from typing import Any

import pandas as pd

from core.analysis.artefact import DIGIT_MODELS, EXPLANATIONS, dropout_artefact
from core.analysis.calibration import wrong_if_calibrated
from core.analysis.evidence_ideas import show_sharing, show_told, show_vectors
from core.analysis.exhibit import Arrow, Chart, Curve, Evidence, Mark, Point, missing
from core.analysis.findings import digit_accuracy_squared
from core.analysis.game import MIX
from core.analysis.mistakes import read_answers
from core.analysis.numbers import fraction, in_words, percent, plural, points, round_exactly, with_sign
from core.analysis.sentences import between, tuples
from core.analysis.statistics import LEVEL, half_width, summarise_rounds
from core.analysis.studies import Needed, count_rounds, pairs_needed, round_pairs
from core.analysis.tables import only_planned, results_table, with_report_settings
from core.runs.palette import PALETTE
from core.runs.plan import planned_run_ids
from core.runs.settings import REPORT_MODELS, ModelName
from core.runs.store import RunStore
from core.runs.studies import STUDIES, TRAINING_PAIRS

PLAIN: ModelName = "TwoChannelsModel"
READER: ModelName = "DirectClassificationModel"


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
        winner += f" {PALETTE[PLAIN].label} {PALETTE[PLAIN].idea}: {percent(rows[PLAIN].mean)}, on the same pairs."
    chosen = f"{in_words(MIX['equal'])} have equal digits, and most of the networks miss {in_words(MIX['hard'])}"
    says = (f"Ten pairs are no accuracy, and these were chosen: {chosen}.", winner)
    caption = f"Test accuracy, mean of {plural(least, 'round')} without dropout"
    return Evidence(caption, "bars", marks, truth=REPORT_MODELS.index(best), says=says)


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
    least = min(int(row.rounds) for row in cells.values())
    caption = f"Test accuracy with dropout: ours 0.25, {plural(least, 'round')}, 95 % intervals"
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
    """How accuracy grows with training pairs: the plain network's and how far it is from reading the digits; then all
    ideas', each with the pairs that the plain network needs for what it reaches with 1,000."""
    wanted = {settings.run_id for settings in STUDIES["data"].plan()} | planned_run_ids()
    finished = with_report_settings(runs[runs["run_id"].isin(wanted)], "training_pairs")
    kept = _keep_whole(finished[(finished["dropout"] == 0) & ~finished["dropout_at_evaluation"].astype(bool)])
    table = summarise_rounds(kept, ["model", "training_pairs"], also=())
    rows = {(row.model, row.training_pairs): row for row in tuples(table)}
    plain = [pairs for model, pairs in rows if model == PLAIN and pairs >= 1_000]
    most = max(plain, default=0)
    if most <= 1_000 or (READER, 1_000) not in rows:
        return missing(f"{PALETTE[PLAIN].label} with more than 1,000 training pairs")
    first, truth = _say_worth(rows, sorted(plain), rows[READER, 1_000])
    needed = pairs_needed(kept, kind="test_accuracy")
    second = " ".join(filter(None, [_say_leads(rows, most), _say_arrows(needed)]))
    caption = f"Test accuracy without dropout, means. {count_rounds(kept)}"
    return Evidence(caption, truth=truth, says=(first, second), chart=_draw_data(kept, needed))


def _keep_whole(kept: pd.DataFrame) -> pd.DataFrame:
    """The rounds that the plain network has with every number of pairs; all, where there is none."""
    sizes = kept[kept["model"] == PLAIN].groupby("seed")["training_pairs"].nunique()
    whole = sizes[sizes == len(TRAINING_PAIRS)].index
    return kept[kept["seed"].isin(whole)] if len(whole) else kept


def _draw_data(kept: pd.DataFrame, needed: Sequence[Needed]) -> Chart:
    """Means against pairs, from 1,000 on."""
    shown = kept[kept["training_pairs"] >= 1_000]
    curves = []
    for model in REPORT_MODELS:
        means: Any = shown[shown["model"] == model].groupby("training_pairs")["test_accuracy"].mean()
        points = tuple(
            Point(log10(pairs), mean, f"{pairs:,} pairs: {percent(mean)}", step=_first_seen(model, pairs))
            for pairs, mean in zip(means.index.tolist(), means, strict=True)
        )
        look = PALETTE[model]
        curves.append(Curve(look.label, look.colour, look.dash, look.marker, points))
    ticks = {log10(pairs): f"{pairs:,}" for pairs in TRAINING_PAIRS if pairs >= 1_000}
    return Chart("Training pairs", ticks, tuple(curve for curve in curves if curve.points), _draw_arrows(needed))


def _first_seen(model: ModelName, pairs: int) -> int:
    return 1 if model == PLAIN or (model, pairs) == (READER, 1_000) else 2


def _draw_arrows(needed: Sequence[Needed]) -> tuple[Arrow, ...]:
    """From what an idea reaches with 1,000 pairs to where the plain network does; if it never does, to the edge."""
    arrows = []
    for each in needed:
        within = min(each.pairs, TRAINING_PAIRS[-1])
        look, step = PALETTE[each.model], _first_seen(each.model, 1_000)
        never = each.pairs == float("inf")
        label = f"not with {TRAINING_PAIRS[-1]:,} pairs" if never else f"about {round_pairs(each.pairs)} pairs"
        reached = label if never else f"with {label}"
        text = f"what {look.label} reaches with 1,000, {PALETTE[PLAIN].label} reaches {reached}"
        if within > 1_000:
            on_figure = label if each.model == READER else ""
            arrows.append(Arrow(each.accuracy, log10(1_000), log10(within), look.colour, text, on_figure, step))
    return tuple(arrows)


def _say_leads(rows: Mapping[tuple[str, int], Any], most: int) -> str:
    known = [pairs for pairs in (1_000, most) if (READER, pairs) in rows and (PLAIN, pairs) in rows]
    leads = {pairs: rows[READER, pairs].mean - rows[PLAIN, pairs].mean for pairs in known}
    if len(leads) < 2:
        return "An idea is worth data."
    parts = [f"with {pairs:,} it is **{with_sign(lead)}**" for pairs, lead in leads.items()]
    return f"Points by which reading the digits leads: {', '.join(parts)}."


def _say_arrows(needed: Sequence[Needed]) -> str:
    """What the arrows say, and how surely: the rounds are few."""
    within = [each for each in needed if 1_000 < each.pairs < float("inf")]
    if not within:
        return ""
    least, most = min(within, key=lambda each: each.pairs), max(within, key=lambda each: each.pairs)
    ideas = f"{round_pairs(least.pairs)} ({PALETTE[least.model].label})"
    if most != least:
        ideas = f"{ideas} to {round_pairs(most.pairs)} ({PALETTE[most.model].label})"
    return (
        f"The other arrows end at about {ideas} pairs: what {PALETTE[PLAIN].label} needs for what each reaches with "
        f"1,000. With {plural(least.rounds, 'round')} this is rough."
    )


def _say_worth(rows: Mapping[tuple[str, int], Any], counts: Sequence[int], goal: Any) -> tuple[str, int | None]:
    """With how many pairs the plain network reaches the goal, and which option says so; None if it is not clear."""
    enough = next((pairs for pairs in counts if rows[PLAIN, pairs].mean >= goal.mean), None)
    reached = f"{PALETTE[READER].label} reaches **{percent(goal.mean)}** with 1,000 pairs"
    if enough is not None:
        clear = rows[PLAIN, enough].low > goal.high
        place = next((place for place, pairs in enumerate((2_000, 5_000, 25_000)) if enough <= pairs), None)
        end = "more than that" if clear else "about as much, not clearly more or less"
        text = f"{reached}; {PALETTE[PLAIN].label}, with {enough:,}, {percent(rows[PLAIN, enough].mean)}, {end}."
        return text, place if clear else None
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
    due = wrong_if_calibrated(answers["confidence"].to_numpy(float))
    says = (
        "They know American digits of 14 × 14 pixels and nothing else. Where they are wrong, they are "
        f"**{percent(wrong['confidence'].mean())}** sure on average; were they right as often as they say, it would be "
        f"{percent(due)}.",
    )
    rounds = plural(int(answers.groupby("model", observed=True)["seed"].nunique().min()), "round")
    caption = f"How sure they are of the test pairs that they get wrong, on average, {rounds} without dropout"
    return Evidence(caption, "bars", marks, says=says)


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
