"""What is training and what waits, on this server."""

import time

import streamlit as st

from core.engine import Engine, Job
from core.forecast import Expectation, expect_ends
from core.palette import PALETTE
from pages.components.shared import read_pace

SHOWN = 6  # jobs; a class of thirty would otherwise push the page down


@st.cache_resource(ttl=1, show_spinner=False)
def _look(_engine: Engine, moves: int) -> tuple[list[Job], list[Expectation] | None]:
    """The queue and when each of its runs starts and ends: worked out once a second for all visitors."""
    queue = _engine.queue()
    return queue, expect_ends(queue, read_pace(), time.monotonic())


def show_queue(engine: Engine, owner: str) -> None:
    """A line a job, those that train and the visitor's own first, with how far each has come; then who waits."""
    queue, expected = _look(engine, engine.moves)
    waiting = [job for job in queue if not job.running]
    places = {job.settings.run_id: place for place, job in enumerate(waiting, start=1)}
    starts = {} if expected is None else {job.settings.run_id: e.start for job, e in zip(queue, expected, strict=True)}
    shown = sorted(queue, key=lambda job: (not job.running, owner not in job.owners))[:SHOWN]
    for job in shown:
        settings, run_id = job.settings, job.settings.run_id
        whose = "yours" if owner in job.owners else "someone else's"
        text = f"{PALETTE[settings.model].label}, dropout {settings.dropout:g}, seed {settings.seed} ({whose})"
        if job.stopping:
            state = "stopping"
        elif job.running:
            state = f"epoch {job.epochs}"
        else:
            state = f"waiting, place {places[run_id]}" + (f", {_about(starts[run_id])}" if starts else "")
        st.progress(min(job.epochs / settings.max_epochs, 1.0), f"{text}: {state}")
    if waiting:
        st.caption(_summarise(queue, waiting, expected, owner))


def _summarise(queue: list[Job], waiting: list[Job], expected: list[Expectation] | None, owner: str) -> str:
    """How many wait, how many of them are the visitor's, and when those will be through."""
    text = f"{len(waiting)} {'runs wait' if len(waiting) > 1 else 'run waits'} on this server"
    mine = [index for index, job in enumerate(queue) if owner in job.owners]
    if mine:
        own = sum(owner in job.owners for job in waiting)
        text += f", {'all' if own == len(waiting) else own} of them yours" if own else ", none of them yours"
    if expected is None:
        return text + "."
    end = max(expected[index].end for index in mine or range(len(queue)))
    return f"{text}. {'Yours' if mine else 'All'} should be through {_about(end)}: an estimate from earlier epochs."


def _about(seconds: float) -> str:
    """A wait as people say it: 'in about 40 s', 'in about 3 min'."""
    if seconds < 10:
        return "in a few seconds"
    return f"in about {round(seconds, -1):.0f} s" if seconds < 95 else f"in about {round(seconds / 60)} min"
