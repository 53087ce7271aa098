"""What is training and what waits, on this server."""

import time
from collections.abc import Collection
from html import escape
from typing import NamedTuple

import streamlit as st

from core.cluster.engine import Engine
from core.cluster.forecast import SOON, Expectation, Forecast
from core.cluster.queue import Job
from core.runs.palette import PALETTE
from pages.app.shared import read_pace
from pages.app.text import as_text
from pages.components.files import read_style

FORECAST = Forecast()
SHOWN = 6  # jobs; a class of thirty would otherwise push the page down
ACCENT = ", ".join(str(st.get_option(f"theme.{kind}.primaryColor")) for kind in ("light", "dark"))
# One element for all jobs, where a st.progress each would make every tick's answer twice as many messages.
STYLE = read_style(__file__, "queue.css")
LIST = f'class="pair-queue" style="--accent: light-dark({ACCENT})" role="list"'


class Entry(NamedTuple):
    """A job of the queue; `place` counts those that wait from 1, and is 0 for one that trains."""

    job: Job
    place: int
    expected: Expectation | None


@st.cache_resource(ttl=1, max_entries=2, show_spinner=False)
def _look(_engine: Engine, moves: int) -> list[Entry]:
    """The queue and when each of its runs starts and ends: worked out once for all visitors when it has moved, and each
    second."""
    queue = _engine.queue()
    training = sum(job.running for job in queue)
    expected = FORECAST.look(queue, read_pace(), *_engine.capacity, time.monotonic())
    return [Entry(job, max(i + 1 - training, 0), expected[i] if expected else None) for i, job in enumerate(queue)]


def show_queue(engine: Engine, owner: str) -> None:
    """A line a job, those that train and the visitor's own first, with how far each has come; then who waits."""
    entries = _look(engine, engine.moves)
    for notice in engine.notices[-2:] if entries else ():
        st.caption(f":material/warning: {as_text(notice)}")
    lines = []
    for job, place, expected in sorted(entries, key=lambda e: (e.place > 0, owner not in e.job.owners))[:SHOWN]:
        settings = job.settings
        mine = owner in job.owners
        whose = "yours" if mine else "someone else's"
        text = f"{PALETTE[settings.model].label}, dropout {settings.dropout:g}, seed {settings.seed} ({whose})"
        if job.stopping:
            state = "stopping"
        elif place:
            state = f"waiting, place {place}" + (f", {_about(expected.start)}" if expected else "")
        else:
            state = f"epoch {job.epochs}" if mine else "training"  # a page is not woken for others' epochs
        note = f"; {job.note}" if job.note else ""
        line = escape(f"{text}: {state}{note}")
        bar = (
            f'<progress value="{job.epochs}" max="{settings.max_epochs}" aria-label="{escape(text)}"></progress>'
            if mine
            else ""
        )
        lines.append(f'<div role="listitem">{line}{bar}</div>')
    if lines:
        st.html(f'{STYLE}<div {LIST} aria-label="What is training and what waits">{"".join(lines)}</div>')
    if any(entry.place for entry in entries):
        st.caption(_summarise(entries, owner))


def describe_wait(engine: Engine, run_ids: Collection[str]) -> str:
    """When the first of these queued runs begins, in a sentence; empty where none is queued."""
    for job, place, expected in _look(engine, engine.moves):
        if job.settings.run_id in run_ids:
            if engine.state != "ready":
                return f"{engine.sentence} The engine is starting; the run begins some seconds later.".strip()
            if not place:
                return "" if job.epochs else "The first epoch comes in a moment."
            return f"Waiting at place {place}" + (f": it begins {_about(expected.start)}." if expected else ".")
    return ""


def _summarise(entries: list[Entry], owner: str) -> str:
    """How many wait, how many of them are the visitor's, and when those will be through."""
    waiting = [entry for entry in entries if entry.place]
    own = sum(owner in entry.job.owners for entry in waiting)
    noun = "run waits" if len(waiting) == 1 else "runs wait"
    text = f"{len(waiting)} {noun} on this server, {own or 'none'} of them yours."
    ends = [entry.expected.end for entry in entries if owner in entry.job.owners and entry.expected]
    if ends:
        text += f" Yours should be through {_about(max(ends))}: an estimate from the epochs so far."
    return text


def _about(seconds: float) -> str:
    """A wait as people say it: 'in about 40 s', 'in about 3 min'; rounded, it steps by at most a third too."""
    if seconds < SOON:
        return "in a few seconds"
    step = 5 if seconds < 60 else 10
    return f"in about {step * round(seconds / step)} s" if seconds < 95 else f"in about {round(seconds / 60)} min"
