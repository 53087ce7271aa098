"""The way of both digits from the pad to the networks, as pictures."""

from collections.abc import Sequence

import streamlit as st

from core.drawing.ink import Steps
from core.figures.thumbnails import picture_digit
from pages.components.files import read_style

STAGES = {
    "box": "The digit as large as 20 × 20 pixels allow",
    "field": "Its centre of mass in the middle of 28 × 28",
    "frame": "Averages of 2 × 2 pixels: 14 × 14, as the networks see it",
}
STYLE = read_style(__file__, "stages.css")


def show_stages(steps: Sequence[Steps]) -> None:
    """A row of pictures a digit, and what each column shows."""
    rows = "".join(
        f'<figure class="{stage}"><img src="{picture_digit(getattr(each, stage))}" alt="{name} digit: {text}"></figure>'
        for name, each in zip(("First", "Second"), steps, strict=True)
        for stage, text in STAGES.items()
    )
    texts = "".join(f"<p>{text}</p>" for text in STAGES.values())
    st.html(f'{STYLE}<div class="stages">{rows}{texts}</div>')
