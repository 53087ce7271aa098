"""The last chapter: draw two digits that fool the networks; what the class's best foolers are."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from core.classroom.room import Vote
from core.drawing.links import decode_pair, encode_pair
from core.drawing.strokes import Drawing, steps_from_strokes
from core.figures.thumbnails import picture_digit
from core.inference.service import InferenceService
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS
from pages.app.text import as_text
from pages.components.lesson.seat import guess, take_seat
from pages.components.networks import ask, load_networks
from pages.components.pad import read_pads, show_pads

PADS = "lesson_pads"
BEST = 6  # foolers that are shown


@st.fragment(key="lesson_fooler")
def draw_fooler(place: int) -> None:
    """The pads, and which of the seven are wrong; the visitor's best pair is its guess."""
    networks = load_networks()
    cells = [cell[0] for cell in networks.cells if not cell[0].dropout and cell[0].model in REPORT_MODELS]
    if not cells:
        st.caption("No trained network can answer yet: train any architecture under *Train*.")
        return
    pads = read_pads(PADS)
    frames = [steps_from_strokes(drawing).frame if drawing.strokes else None for drawing in pads.drawings]
    drawing, told = st.columns([5, 2], gap="medium")
    with drawing:
        show_pads(PADS, frames)
    with told:
        if pads.error:
            st.error(as_text(pads.error))
        drawn = [frame for frame in frames if frame is not None]
        first, second = pads.truths
        if len(drawn) < 2 or first is None or second is None:
            st.caption("Draw a digit on each pad, and say above it which one it is.")
            return
        verdicts = ask(InferenceService.answer, networks.trained, np.stack(drawn))
        plain = [verdict for verdict in verdicts if verdict.settings in cells]
        wrong = [v.settings.model for v in plain if v.first_le_second != (first <= second)]
        names = ", ".join(PALETTE[model].label for model in wrong) or "none"
        st.markdown(f"**{len(wrong)} of {len(plain)}** are fooled: {names}.")
        own = take_seat().own
        better = own is None or len(wrong) > own
        link = encode_pair(pads.drawings)
        note = link if len(link) <= 6_000 else ""
        st.button(
            "Count this pair", key="lesson_fooled", disabled=not better, on_click=guess, args=(place, len(wrong), note)
        )
        if own is not None:
            st.caption(f"Your best so far: {own} of {len(plain)}.")


def show_foolers(votes: Sequence[Vote]) -> None:
    """The drawings that fooled most, the best first."""
    best = sorted((vote for vote in votes if vote.note), key=lambda vote: -(vote.last or 0))[:BEST]
    figures = "".join(
        f"<figure>{_picture(vote.note)}<figcaption>{vote.last} fooled</figcaption></figure>" for vote in best
    )
    if figures:
        st.html(f'<div class="lesson-foolers">{figures}</div>')


def _picture(note: str) -> str:
    """Both digits of a drawing as the networks see them; what a browser has forged is told so."""
    try:
        sides = [side for side in decode_pair(note) if isinstance(side, Drawing)]
    except ValueError as error:
        return escape(str(error))
    frames = [steps_from_strokes(side).frame for side in sides if side.strokes]
    return "".join(f'<img src="{picture_digit(frame)}" alt="a drawn digit">' for frame in frames)
