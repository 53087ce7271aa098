"""What is laid on the pads of *Draw*: samples, photos, empty pads for a challenge, and what a link asks for."""

from urllib.parse import urlencode

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from core.drawing.ink import Steps
from core.drawing.links import encode_pair
from core.drawing.photo import trace_picture
from core.drawing.samples import Sample, Side, draw_numbers, open_link, read_sample
from core.drawing.strokes import Drawing, steps_from_strokes
from pages.app.text import as_text
from pages.components.pad import EMPTY, lay_on_pads, read_pads

PADS = "pads"
SIDES = ("first", "second")
LINKS = ("pair", "drawing")

# In the session's state: `samples`, the traced drawings of MNIST images laid so far, and the images' numbers;
# `challenged`, whether the visitor is told what to draw; `followed`, the link that was laid last, and `linked`, the
# drawings that it gave; `made_link`, how often the visitor has asked for one, and the last one; `pair_error` and
# `photo_error`, why the last sample or photo could not be laid.
state = st.session_state


def choose_input() -> None:
    """The controls above the pads: a sample, a photo, a challenge."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "MNIST pair", icon=":material/casino:", on_click=lay_samples, help="Two digits that no network trained on"
        )
        with st.popover("Digits, photo", icon=":material/add_photo_alternate:"):
            for side in SIDES:
                st.pills(f"MNIST pair: {side} digit", range(10), key=f"{side}_wanted", help="Any, if none is chosen")
            for place, side in enumerate(SIDES):
                st.file_uploader(
                    f"Photo of the {side} digit", ["png", "jpg", "jpeg", "webp", "gif", "bmp"],
                    key=f"{side}_photo", on_change=lay_photo, args=(place,),
                )  # fmt: skip
            _tell("photo_error")
        st.toggle("Challenge me", key="challenged", on_change=deal, help="Draw the two digits that you are given")
    _tell("pair_error")


def _tell(name: str) -> None:
    if state.get(name):
        st.error(as_text(state[name]), icon=":material/error:")


def lay(first: Side, second: Side) -> None:
    """Lay two digits on the pads; what a sample is, is known."""
    sides = first, second
    state.samples |= {side.drawing: side.number for side in sides if isinstance(side, Sample)}
    one, other = (side.drawing if isinstance(side, Sample) else side for side in sides)
    is_one, is_other = (side.digit if isinstance(side, Sample) else None for side in sides)
    lay_on_pads(PADS, one, other, (is_one, is_other))


def lay_samples() -> None:
    """Lay a random pair of MNIST test images, of the digits chosen, if any."""
    state.challenged, state.pair_error = False, None
    try:
        first, second = draw_numbers((state.first_wanted, state.second_wanted), np.random.default_rng())
        lay(read_sample(first), read_sample(second))
    except ValueError as error:  # MNIST is missing or damaged
        state.pair_error = str(error)


def lay_photo(side: int) -> None:
    """Trace an uploaded photo onto one pad."""
    photo = state[f"{SIDES[side]}_photo"]
    state.photo_error = None
    if photo is None:
        return
    try:
        if isinstance(photo, DeletedFile):  # after a server's restart
            raise ValueError("It is no longer on the server; choose it again.")
        drawing = trace_picture(photo.getvalue())
    except ValueError as error:
        state.photo_error = f"The photo of the {SIDES[side]} digit cannot be used. {error}"
        return
    pads = read_pads(PADS)
    drawings, truths = list(pads.drawings), list(pads.truths)
    drawings[side] = drawing
    if not state.challenged:
        truths[side] = None
    lay_on_pads(PADS, drawings[0], drawings[1], (truths[0], truths[1]))


def deal() -> None:
    """Empty the pads; while the challenge is on, for a pair of digits that the visitor is to draw."""
    first, second = np.random.default_rng().integers(10, size=2).tolist() if state.challenged else (None, None)
    lay_on_pads(PADS, EMPTY, EMPTY, (first, second))


def find_steps(drawing: Drawing) -> Steps | None:
    """The stages of what stands on a pad; those of the MNIST image itself if nobody has changed it."""
    if drawing in state.samples:
        return read_sample(state.samples[drawing]).steps
    return steps_from_strokes(drawing) if drawing.strokes else None


def follow_link() -> None:
    """Lay what the address asks for, once; a sentence if it cannot be had."""
    pair, drawing = (st.query_params.get(name) for name in LINKS)
    if (pair, drawing) in ((None, None), state.get("followed")):
        return
    state.followed = pair, drawing
    try:
        lay(*open_link(pair, drawing))
    except ValueError as error:
        st.warning(as_text(error), icon=":material/link_off:")
    state.linked = read_pads(PADS).drawings


def leave_link() -> None:
    """Take a link out of the address when the pads no longer show it."""
    if state.get("followed") and read_pads(PADS).drawings != state.linked:
        for name in LINKS:
            st.query_params.pop(name, None)
        state.followed = None


def make_link() -> None:
    """Put what the pads show into the address, and tell it the pads, from which the visitor sends it on."""
    drawings = read_pads(PADS).drawings
    numbers = [state.samples.get(drawing) for drawing in drawings]
    for name in LINKS:
        st.query_params.pop(name, None)
    if None in numbers:
        first, second = (a if b is None else b for a, b in zip(drawings, numbers, strict=True))
        st.query_params["drawing"] = encode_pair((first, second))
    else:
        st.query_params["pair"] = "{}-{}".format(*numbers)
    state.linked, state.followed = drawings, tuple(st.query_params.get(name) for name in LINKS)
    number, _ = state.get("made_link") or (0, "")
    state.made_link = number + 1, urlencode({name: st.query_params[name] for name in LINKS if name in st.query_params})
