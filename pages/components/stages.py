"""The way of both digits from the pad to the networks, as pictures."""

import base64
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image

from core.drawing import Grid, Steps

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
        f'<figure class="{stage}">{_picture(getattr(each, stage), f"{name} digit: {text}")}</figure>'
        for name, each in zip(("First", "Second"), steps, strict=True)
        for stage, text in STAGES.items()
    )
    texts = "".join(f"<p>{text}</p>" for text in STAGES.values())
    st.html(f'{STYLE}<div class="stages">{rows}{texts}</div>')


def _picture(grid: Grid, text: str) -> str:
    file = BytesIO()
    Image.fromarray(grid.round().astype(np.uint8)).save(file, "PNG")
    return f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}" alt="{text}">'
