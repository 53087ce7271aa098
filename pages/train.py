"""Choose what is to race, start it, and watch the curves and the score board as it goes on."""

import time

import pandas as pd
import streamlit as st

from core.analysis.tables import load_histories
from core.cluster.limits import LimitError
from core.runs.records import METRICS
from core.runs.store import StoreError
from pages.app.router import enter_by_router
from pages.app.shared import STORE, get_engine, get_owner
from pages.app.text import as_text
from pages.components.architectures import describe_ideas
from pages.components.earlier import show_earlier
from pages.components.link import check_link
from pages.components.moves import listen
from pages.components.queue import describe_wait, show_queue
from pages.components.race import show_race
from pages.components.race.states import describe_rounds
from pages.components.settings_form import FEW, choose_race, suggest_races

REPLAY_TICK = 0.25  # seconds between two steps of a replay; nothing else is shown by the clock
REPLAY_SPEED = 20  # epochs a second


def read_epochs() -> pd.DataFrame:
    """The rounds' histories so far; while a replay runs, as far as it has come."""
    histories = load_histories(STORE, rounds)
    since: float | None = st.session_state.get("replay_since")
    if since is None:
        return histories
    reached = (time.monotonic() - since) * REPLAY_SPEED
    if histories.empty or reached >= histories["epoch"].max():
        del st.session_state.replay_since
    return histories[histories["epoch"] <= reached + 1]


def find_phase() -> tuple[bool, bool]:
    """What the buttons depend on: whether some of these rounds are the visitor's, and whether a replay runs."""
    own = any((job := engine.jobs.get(run_id)) is not None and owner in job.owners for run_id in rounds)
    return own, "replay_since" in st.session_state


def watch_race() -> None:
    """Chart, board, what they say in words, and the queue; drawn anew when a round or the queue has moved."""
    listen("moves", rounds)
    histories, runs = read_epochs(), {run_id: STORE.read(run_id) for run_id in rounds}
    told = {} if "replay_since" in st.session_state else runs  # a replay does not tell its end before it is there
    show_race(lanes, histories, metric, runs, engine, told)
    text = describe_rounds(runs, engine, lanes[0].rounds[0].describe_differences(), not objection)
    wait = describe_wait(engine, rounds)
    missing = any(run.state != "finished" for run in runs.values())
    if missing and not wait and not objection and histories.empty and "replay_since" not in st.session_state:
        wait = "Press *Start training*."
    st.caption(f"{text} {wait}")
    show_queue(engine, owner)
    if phase != find_phase():
        st.rerun()  # once more as a whole page, for the buttons


enter_by_router("train")
st.title("Which idea learns fastest?")
lanes = choose_race()
rounds = {settings.run_id: settings for lane in lanes for settings in lane.rounds}
engine, owner = get_engine(), get_owner()
objection = next(filter(None, map(engine.limits.objection, rounds.values())), "")

actions = st.container(horizontal=True, vertical_alignment="center")
start = actions.button("Start training", type="primary", icon=":material/play_arrow:", disabled=bool(objection))
stop_place = actions.empty()
replay = actions.button("Replay", icon=":material/replay:", help=f"Shows the stored epochs, {REPLAY_SPEED} a second.")
check_link("curve", METRICS.values())
metric = actions.selectbox(
    "Curve", list(METRICS), format_func=lambda name: METRICS.get(name, name), key="curve", bind="query-params",
    label_visibility="collapsed", width=190,
)  # fmt: skip
suggest_races(actions)
if start:
    try:
        if engine.request(rounds.values(), owner) == {"finished"}:
            st.toast("These rounds are trained already: here they are. Another first seed trains new ones.")
    except (LimitError, StoreError) as error:
        st.error(as_text(error), icon=":material/error:")
elif objection:
    st.caption(f":material/lock: {as_text(objection)}")
if replay:
    st.session_state.replay_since = time.monotonic()
phase = find_phase()
if stop_place.button("Stop", icon=":material/stop:", disabled=not phase[0]):
    engine.stop(rounds, owner)

st.fragment(watch_race, run_every=REPLAY_TICK if phase[1] else None)()

models = list(dict.fromkeys(lane.rounds[0].model for lane in lanes))
if len(models) > FEW:
    st.caption(describe_ideas(models))
st.header("Earlier runs", anchor=False)
show_earlier()
