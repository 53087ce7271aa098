"""Draw two digits by hand, and see what every network says of them."""

import numpy as np
import streamlit as st

from core.drawing import Drawing, Steps, encode_pair, ink_from_image, steps_from_strokes, trace_digit
from pages.components.networks import load_networks, show_verdicts
from pages.components.pad import EMPTY, lay_on_pads, read_pads, show_pads
from pages.components.router import enter_by_router

PADS = "pads"
LINKS = ("pair", "drawing")

enter_by_router()
st.title("Is the first digit less than or equal to the second?")
ensembles, problems = load_networks()
for problem in problems:
    st.warning(problem, icon=":material/warning:")
if not ensembles:
    st.caption("No trained network can answer yet: train any architecture under *Train*, and it answers here.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

from core.samples import Sample, draw_numbers, open_link, read_sample  # noqa: E402 - PyTorch is loaded by now

state = st.session_state
state.setdefault("samples", {})  # the traced drawings of MNIST images laid so far, and the images' numbers


def lay(first: Sample | Drawing, second: Sample | Drawing) -> None:
    """Lay two digits on the pads; what a sample is, is known."""
    sides = first, second
    state.samples |= {side.drawing: side.number for side in sides if isinstance(side, Sample)}
    drawings = [side.drawing if isinstance(side, Sample) else side for side in sides]
    lay_on_pads(PADS, *drawings, tuple(side.digit if isinstance(side, Sample) else None for side in sides))


def follow_link() -> None:
    """Lay what the address asks for, once; a sentence where it cannot be had."""
    link = tuple(st.query_params.get(name) for name in LINKS)
    if link == state.get("followed") or link == (None, None):
        return
    state.followed = link
    try:
        lay(*open_link(*link))
    except ValueError as error:
        st.warning(str(error), icon=":material/link_off:")
    state.linked = read_pads(PADS).drawings


def leave_link() -> None:
    """Take a link out of the address when the pads no longer show it."""
    if state.get("followed") and read_pads(PADS).drawings != state.linked:
        for name in LINKS:
            st.query_params.pop(name, None)
        state.followed = None


def make_link() -> None:
    """Put what the pads show into the address."""
    drawings = read_pads(PADS).drawings
    numbers = [state.samples.get(drawing) for drawing in drawings]
    leave_link()
    if None in numbers:
        sides = [drawing if number is None else number for drawing, number in zip(drawings, numbers, strict=True)]
        st.query_params["drawing"] = encode_pair(tuple(sides))
    else:
        st.query_params["pair"] = "{}-{}".format(*numbers)
    state.linked, state.followed = drawings, tuple(st.query_params.get(name) for name in LINKS)


def find_steps(drawing: Drawing) -> Steps | None:
    """The stages of what stands on a pad; those of the MNIST image itself where nobody has changed it."""
    if drawing in state.samples:
        return read_sample(state.samples[drawing]).steps
    return steps_from_strokes(drawing) if drawing.strokes else None


follow_link()


@st.fragment(key="answer")
def answer() -> None:
    """Pads, frames and verdicts; runs alone at each message from the pads."""
    pads = read_pads(PADS)
    if pads.error:
        st.error(pads.error, icon=":material/error:")
    frames = [steps and steps.frame for steps in map(find_steps, pads.drawings)]
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=640):
            show_pads(PADS, frames)
        with st.container(width=600):
            missing = [name for name, frame in zip(("first", "second"), frames, strict=True) if frame is None]
            if missing:
                pad = "Both pads are" if len(missing) == 2 else f"The {missing[0]} pad is"
                count = sum(len(e.settings) for e in ensembles)
                st.caption(f"{pad} empty: draw a digit on each, and {count} networks answer.")
            else:
                verdicts = [verdict for ensemble in ensembles for verdict in ensemble.answer(np.stack(frames))]
                show_verdicts(verdicts, pads.truths, pads.sequence)
    if not pads.pen_down:
        leave_link()


answer()
