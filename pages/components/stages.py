"""The way of both digits from the pad to the networks, as pictures."""

from collections.abc import Sequence

import streamlit as st

from core.drawing import Steps
from core.pictures import picture_digit

STAGES = {
    "box": "The digit as large as 20 × 20 pixels allow",
    "field": "Its centre of mass in the middle of 28 × 28",
    "frame": "Averages of 2 × 2 pixels: 14 × 14, as the networks see it",
}
STYLE = """
<style>
.stages { display: grid; grid-template-columns: repeat(3, minmax(0, 200px)); gap: 1rem; align-items: end; }
.stages figure { margin: 0; }
.stages img { width: 100%; image-rendering: pixelated; border-radius: 0.4rem; display: block; }
.stages .box img { width: 71.43%; }
.stages p { margin: 0; font-size: 0.875rem; line-height: 1.35; align-self: start; opacity: 0.8; }
</style>
"""


def show_stages(steps: Sequence[Steps]) -> None:
    """A row of pictures a digit, and what each column shows."""
    rows = "".join(
        f'<figure class="{stage}"><img src="{picture_digit(getattr(each, stage))}" alt="{name} digit: {text}"></figure>'
        for name, each in zip(("First", "Second"), steps, strict=True)
        for stage, text in STAGES.items()
    )
    texts = "".join(f"<p>{text}</p>" for text in STAGES.values())
    st.html(f'{STYLE}<div class="stages">{rows}{texts}</div>')
