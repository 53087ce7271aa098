"""The tensors of one stage of a network as pictures, one element."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from core.figures.thumbnails import picture_digit, picture_maps, picture_vector
from core.networks.structure import name_shape
from core.networks.verdicts import LayerOutput
from pages.components.files import read_style

MOST_BARS = 20  # numbers that are shown one by one
STYLE = read_style(__file__, "steps.css")


def show_digits(frames: np.ndarray, side: int) -> None:
    """The two frames (2, 14, 14) as the network sees them before they are standardised, `side` screen pixels wide."""
    pictures = "".join(
        f'<img style="width:{side}px" src="{picture_digit(frame)}" alt="The {name} digit, 14 by 14 pixels">'
        for name, frame in zip(("first", "second"), frames, strict=True)
    )
    st.html(f'{STYLE}<div class="digits">{pictures}</div>', width="content")


def show_stage(steps: Sequence[LayerOutput]) -> None:
    """The blocks of one stage side by side, in colours of one scale; kernels that are shared are framed."""
    strongest = max(float(np.abs(step.output).max()) for step in steps)
    sets = [step.block.weights for step in steps]
    cards = "".join(
        f"<section><h3>{_name(step).capitalize()}</h3><div class=parts>{_show_kernels(step, sets.count(weights) > 1)}"
        f"<div class=output><p>{_word_output(step)}</p>{_show_output(step, strongest)}</div></div></section>"
        for step, weights in zip(steps, sets, strict=True)
    )
    st.html(f'{STYLE}<div class="stage">{cards}</div>')


def name_stage(steps: Sequence[LayerOutput]) -> str:
    """The layers at work in a stage."""
    return " and ".join(dict.fromkeys(", ".join(step.block.layers) for step in steps))


def describe_sharing(steps: Sequence[LayerOutput]) -> str:
    """Whose the weights of a stage are, as a sentence, if both digits pass through alike layers."""
    sets = {step.block.weights for step in steps}
    if "" in sets or {step.block.lane for step in steps} != {"first", "second"}:
        return ""
    return "Both digits pass through the same weights." if len(sets) == 1 else "Each digit has weights of its own."


def _name(step: LayerOutput) -> str:
    lanes = {"first": "first digit", "second": "second digit", "both": "both digits"}
    return step.block.gives or lanes[step.block.lane]


def _show_kernels(step: LayerOutput, shared: bool) -> str:
    """The kernels of the first convolution, which meet pixels; those of the second meet 32 maps each."""
    if step.kernels is None or step.kernels.shape[1] > 2:
        return ""
    seen = [""] if step.kernels.shape[1] == 1 else [" on the first digit", " on the second digit"]
    strongest = float(np.abs(step.kernels).max())
    frame, also = (" class=shared", ", shared by both digits") if shared else ("", "")
    pictures = ""
    for channel, words in enumerate(seen):
        picture = picture_maps(step.kernels[:, channel], strongest)
        alt = f"The {len(step.kernels)} kernels for the {_name(step)}{words}{also}"
        pictures += (
            f"<div class=kernels><p>{len(step.kernels)} kernels of 3 × 3{words}, up to ±{strongest:.2g}</p>"
            f'<img src="{picture}" alt="{alt}"{frame}></div>'
        )
    return pictures


def _word_output(step: LayerOutput) -> str:
    shape = step.output.shape
    if len(shape) == 3:
        return f"{shape[0]} maps of {name_shape(shape[1:])} come out"
    return f"{shape[0]} numbers come out" if shape[0] > 1 else "One number comes out"


def _show_output(step: LayerOutput, strongest: float) -> str:
    values = step.output
    if values.ndim == 1 and len(values) <= MOST_BARS:
        names = map(str, range(len(values))) if len(values) > 1 else [""]
        return f"<dl>{''.join(_bar(*each, strongest) for each in zip(names, values.tolist(), strict=True))}</dl>"
    picture = picture_maps(values, strongest) if values.ndim == 3 else picture_vector(values, strongest)
    active = int(np.count_nonzero(values.reshape(len(values), -1).any(axis=1)))
    alt = f"What comes out for the {_name(step)}: {active} of {len(values)} are not all zero"
    return f'<img src="{picture}" alt="{escape(alt)}">'


def _bar(name: str, value: float, strongest: float) -> str:
    half = 50 * abs(value) / (strongest or 1)
    side, colour = ("left", "#2f86d6") if value >= 0 else ("right", "#d9731a")
    bar = f'<i><b style="{side}:50%;width:{half:.1f}%;background:{colour}"></b></i>'
    return f"<dt>{name}</dt>{bar}<dd>{f'{value:.2f}'.replace('-', '−')}</dd>"
