"""Draw two digits by hand, and see what every network says of them."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.drawing.ink import Grid
from core.inference.service import InferenceService
from core.networks.verdicts import Verdict
from pages.app.router import enter_by_router
from pages.app.text import as_text
from pages.components.draw import score
from pages.components.draw.pair import (
    PADS,
    SIDES,
    deal,
    find_steps,
    follow_link,
    lay_photo,
    lay_samples,
    leave_link,
    make_link,
)
from pages.components.draw.stages import show_stages
from pages.components.draw.verdicts import show_verdicts
from pages.components.networks import Catalogue, ask, load_networks
from pages.components.pad import read_pads, show_pads

PANELS = {"seen": "What the networks see", "why": "Why?", "score": "Score"}
state = st.session_state


def ask_all(networks: Catalogue, frames: Sequence[Grid | None]) -> list[Verdict]:
    """Every network's verdict on a pair of frames; none if a frame is missing."""
    pair = [frame for frame in frames if frame is not None]
    return ask(InferenceService.answer, networks.trained, np.stack(pair)) if len(pair) == 2 else []


def count_pair(networks: Catalogue) -> None:
    """Add what the networks say of the pads to the score; deal the next pair of a challenge."""
    pads = read_pads(PADS)
    steps = [find_steps(drawing) for drawing in pads.drawings]
    if None not in steps and score.can_count(pads):
        score.count(ask_all(networks, [each.frame if each else None for each in steps]), pads)
        if state.challenged:
            deal()
    st.rerun(["answer", "below"])


def follow_pads() -> None:
    """The panel below shows what is on the pads now; called when the pen rests, so that no verdict waits for it."""
    st.rerun("below")


def choose_input() -> None:
    """The controls above the pads: a sample, a photo, a challenge, a link."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "MNIST pair", icon=":material/casino:", on_click=lay_samples, help="Two digits that no network trained on"
        )
        with st.popover("Digits or a photo", icon=":material/add_photo_alternate:"):
            for side in SIDES:
                st.pills(f"MNIST pair: {side} digit", range(10), key=f"{side}_wanted", help="Any, if none is chosen")
            for place, side in enumerate(SIDES):
                st.file_uploader(
                    f"Photo of the {side} digit", ["png", "jpg", "jpeg", "webp", "gif", "bmp"],
                    key=f"{side}_photo", on_change=lay_photo, args=(place,),
                )  # fmt: skip
            if state.get("input_error"):
                st.error(as_text(state.input_error), icon=":material/error:")
        st.toggle("Challenge me", key="challenged", on_change=deal, help="Draw the two digits that you are given")
        st.button("Link", icon=":material/link:", on_click=make_link, help="Puts this drawing into the page's address")
    if state.get("input_error"):
        st.error(as_text(state.input_error), icon=":material/error:")


@st.fragment(key="answer")
def answer(networks: Catalogue) -> None:
    """Pads, frames and verdicts; runs alone at each message from the pads."""
    pads = read_pads(PADS)
    if pads.error:
        st.error(as_text(pads.error), icon=":material/error:")
    steps = [find_steps(drawing) for drawing in pads.drawings]
    frames = [each.frame if each else None for each in steps]
    if state.challenged:
        st.markdown("Draw a **{}** and a **{}**, then count the pair.".format(*pads.truths))
    with st.container(horizontal=True, gap="medium"):
        show_pads(PADS, frames, locked=state.challenged, on_rest=follow_pads if state.get("panel") else None)
        with st.container(width=600):
            missing = [name for name, each in zip(SIDES, steps, strict=True) if each is None]
            if missing:
                pad = "Both pads are" if len(missing) == 2 else f"The {missing[0]} pad is"
                count = sum(map(len, networks.cells))
                st.caption(f"{pad} empty: draw a digit on each, and {count} networks answer.")
            else:
                show_verdicts(ask_all(networks, frames), pads.truths, pads.sequence)
                st.button(
                    "Count this pair",
                    icon=":material/add_task:",
                    on_click=count_pair,
                    args=(networks,),
                    disabled=not score.can_count(pads),
                )
    if not pads.pen_down:
        leave_link()


@st.fragment(key="below")
def below(networks: Catalogue) -> None:
    """The panel that was asked for; runs when the pen rests."""
    if not state.panel:
        return
    if state.panel == "score":
        score.show_score()
        return
    first, second = (find_steps(drawing) for drawing in read_pads(PADS).drawings)
    if first is None or second is None:
        st.caption("Draw both digits first.")
    elif state.panel == "seen":
        show_stages((first, second))
    else:
        from pages.components.draw.why import show_why

        show_why(networks, (first, second))


enter_by_router()
st.title("Is the first digit less than or equal to the second?")
networks = load_networks()
for problem in networks.problems:
    st.warning(as_text(problem), icon=":material/warning:")
if not networks.cells:
    st.caption("No trained network can answer yet: train any architecture under *Train*, and it answers here.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

for name, value in (("samples", {}), ("judgements", []), ("judged", None)):
    state.setdefault(name, value)
follow_link()
choose_input()
answer(networks)
st.segmented_control(
    "Look closer",
    list(PANELS),
    format_func=lambda panel: PANELS.get(panel, panel),
    key="panel",
    bind="query-params",
    label_visibility="collapsed",
)
below(networks)
