"""Explanations that take a while: asked for beside the page, and shown when they are there."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import streamlit as st

from core.inference.client import InferenceError
from core.inference.service import InferenceService
from pages.app.text import as_text
from pages.components.networks import NETWORKS

TICK = 0.3  # seconds between looks at whether an explanation is there
P = ParamSpec("P")
T = TypeVar("T")

# One thread for all sessions' explanations, so that verdicts keep the other processor for themselves. Not in one of
# Streamlit's caches, which any browser can have emptied for everybody; its thread starts with the first request.
_WORKER = ThreadPoolExecutor(1, "explanation")


def ask_later(
    key: str, what: Callable[Concatenate[InferenceService, P], T], *arguments: P.args, **named: P.kwargs
) -> "Future[T]":
    """The networks' answer, which is to come. If the session asks something else under this key, what it asked before
    is dropped, unless it has begun."""
    values = [*arguments, *named.values()]
    asked = what, [value.tobytes() if isinstance(value, np.ndarray) else value for value in values]
    before = st.session_state.get(key)
    if before is None or before[0] != asked:
        if before is not None:
            before[1].cancel()
        st.session_state[key] = asked, _WORKER.submit(lambda: NETWORKS.ask(what, *arguments, **named))
    future: Future[T] = st.session_state[key][1]
    return future


def show_later(future: "Future[T]", coming: str, show: Callable[[T], None]) -> None:
    """Show an answer when it is there; until then, say that it is `coming`."""
    ticking = not future.done()
    st.fragment(_show, run_every=TICK if ticking else None)(future, coming, show, ticking)


def _show(future: "Future[Any]", coming: str, show: Callable[[Any], None], ticking: bool) -> None:
    """Drawn anew at each tick until the answer is there."""
    if not future.done():
        st.caption(f":material/hourglass_top: {coming}…")
        return
    if ticking:
        st.rerun()  # once more as a whole page, which stops the timer
    try:
        answer = future.result()
    except (InferenceError, ValueError) as error:
        st.error(as_text(error), icon=":material/error:")
        return
    show(answer)
