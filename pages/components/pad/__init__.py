"""Two drawing pads side by side: one component, so that one message always carries both drawings."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from string import Template
from typing import Any

import numpy as np
import streamlit as st

from core.drawing.ink import Grid
from core.drawing.strokes import MAX_POINTS, MAX_STROKES, PAD, Drawing, parse_strokes
from pages.components.files import read_beside

_PAD = Template(read_beside(__file__, "pad.html"))
_PADS = st.components.v2.component(
    "digit_pads",
    html=Template(read_beside(__file__, "pads.html")).substitute(
        first=_PAD.substitute(index=0, name="first", title="First"),
        second=_PAD.substitute(index=1, name="second", title="Second"),
    ),
    css=read_beside(__file__, "pad.css"),
    js=read_beside(__file__, "pad.js"),
)
EMPTY = Drawing()


@dataclass(frozen=True)
class PadState:
    """What stands on the two pads.

    `truths`: which digit each pad holds, as the user, a sample or a challenge says; None if nobody does.
    `error` is one sentence if the browser's last message was no drawing; the drawings are then those before it.
    `pen_down` says that a stroke is under way; `sequence` counts the browser's messages, `revision` the times that
    Python laid something on the pads.
    """

    first: Drawing = EMPTY
    second: Drawing = EMPTY
    truths: tuple[int | None, int | None] = (None, None)
    error: str | None = None
    pen_down: bool = False
    sequence: int = 0
    revision: int = 0

    @property
    def drawings(self) -> tuple[Drawing, Drawing]:
        """Both drawings, the first pad's first."""
        return self.first, self.second


def lay_on_pads(
    key: str, first: Drawing, second: Drawing, truths: tuple[int | None, int | None] = (None, None)
) -> None:
    """Replace what stands on both pads; the user can undo it. Takes effect when the pads are next read and shown."""
    state = _kept(key)
    st.session_state[f"{key}_kept"] = PadState(
        first, second, truths, sequence=state.sequence, revision=state.revision + 1
    )


def read_pads(key: str) -> PadState:
    """What stands on the pads, the browser's last message included; it also stays while another page is shown."""
    state = _read_message(st.session_state.get(key), _kept(key))
    st.session_state[f"{key}_kept"] = state
    return state


def show_pads(
    key: str,
    frames: Sequence[Grid | None],
    *,
    locked: bool = False,
    link: tuple[int, str] | None = None,
    on_link: Callable[[], None] | None = None,
    on_rest: Callable[[], None] | None = None,
) -> None:
    """Show both pads with the frame (14, 14) below each.

    `locked`: the truths cannot be changed. `on_link` is called when the visitor wants a link to the drawing, which then
    comes in `link`: how many were asked for so far, and the last one's query string; the pads hand it over. Without
    `on_link` none is offered. `on_rest` is called when the pen has rested for a moment after a change.
    """
    state = _kept(key)
    _PADS(
        key=key,
        data={
            "revision": state.revision,
            "sequence": state.sequence,
            "pads": [drawing.as_json() for drawing in state.drawings],
            "truths": state.truths,
            "frames": ["" if frame is None else _levels(frame) for frame in frames],
            "locked": locked,
            "follow": on_rest is not None,
            "link": link if on_link else None,
            "links": on_link is not None,
            "side": PAD,
            "max_strokes": MAX_STROKES,
            "max_points": MAX_POINTS,
        },
        on_pads_change=lambda: None,
        on_link_change=on_link or (lambda: None),
        on_rest_change=on_rest or (lambda: None),
    )


def _levels(frame: Grid) -> str:
    return base64.b64encode(frame.round().astype(np.uint8).tobytes()).decode()


def _kept(key: str) -> PadState:
    kept: PadState = st.session_state.get(f"{key}_kept", PadState())
    return kept


def _read_message(component: Any, state: PadState) -> PadState:
    """The state after the browser's message; the same if there is none, or one already read or overtaken."""
    message = component.get("pads") if component else None
    if message is None:
        return state
    try:
        sequence, based_on, (first, second) = message["sequence"], message["revision"], message["pads"]
        truths = message["truths"][0], message["truths"][1]
        if type(sequence) is not int:
            raise TypeError("A sequence is a whole number.")
        if sequence <= state.sequence or based_on != state.revision:
            return state
    except (KeyError, TypeError, ValueError, IndexError):
        return replace(state, error="The pad sent a message that is no pair of drawings.")
    try:
        drawings = parse_strokes(first), parse_strokes(second)
        if not all(truth is None or (type(truth) is int and 0 <= truth <= 9) for truth in truths):
            raise ValueError("What a digit is must be a whole number from 0 to 9, or nothing.")
    except ValueError as error:
        return replace(state, error=str(error), sequence=sequence)
    return PadState(*drawings, truths, None, message.get("pen_down") is True, sequence, state.revision)
