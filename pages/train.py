"""Choose an architecture, train it, and watch each round's curve grow."""

import time
from collections import Counter
from statistics import fmean, stdev

import pandas as pd
import streamlit as st

from core.analysis.numbers import in_percent, points
from core.analysis.tables import SETTINGS_FIELDS, load_histories
from core.cluster.limits import LimitError
from core.figures.live import curve_rows, live_curves
from core.runs.palette import PALETTE
from core.runs.records import METRICS
from core.runs.settings import RunSettings
from core.runs.store import Run, StoreError, UnreadableRun
from pages.app.router import enter_by_router
from pages.app.shared import STORE, get_engine, get_owner, is_phone, read_cells
from pages.app.text import as_text
from pages.components.link import check_link
from pages.components.queue import describe_wait, show_queue
from pages.components.settings_form import choose_settings, load_settings

TICK = 0.5  # seconds between two looks at the store while one's own runs train, and nobody else's
SHARED_TICK = 1.0  # the same where others' runs train too
IDLE_TICK = 4.0  # the same where only theirs do, and one's own are not yet next in line
CELL = [name for name in SETTINGS_FIELDS if name != "seed"]
REPLAY_SPEED = 20  # epochs a second
WORDS = {
    "finished": "finished",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "failed": "failed",
    "damaged": "set aside",
    "missing": "not trained yet",
}

enter_by_router()
st.title("How fast does a network learn to compare two digits?")
settings, count = choose_settings()
rounds = {run.run_id: run for run in settings.rounds(count)}
look = PALETTE[settings.model]
engine, owner = get_engine(), get_owner()
objection = engine.limits.objection(settings)
mine = [run_id for run_id, job in list(engine.jobs.items()) if owner in job.owners]

actions = st.container(horizontal=True, vertical_alignment="center")
start = actions.button("Start training", type="primary", icon=":material/play_arrow:", disabled=bool(objection))
stop = actions.button("Stop", icon=":material/stop:", disabled=not (start or rounds.keys() & set(mine)))
replay = actions.button("Replay", icon=":material/replay:", help=f"Shows the stored epochs, {REPLAY_SPEED} a second.")
check_link("curve", METRICS.values())
metric = actions.selectbox(
    "Curve", list(METRICS), format_func=lambda name: METRICS.get(name, name), key="curve", bind="query-params",
    label_visibility="collapsed", width=220,
)  # fmt: skip

if start:
    try:
        answers = engine.request(rounds.values(), owner)
        with engine.changed:  # so that the chart is first drawn with a point, if a worker is free
            engine.changed.wait_for(lambda: any(engine.epochs(run_id) for run_id in rounds), timeout=0.25)
        if answers == {"finished"}:
            st.toast("These rounds are trained already: here they are. Another first seed trains new ones.")
    except (LimitError, StoreError) as error:
        st.error(as_text(error), icon=":material/error:")
elif objection:
    st.caption(f":material/lock: {as_text(objection)}")
if stop:
    engine.stop(rounds, owner)
if replay:
    st.session_state.replay_since = time.monotonic()


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


def describe_rounds() -> tuple[str, set[str]]:
    """The rounds' states in a sentence with the finished ones' mean, and the rounds that have ended."""
    runs = [STORE.read(run_id) for run_id in rounds]
    counts = Counter(map(name_state, runs)).most_common()
    text = (
        f"{len(runs)} round{'s' if len(runs) > 1 else ''}: "
        + ", ".join(f"{number} {word}" for word, number in counts)
        + "."
    )
    accuracies = [run.summary["test_accuracy"] for run in runs if run.state == "finished"]
    if accuracies:
        spread = f" ± {points(stdev(accuracies))}" if len(accuracies) > 1 else ""
        text += f" Test accuracy {points(fmean(accuracies))}{spread} % (n = {len(accuracies)})."
    if not objection and any(run.state not in ("finished", "active", "missing") for run in runs):
        text += " *Start training* goes on with the rest."
    if differences := settings.describe_differences():
        text += f" Other than the report's: {differences}."
    ended = {run.run_id for run in runs if run.state != "active"}
    if elsewhere := rounds.keys() - ended - engine.jobs.keys():
        text += f" Another program on this store trains {len(elsewhere)} of them; their epochs appear here."
    return " ".join([text, *dict.fromkeys(filter(None, map(tell_problem, runs)))]), ended


def name_state(run: Run | UnreadableRun) -> str:
    """A round's state in a word or two."""
    job = engine.jobs.get(run.run_id)
    return WORDS.get(run.state) or ("waiting" if job and not job.running else "training")


def tell_problem(run: Run | UnreadableRun) -> str:
    """What is wrong with a round, in a sentence; empty where its state says it all."""
    if run.state == "finished":
        return as_text(run.history_problem)
    return as_text(engine.problems.get(run.run_id, run.problem if run.state in ("failed", "damaged") else ""))


def choose_tick() -> float | None:
    """Seconds to the next look at what moves; None where nothing does, so that the timer stops."""
    queue = engine.queue()
    if "replay_since" in st.session_state or (queue and all(owner in job.owners for job in queue)):
        return TICK
    if not queue:
        return SHARED_TICK if any(map(STORE.is_locked, rounds)) else None
    workers, places = engine.capacity
    near = {job.settings.run_id for job in queue[: places + workers]}  # those that train, and those next in line
    return SHARED_TICK if near & rounds.keys() else IDLE_TICK


tick = choose_tick()


@st.fragment(run_every=tick)
def show_curves() -> None:
    """The chart, what it says in words, and the queue; drawn anew at each tick while something moves."""
    histories = read_epochs()
    text, ended = describe_rounds()
    if histories.empty:  # a chart first drawn without data would never show what comes
        with st.container(border=True, height=400, horizontal_alignment="center", vertical_alignment="center"):
            st.markdown(f":material/show_chart: **{look.label}** has no epochs with these settings yet.")
            st.caption(describe_wait(engine, rounds) or ("" if objection else "Press *Start training*."))
    else:
        st.vega_lite_chart(
            curve_rows(histories, metric, ended),
            live_curves(metric, settings.max_epochs, look),
            key="live",
            on_select="rerun",  # Streamlit resets a zoom at new data, unless it is a selection that somebody asks for
            selection_mode="zoom",
            height=400,
            alt=f"{METRICS[metric]} of {look.label} against the epoch. {text.replace('*', '')}",
        )
    st.caption(text)
    show_queue(engine, owner)
    if tick != choose_tick():
        st.rerun()  # once more as a whole page, which sets the timer anew


show_curves()

st.subheader("Earlier runs", anchor=False)
cells = read_cells()


def bring_back() -> None:
    """Set the controls to the chosen cell."""
    for row in set(st.session_state.earlier.selection.rows) & set(range(len(cells))):
        chosen = cells.iloc[row]
        values = {name: chosen[name] for name in CELL}
        load_settings({**values, "seed": chosen["first_seed"]}, min(int(chosen["rounds"]), 100))


if cells.empty:
    st.caption("Nothing has been trained yet.")
else:
    st.dataframe(
        cells.assign(
            label=[PALETTE[name].label for name in cells["model"]], mean=in_percent(cells["mean"]),
            std=in_percent(cells["std"]),
            others=[RunSettings.parse(values).describe_differences() for values in cells[CELL].to_dict("records")],
        ),
        column_order=(
            ("mean", "label", "dropout", "finished") if is_phone()
            else ("label", "dropout", "finished", "mean", "std", "others")
        ),
        column_config={
            "label": "Architecture",
            "dropout": st.column_config.NumberColumn("Dropout", format="%.2f"),
            "finished": st.column_config.NumberColumn("Rounds", help="Those that are finished"),
            "mean": st.column_config.NumberColumn("Accuracy, %", format="%.1f", help="Mean test accuracy"),
            "std": st.column_config.NumberColumn("± std", format="%.1f"),
            "others": st.column_config.TextColumn("Other settings", help="Where they are not the report's"),
        },
        hide_index=True,
        height=300,
        on_select=bring_back,
        selection_mode="single-row",
        key="earlier",
        alt="Every setting trained so far, with its number of rounds and their test accuracy",
    )  # fmt: skip
    st.caption("Choose a row to bring its settings and its curves back.")
