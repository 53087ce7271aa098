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
    choose_input,
    deal,
    find_steps,
    follow_link,
    leave_link,
    make_link,
)
from pages.components.draw.stages import show_stages
from pages.components.draw.verdicts import show_invitation, show_verdicts, show_vote
from pages.components.files import read_style
from pages.components.link import check_link
from pages.components.networks import Catalogue, ask, load_networks
from pages.components.pad import PadState, read_pads, show_pads

PANELS = {"votes": "Votes", "why": "Why?", "seen": "What they see", "score": "Score"}
# The pads and the vote are one fragment, the panel below the tabs is another; this places the parts of both.
STYLE = read_style(score.__file__, "screen.css")
state = st.session_state


def ask_all(networks: Catalogue, frames: Sequence[Grid | None]) -> list[Verdict]:
    """Every network's verdict on a pair of frames; none if a frame is missing."""
    pair = [frame for frame in frames if frame is not None]
    return ask(InferenceService.answer, networks.trained, np.stack(pair)) if len(pair) == 2 else []


def count_pair(networks: Catalogue) -> None:
    """Add what the networks say of the pads to the score; in a challenge whose pair is counted, deal the next."""
    pads = read_pads(PADS)
    if problem := score.refuse(pads):
        if state.challenged and score.is_counted(pads):
            deal()
        else:
            st.toast(problem)
    else:
        steps = [find_steps(drawing) for drawing in pads.drawings]
        score.count(ask_all(networks, [each.frame if each else None for each in steps]), pads)
    st.rerun(["answer", "panel"])


def follow_pads() -> None:
    """The panel shows what is on the pads now; called when the pen rests, so that no verdict waits for it."""
    st.rerun("panel")


def offer_counting(networks: Catalogue, pads: PadState) -> None:
    """One button, which keeps its place and the keyboard's focus whatever it says."""
    counted = score.is_counted(pads)
    label, icon = ("Counted", "check") if counted else ("Count this pair", "add_task")
    if counted and state.challenged:
        label, icon = "Next pair", "arrow_forward"
    st.button(label, icon=f":material/{icon}:", key="count", on_click=count_pair, args=(networks,))


def chosen_panel() -> str:
    """The panel that was asked for; the votes for what no browser sends."""
    return str(state.panel) if state.panel in list(PANELS) else "votes"


@st.fragment(key="answer")
def answer(networks: Catalogue) -> None:
    """Pads, frames and verdicts; runs alone at each message from the pads."""
    pads = read_pads(PADS)
    steps = [find_steps(drawing) for drawing in pads.drawings]
    frames = [each.frame if each else None for each in steps]
    verdicts = ask_all(networks, frames)
    with st.container(key="draw_pads"):
        on_rest = None if chosen_panel() in ("votes", "score") else follow_pads
        show_pads(
            PADS, frames, locked=state.challenged, link=state.get("made_link"), on_link=make_link, on_rest=on_rest
        )
        if verdicts or state.challenged:
            offer_counting(networks, pads)
    with st.container(key="draw_vote"):
        if pads.error:
            st.error(as_text(pads.error), icon=":material/error:")
        if verdicts:
            show_vote(verdicts, pads, frames, state.challenged)
        else:
            show_invitation(pads, state.challenged, sum(map(len, networks.cells)))
    if verdicts and chosen_panel() == "votes":
        with st.container(key="draw_votes"):
            show_verdicts(verdicts, pads.truths)
    if not pads.pen_down:
        leave_link()


@st.fragment(key="panel")
def panel(networks: Catalogue) -> None:
    """The panel that was asked for; runs when the pen rests. The votes are not here: they follow the pen."""
    if chosen_panel() == "votes":
        return
    if chosen_panel() == "score":
        score.show_score()
        return
    first, second = (find_steps(drawing) for drawing in read_pads(PADS).drawings)
    if first is None or second is None:
        st.caption("Draw both digits first.")
    elif chosen_panel() == "seen":
        show_stages((first, second))
    else:
        from pages.components.draw.why import show_why

        show_why(networks, (first, second))


enter_by_router("draw")
st.html(STYLE)
st.title("Is the first digit less than or equal to the second?", anchor=False)
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
check_link("panel", PANELS.values())
with st.container(key="draw"):
    with st.container(key="draw_inputs"):
        choose_input()
    live = st.container(key="draw_live")
    with st.container(key="draw_tabs"):
        st.segmented_control(
            "Look closer", list(PANELS), format_func=lambda name: PANELS.get(name, name), key="panel",
            default="votes", required=True, bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
    with live:
        answer(networks)
    with st.container(key="draw_panel"):
        panel(networks)
