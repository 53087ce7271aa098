"""Draw two digits by hand, and see what every network says of them."""

import numpy as np
import streamlit as st

from core.drawing import Drawing, frame_from_strokes
from pages.components.networks import load_networks, show_verdicts
from pages.components.pad import draw_two_digits
from pages.components.router import enter_by_router

enter_by_router()
st.title("Is the first digit less than or equal to the second?")
ensembles, problems = load_networks()
for problem in problems:
    st.warning(problem, icon=":material/warning:")
if not ensembles:
    st.caption("No trained network can answer yet: train any architecture under *Train*, and it answers here.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

dropouts = sorted({settings.dropout for ensemble in ensembles for settings in ensemble.settings})
chosen = st.pills(
    "Dropout while training", dropouts, selection_mode="multi", default=dropouts[:2], format_func="{:g}".format,
    key="answering_dropouts", bind="query-params",
)  # fmt: skip


def read_frames(drawings: tuple[Drawing, Drawing]) -> tuple[list[np.ndarray], list[str]]:
    """The frames of both pads, and a sentence for each pad that has none."""
    frames, missing = [], []
    for name, drawing in zip(("first", "second"), drawings, strict=True):
        try:
            frames.append(frame_from_strokes(drawing))
        except ValueError:
            missing.append(name)
    return frames, missing


@st.fragment
def answer() -> None:
    """Pads, frames and verdicts; runs alone at each message from the pads."""
    pads = draw_two_digits("pads")
    if pads.error:
        st.error(pads.error, icon=":material/error:")
    frames, missing = read_frames((pads.first, pads.second))
    if missing:
        pad = "Both pads are" if len(missing) == 2 else f"The {missing[0]} pad is"
        st.caption(f"{pad} empty: draw a digit on each, and {sum(len(e.settings) for e in ensembles)} networks answer.")
        return
    verdicts = [verdict for ensemble in ensembles for verdict in ensemble.answer(np.stack(frames))]
    verdicts = [verdict for verdict in verdicts if verdict.settings.dropout in chosen]
    show_verdicts(frames, verdicts)


answer()
