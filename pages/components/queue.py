"""What is training and what waits, on this server."""

import streamlit as st

from core.engine import Engine
from core.palette import PALETTE

SHOWN = 6  # jobs; a class of thirty would otherwise push the page down


def show_queue(engine: Engine, owner: str) -> None:
    """A line a job, in the order in which they run, with how far each has come."""
    queue = engine.queue()
    for notice in engine.notices[-2:] if queue else ():
        st.caption(f":material/warning: {notice}")
    for position, job in enumerate(queue[:SHOWN]):
        settings = job.settings
        whose = "yours" if job.owner == owner else "someone else's"
        text = f"{PALETTE[settings.model].label}, dropout {settings.dropout:g}, seed {settings.seed} ({whose})"
        state = (
            "stopping" if job.stopping else f"epoch {job.epochs}" if job.running else f"waiting, place {position + 1}"
        )
        note = f"; {job.note}" if job.note else ""
        st.progress(min(job.epochs / settings.max_epochs, 1.0), f"{text}: {state}{note}")
    if len(queue) > SHOWN:
        st.caption(f"and {len(queue) - SHOWN} more waiting.")
