"""The race on the screen: the live chart, and beside it the score board."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.numbers import points
from core.analysis.race import Lane, Standing, rank_lanes
from core.cluster.engine import Engine
from core.figures.live import curve_rows, live_curves
from core.runs.records import METRICS
from pages.components.files import read_beside
from pages.components.race.states import Runs, describe_lanes, find_ended

HEIGHT, LOW = 350, 240  # pixels of the chart, beside the board and below it

_BOARD = st.components.v2.component(
    "score_board",
    html=read_beside(__file__, "board.html"),
    css=read_beside(__file__, "board.css"),
    js=read_beside(__file__, "board.js"),
)


def show_race(
    lanes: Sequence[Lane], histories: pd.DataFrame, metric: str, runs: Runs, engine: Engine, told: Runs | None = None,
    is_narrow: bool = False,
) -> None:  # fmt: skip
    """Chart and board of a race's `runs`; `told` are those whose results the board may tell, if not all. In a narrow
    place the board stands above a lower chart."""
    ended, states = find_ended(runs), describe_lanes(lanes, runs, engine)
    standings = rank_lanes(lanes, histories, runs if told is None else told)
    if is_narrow:
        board, chart = st.container(), st.container()
    else:
        chart, board = st.columns([5, 4], gap="medium")
    names = ", ".join(lane.name for lane in lanes)
    with chart:
        st.vega_lite_chart(
            curve_rows(histories, lanes, metric, ended),
            {**live_curves(metric, lanes), "config": {"axis": _axis_text()}},
            key="live",
            on_select="rerun",  # Streamlit resets a zoom at new data, unless it is a selection that somebody asks for
            selection_mode="zoom",
            height=LOW if is_narrow else HEIGHT,
            # The same words until all have ended: at other ones Streamlit builds the chart anew.
            alt=f"{METRICS[metric]} against the epoch: {names}. {tell_lead(standings, ended)}",
        )
        st.caption(explain_lines(lanes, metric, standings))
    with board:
        _BOARD(
            key="board",
            data={
                "rows": [_row(standing, states) for standing in standings],
                "order": "test" if _have_finished(standings) else "validation",
                "spoken": tell_phase(standings, ended),
            },
        )


def tell_phase(standings: Sequence[Standing], ended: set[str]) -> str:
    """What a screen reader says when training starts and when it ends; the same words in between."""
    rounds = {settings.run_id for standing in standings for settings in standing.lane.rounds}
    if rounds - ended:
        return "Training."
    if not _have_finished(standings):
        return "" if all(each.validation is None for each in standings) else "Training has stopped."
    return f"Training has ended. {_word_lead(standings)}"


def tell_lead(standings: Sequence[Standing], ended: set[str]) -> str:
    """Who leads a race and by how much, for its chart's alt text; where to read it as long as it goes on."""
    rounds = {settings.run_id for standing in standings for settings in standing.lane.rounds}
    if rounds - ended or not _have_finished(standings):
        return "The table beside it says how they stand."
    return _word_lead(standings)


def _have_finished(standings: Sequence[Standing]) -> bool:
    """Whether every round of the race has its test accuracy."""
    return all(each.test is not None and each.finished == len(each.lane.rounds) for each in standings)


def _word_lead(standings: Sequence[Standing]) -> str:
    """Who has the highest test accuracy, as printed, of lanes that have all finished, the best first."""
    best, *others = [(each.lane.name, each.test or 0.0) for each in standings]
    if not others:
        return f"The test accuracy: {points(best[1])} %."
    (second, next_best), lead = others[0], points(best[1] - others[0][1])
    if points(best[1]) == points(next_best):
        return f"{best[0]} and {second} have the highest test accuracy: {points(best[1])} %."
    return f"{best[0]} has the highest test accuracy: {points(best[1])} %, {lead} points ahead of {second}."


def _axis_text() -> dict[str, Any]:
    """Letters of the axes: large enough for a projector, with a contrast of at least 4.5 (Streamlit's have 3.7)."""
    ink = "#a9b4c0" if st.context.theme.type == "dark" else "#55606e"
    return {"labelFontSize": 14, "titleFontSize": 14, "labelColor": ink, "titleColor": ink}


def explain_lines(lanes: Sequence[Lane], metric: str, standings: Sequence[Standing]) -> str:
    """What thick and thin lines are, and of how many rounds they are."""
    count = len(lanes[0].rounds)
    dropouts = sorted({lane.rounds[0].dropout for lane in lanes})
    if count == 1:
        text = "One round for each line."
    else:
        text = f"Bold: the mean of the rounds that have come that far, at most {count}; an ended one counts with its "
        text += "last value." + (" Thin: single rounds." if len(dropouts) == 1 else "")
    if len(dropouts) > 1:
        text += f" The higher the dropout ({', '.join(f'{p:g}' for p in dropouts)}), the thinner the line."
    epochs = [epoch for each in standings for epoch in each.epochs]
    if any(epochs) and len(epochs) > 2 and any(each.finished < count for each in standings):
        text += f" The rounds are at epoch {min(epochs)} to {max(epochs)}."
    if metric.endswith("loss"):
        text += " What is above the axis shows when you drag the chart."
        if len({_kind_of_loss(lane) for lane in lanes}) > 1:
            text += " These losses are of different kinds and cannot be compared with each other."
    return text


def _kind_of_loss(lane: Lane) -> str:
    """The kind of an architecture's loss."""
    model = lane.rounds[0].model
    return model if model in ("DirectClassificationModel", "WeightSharingAuxiliaryModel") else "comparison"


def _row(standing: Standing, states: dict[str, str]) -> dict[str, Any]:
    """A row of the board: what it shows, as text."""
    lane, (least, most) = standing.lane, standing.epochs
    epoch = str(most) if least == most else f"{least}–{most}"
    test = "" if standing.test is None else points(standing.test)
    return {
        "name": lane.name,
        "colour": lane.look.colour,
        "dash": " ".join(map(str, lane.look.dash)),
        "state": states.get(lane.name, ""),
        "epoch": epoch if most else "–",
        "validation": "–" if standing.validation is None else points(standing.validation),
        "test": test or "–",
        "deviation": "" if standing.deviation is None else f"± {points(standing.deviation)}",
        "seconds": "–" if standing.seconds is None else f"{standing.seconds:.1f}",
    }
