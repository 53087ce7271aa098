"""How often each architecture was right on the pairs that the visitor has counted; kept for the session alone."""

from collections.abc import Sequence

import streamlit as st

from core.inference import score
from core.networks.verdicts import Verdict
from core.runs.palette import PALETTE
from pages.components.pad import PadState

# In the session's state: `judgements`, and `judged`, the drawings judged last, so that none counts twice.
state = st.session_state


def is_counted(pads: PadState) -> bool:
    """Whether what stands on the pads is the pair that was counted last."""
    return bool(pads.drawings == state.judged)


def refuse(pads: PadState) -> str:
    """Why the pads cannot be counted now, as a sentence; "" if they can."""
    if not all(drawing.strokes for drawing in pads.drawings):
        return "Draw both digits first, then count the pair."
    if None in pads.truths:
        return "Say above each pad which digit it is, then count the pair."
    return "This pair is counted already: change it, or draw another." if is_counted(pads) else ""


def count(verdicts: Sequence[Verdict], pads: PadState) -> None:
    """Add what the networks say of the pads to the score."""
    first, second = pads.truths
    if first is not None and second is not None:
        number = 1 + max((judgement.pair for judgement in state.judgements), default=0)
        state.judgements += score.judge(verdicts, (first, second), number)
        state.judged = pads.drawings


def show_score() -> None:
    """How often each architecture was right so far, and the judgements as a file."""
    if not state.judgements:
        st.caption("No pair has been counted yet: say which digits you drew, then press *Count this pair*.")
        return
    table = score.summarise(state.judgements)
    pairs = table["pairs"].max()
    st.markdown(f"**{pairs} pair{'s' if pairs > 1 else ''}** counted in this session; nothing is kept after it.")
    st.dataframe(
        table.assign(label=[PALETTE[model].label for model in table["architecture"]], share=100 * table["round_share"]),
        column_order=("label", *(["settings"] if any(table["settings"]) else []), "dropout", "right", "pairs", "share"),
        column_config={
            "label": "Architecture", "settings": "Other settings", "dropout": "Dropout", "right": "Right",
            "pairs": "of",
            "share": st.column_config.NumberColumn("Right, over the rounds", format="%.0f %%"),
        },
        hide_index=True,
        alt="How often each architecture was right on the pairs counted so far",
    )  # fmt: skip
    st.download_button(
        "Download", score.write_csv(state.judgements), "score.csv", "text/csv", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip
