"""Why a network answers as it does: its pixels, and what would change its mind."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import streamlit as st

from core.drawing.ink import Steps
from core.inference.client import InferenceError
from core.inference.service import InferenceService
from core.networks.verdicts import METHODS, describe_swap
from core.runs.palette import PALETTE
from core.runs.settings import RunSettings
from pages.app.shared import is_phone
from pages.app.text import as_text
from pages.components.architectures import describe_ideas
from pages.components.draw.verdicts import show_changes
from pages.components.figure import show_figure
from pages.components.networks import NETWORKS, Catalogue, ask
from pages.components.sentences import show_note

TICK = 0.3  # seconds between looks at whether the pixels are there
ALL = "all"

# One thread for all sessions' pixels, so that verdicts keep the other processor for themselves. Not in one of
# Streamlit's caches, which any browser can have emptied for everybody; its thread starts with the first request.
_WORKER = ThreadPoolExecutor(1, "attribution")


def show_why(networks: Catalogue, steps: tuple[Steps, Steps]) -> None:
    """The chosen network's pixels and changes of mind for a pair of digits."""
    cell, seed = _choose_network(networks.cells)
    method = st.segmented_control(
        "Pixels by", METHODS, default=METHODS[0], key="why_method", bind="query-params", required=True
    )
    frames = np.stack([each.frame for each in steps])
    asked = (networks.trained, cell, seed, frames.tobytes(), method)
    if st.session_state.get("why", (None,))[0] != asked:
        if "why" in st.session_state:
            st.session_state.why[1].cancel()
        st.session_state.why = (
            asked,
            _WORKER.submit(
                lambda: NETWORKS.ask(InferenceService.attribute, networks.trained, cell, seed, frames, method)
            ),
        )
    future = st.session_state.why[1]
    ticking = not future.done()
    st.fragment(_show_pixels, run_every=TICK if ticking else None)(future, frames, ticking)
    st.header("What would change its mind?", anchor=False)
    answers = ask(InferenceService.change_minds, networks.trained, cell, seed, steps)
    show_changes(answers)
    st.caption(
        f"{describe_swap(answers[0].verdict, answers[1].verdict)} Marked: an answer that changes, or should have."
    )


def _choose_network(cells: list[list[RunSettings]]) -> tuple[str, int | None]:
    """The cell that the user asks about, and the seed of one of its rounds, or None for all of them."""
    rounds = {each[0].cell(): each for each in cells}
    names = {cell: _name_cell(each[0]) for cell, each in rounds.items()}
    columns = st.columns([3, 1], width=640)
    cell = columns[0].selectbox(
        "Network",
        list(rounds),
        index=len(rounds) - 1,
        format_func=lambda cell: names.get(cell, cell),
        key="why_network",
        bind="query-params",
    )
    columns[0].caption(describe_ideas([rounds[cell][0].model]))
    seeds = [str(settings.seed) for settings in rounds[cell]]
    chosen = columns[1].selectbox(
        "Round", [ALL, *seeds], format_func=lambda seed: f"All {len(seeds)}" if seed == ALL else f"Seed {seed}",
        key="why_round", bind="query-params",
    )  # fmt: skip
    return cell, None if chosen == ALL else int(chosen)


def _name_cell(settings: RunSettings) -> str:
    others = settings.describe_differences()
    return f"{PALETTE[settings.model].label}, dropout {settings.dropout:g}{f' ({others})' if others else ''}"


def _show_pixels(future: "Future[Any]", frames: np.ndarray, ticking: bool) -> None:
    """The pixels, or a sentence that they are coming; drawn anew at each tick until they are there."""
    if not future.done():
        st.caption(":material/hourglass_top: The pixels are coming…")
        return
    if ticking:
        st.rerun()  # once more as a whole page, which stops the timer
    from core.figures.pair import attribution_maps

    try:
        found = future.result()
    except (InferenceError, ValueError) as error:
        st.error(as_text(error), icon=":material/error:")
        return
    with st.container(width=820):
        show_figure(attribution_maps(frames, found.pixels, is_phone()), "attribution")
    show_note(
        f"Blue spoke for first ≤ second, orange against. The logit is {found.logit:+.2f}; for two blank frames it is "
        f"{found.blank:+.2f}; the pixels sum to {found.pixels.sum():+.2f}."
    )
