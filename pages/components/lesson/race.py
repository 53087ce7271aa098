"""The live race of a chapter: its architectures, three new rounds each, trained while a class watches."""

from collections.abc import Sequence
from itertools import count

import streamlit as st

from core.analysis.race import Lane, make_lanes
from core.analysis.tables import load_histories
from core.cluster.limits import LimitError
from core.runs.settings import ModelName, RunSettings
from core.runs.store import StoreError
from pages.app.shared import STORE, get_engine, get_owner
from pages.components.moves import listen
from pages.components.queue import describe_wait
from pages.components.race import show_race

ROUNDS = 3
FIRST_SEED = 100  # beyond the reproduction's
# In the session's state: `lesson_race`, the first seed of the race that is shown.
state = st.session_state


def is_racing() -> bool:
    """Whether a race is shown in place of the evidence."""
    return "lesson_race" in state


def offer_race(models: Sequence[ModelName]) -> None:
    """The button that starts a race, unless nobody may train here; or the way back from one."""
    if is_racing():
        st.button("Back to ten rounds", icon=":material/arrow_back:", key="lesson_race_end", on_click=_end)
    elif not get_engine().limits.objection(RunSettings(model=models[0], seed=FIRST_SEED)):
        st.button(
            "Race them live", icon=":material/play_arrow:", key="lesson_race_start", on_click=_start, args=(models,)
        )


@st.fragment
def watch_race(models: Sequence[ModelName]) -> None:
    """Chart and board, drawn anew when a round has moved."""
    lanes, engine = _make_lanes(models, state.lesson_race), get_engine()
    rounds = {settings.run_id for lane in lanes for settings in lane.rounds}
    listen("race_moves", rounds)
    runs = {run_id: STORE.read(run_id) for run_id in rounds}
    show_race(lanes, load_histories(STORE, rounds), "validation_accuracy", runs, engine, is_narrow=True)
    if wait := describe_wait(engine, rounds):
        st.caption(wait)


def _make_lanes(models: Sequence[ModelName], seed: int) -> list[Lane]:
    return make_lanes([RunSettings(model=model, seed=seed) for model in models], ROUNDS)


def _start(models: Sequence[ModelName]) -> None:
    """Train the first rounds that nobody has trained yet: only what has not been seen is a race."""
    for seed in count(FIRST_SEED, ROUNDS):
        rounds = [settings for lane in _make_lanes(models, seed) for settings in lane.rounds]
        if all(STORE.read(settings.run_id).state == "missing" for settings in rounds):
            break
    try:
        get_engine().request(rounds, get_owner())
    except (LimitError, StoreError) as error:
        state.lesson_error = str(error)
    else:
        state.lesson_race = seed


def _end() -> None:
    del state.lesson_race
