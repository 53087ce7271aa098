"""What the second to the fourth chapter of the lesson show: what an idea adds."""

from collections.abc import Mapping
from math import log2
from typing import Any

import pandas as pd

from core.analysis.comparison import compare_ideas, read_rounds
from core.analysis.exhibit import Chart, Curve, Evidence, Mark, Point, missing
from core.analysis.numbers import percent, points, round_exactly, with_sign
from core.analysis.sentences import between, name_dropout, tuples, with_dropout
from core.analysis.statistics import summarise_rounds
from core.analysis.studies import compare_weights
from core.analysis.tables import only_planned, with_report_settings
from core.networks.structure import count_parameters
from core.runs.palette import PALETTE
from core.runs.settings import ModelName, RunSettings
from core.runs.store import RunStore
from core.runs.studies import AUXILIARY_WEIGHTS, STUDIES

KIND_LABELS = {"all": "All pairs", "unequal": "Unequal digits", "equal": "Equal digits"}
SHARING: tuple[ModelName, ModelName] = ("TwoBranchesModel", "WeightSharingBranchesModel")
VECTORS: ModelName = "WeightSharingBranchesToVecModel"
TOLD: ModelName = "WeightSharingAuxiliaryModel"
LAYERS = "Taking the auxiliary network's layers instead of shared vectors, its losses switched off,"
LOSSES = "Switching on the auxiliary losses"
SHARED_VECTORS = "Giving vectors instead of scores, with shared weights,"
SHARED_SCORES = "Sharing weights between branches that give a score"


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
    first = f"Sharing, over all pairs: {_say(rows['all'])}. It has **{half}**."
    unequal, equal = rows["unequal"], rows["equal"]
    second = f"On unequal digits: {_say(unequal)}. On equal ones: {_say(equal)}."
    if unequal.clear and unequal.difference > 0 and equal.clear and equal.difference < 0 and not rows["all"].clear:
        second = (
            f"Sharing does better where digits differ (**{with_sign(unequal.difference)}**) and worse where they are "
            f"equal ({with_sign(equal.difference)}), where a difference of two equal scores can only toss a coin: "
            "together, the two hide each other."
        )
    return _compare_kinds(
        rows, "sharing adds", ("own eyes better", "no difference", "shared eyes better"), (first, second)
    )


def show_vectors(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """What ten numbers instead of one add, with shared weights."""
    rows = _rows_of(store, runs, 0.0, SHARED_VECTORS)
    if not rows:
        return missing(f"{PALETTE[SHARING[1]].label} and {PALETTE[VECTORS].label}")
    unequal, equal = rows["unequal"], rows["equal"]
    second = f"On unequal digits: {_say(unequal)}. On equal ones: {_say(equal)}."
    if not unequal.clear and equal.clear and equal.difference > 0:
        second = (
            f"Ten numbers do not clearly order digits better ({with_sign(unequal.difference)}). What they clearly add "
            f"is on equal digits: **{with_sign(equal.difference)}**."
        )
    first = f"Ten numbers, over all pairs: {_say(rows['all'])}."
    return _compare_kinds(
        rows, "ten numbers add", ("one number better", "no difference", "ten numbers better"), (first, second)
    )


def show_told(store: RunStore, runs: pd.DataFrame) -> Evidence:
    """What the auxiliary losses add, apart from their layers, without and with dropout; then other weights of them."""
    layers, plain = (_rows_of(store, runs, 0.0, change).get("all") for change in (LAYERS, LOSSES))
    dropped = _rows_of(store, runs, 0.25, LOSSES).get("all")
    if plain is None:
        return missing(f"{PALETTE[TOLD].label} with and without its losses")
    first = f"Being told the digits adds, without dropout: {_say(plain)}"
    first += f"; with dropout 0.25: {_say(dropped)}." if dropped is not None else "."
    first += f" Its layers alone: {_say(layers)}." if layers is not None else ""
    planned = {settings.run_id for settings in STUDIES["auxiliary-weight"].plan()}
    study = runs[runs["run_id"].isin(planned) & (runs["state"] == "finished")]
    weights = compare_weights(study.rename(columns={"test_accuracy": "all"}))
    second = f"“Smaller or not” is one bit a pair; which two digits it shows, up to {log2(100):.1f}."
    caption = f"Test accuracy, at least {min(weights['rounds'])} rounds each, 95 % intervals"
    return Evidence(
        caption, truth=int(round_exactly(plain.difference, 0, 100)), says=(first, f"{_say_weights(weights)} {second}"),
        chart=_draw_weights(weights, runs),
    )  # fmt: skip


def _draw_weights(weights: pd.DataFrame, runs: pd.DataFrame) -> Chart:
    """Accuracy without the layers, and with each weight of the losses; a line for each dropout."""
    report = with_report_settings(only_planned(runs))
    bare = report[(report["model"] == VECTORS) & ~report["dropout_at_evaluation"].astype(bool)]
    without = {row.dropout: row for row in tuples(summarise_rounds(bare, ["dropout"], also=()))}
    ticks = {-1.0: "without its layers"} | {float(x): f"{weight:g}" for x, weight in enumerate(AUXILIARY_WEIGHTS)}
    look, curves = PALETTE[TOLD], []
    dropouts: list[float] = sorted(set(weights["dropout"]))
    for place, dropout in enumerate(dropouts):
        own = weights[weights["dropout"] == dropout]
        rows = [(-1.0, 1, without[dropout])] if dropout in without else []
        for row in tuples(own):
            rows.append((float(AUXILIARY_WEIGHTS.index(row.weight)), 1 if row.weight in (0, 1) else 2, row))
        points = tuple(
            Point(x + 0.12 * place, row.mean, f"{ticks[x]} {percent(row.mean)}", row.low, row.high, step)
            for x, step, row in rows
        )
        name = name_dropout(dropout)
        dash, marker = ((3, 3), f"{look.marker}-open") if dropout else ((), look.marker)
        curves.append(Curve(name, look.colour, dash, marker, points))
    return Chart("Weight of the losses in naming the digits", ticks, tuple(curves))


def _say_weights(weights: pd.DataFrame) -> str:
    """Which weight has the highest mean, and which of them cost accuracy clearly."""
    others = weights[~weights["weight"].isin([0.0, 1.0])]
    if others.empty:
        return "Other weights than 0 and 1 are not stored yet."
    best = {row.dropout: f"{row.weight:g}" for row in tuples(weights.loc[weights.groupby("dropout")["mean"].idxmax()])}
    names = [f"{weight} {with_dropout(dropout)}" for dropout, weight in best.items()]
    if len(best) == 2 and len(set(best.values())) == 1:
        names = [f"{best[0.0]}, without dropout and with it"]
    harm = [
        f"; {row.weight:g} costs **{points(-row.difference)} points** {with_dropout(row.dropout)}"
        for row in tuples(weights[weights["clear"] & (weights["difference"] < 0)])
    ]
    untested = "its neighbours were not tested against it"
    return f"The weight with the highest mean is {' and '.join(names)} ({untested}){''.join(harm)}."
