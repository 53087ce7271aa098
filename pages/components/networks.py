"""The trained networks, loaded once a server, and their answers as one table."""

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from core.palette import PALETTE
from core.settings import RunSettings
from pages.components.shared import STORE, read_runs

if TYPE_CHECKING:
    from core.prediction import Ensemble, Verdict


@st.cache_resource(max_entries=2, show_spinner="Loading the trained networks…")
def _load(able: tuple[str, ...]) -> "tuple[list[Ensemble], list[str]]":
    import torch

    from core.prediction import load_ensembles

    torch.set_num_threads(1)  # for one pair, a second thread costs more than it brings
    return load_ensembles(STORE)


def load_networks() -> "tuple[list[Ensemble], list[str]]":
    """The ensembles of all trained architectures, and a sentence for each that could not be loaded."""
    runs = read_runs()
    return _load(tuple(runs["run_id"][(runs["state"] == "finished") & runs["has_weights"]]))  # not at each run's start


EMPTY = '<td class="none" colspan="3">not trained</td>'
STYLE = """
<style>
.verdicts { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.verdicts th, .verdicts td { padding: 0.5rem 0.6rem; text-align: left; font-weight: 400; border: 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); white-space: nowrap; }
.verdicts thead th { opacity: 0.65; font-size: 0.85rem; }
.verdicts th i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 0.2rem; margin-right: 0.6rem; }
.verdicts .number { text-align: right; width: 4rem; }
.verdicts small, .verdicts .none { opacity: 0.65; }
.votes { display: inline-flex; gap: 2px; vertical-align: middle; }
.votes b { display: inline-block; width: 7px; height: 1.1rem; border-radius: 2px; }
.frames { display: flex; gap: 1rem; align-items: center; margin: 0.5rem 0 1rem; }
.frames img { width: 84px; height: 84px; image-rendering: pixelated; border-radius: 0.4rem; }
.frames p { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.35; }
@media (max-width: 640px) {
  .verdicts, .verdicts tbody { display: block; } .verdicts thead { display: none; }
  .verdicts tr { display: grid; grid-template-columns: 1fr 3.5rem auto; padding: 0.6rem 0;
    border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
  .verdicts th[scope=row] { grid-column: 1 / -1; border: 0; font-weight: 600; padding: 0.2rem 0; }
  .verdicts td { border: 0; padding: 0.2rem 0 0.2rem 0.6rem; }
  .verdicts td.answer { padding-left: 0; }
  .verdicts td.answer::before { content: attr(data-dropout) " "; opacity: 0.65; display: block; font-size: 0.85rem; }
  .verdicts td.number, .verdicts td:last-child, .verdicts td:nth-child(4) { align-self: end; }
  .verdicts td.none { grid-column: 1 / -1; }
  .frames { flex-wrap: wrap; }
}
</style>
"""


def show_verdicts(frames: list[np.ndarray], verdicts: "list[Verdict]") -> None:
    """The frames as the networks see them, the vote in a sentence, and a row an architecture; one element."""
    decisions = [decision for verdict in verdicts for decision in verdict.decisions]
    yes = sum(decisions)
    answer = "first ≤ second" if 2 * yes >= len(decisions) else "first &gt; second"
    headline = f"{max(yes, len(decisions) - yes)} of {len(decisions)} networks say: {answer}"
    pictures = "".join(_picture(frame, name) for name, frame in zip(("first", "second"), frames, strict=True))
    st.html(f'{STYLE}<div class="frames">{pictures}<p>{headline}</p></div>{_table(verdicts)}')


def _picture(frame: np.ndarray, name: str) -> str:
    file = BytesIO()
    Image.fromarray(frame.round().astype(np.uint8)).save(file, "PNG")
    source = base64.b64encode(file.getvalue()).decode()
    return f'<img src="data:image/png;base64,{source}" alt="The {name} digit as the networks see it: 14 by 14 pixels">'


def _table(verdicts: "list[Verdict]") -> str:
    dropouts = sorted({verdict.settings.dropout for verdict in verdicts})
    head = "".join(f'<th colspan="3">{_dropout(p)}</th>' for p in dropouts)
    rows: dict[str, dict[float, Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault(_row_head(verdict.settings), {})[verdict.settings.dropout] = verdict
    body = "".join(
        f"<tr>{name}{''.join(_cells(own[p]) if p in own else EMPTY for p in dropouts)}</tr>"
        for name, own in rows.items()
    )
    return f'<table class="verdicts"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row_head(settings: RunSettings) -> str:
    look = PALETTE[settings.model]
    others = f" {settings.describe_differences()}"
    swatch = f'<i style="background:{look.colour}"></i>'
    return f'<th scope="row">{swatch}{escape(look.label)}<small>{escape(others)}</small></th>'


def _dropout(probability: float) -> str:
    return "Without dropout" if probability == 0 else f"Dropout {probability:g}"


def _cells(verdict: "Verdict") -> str:
    colour = PALETTE[verdict.settings.model].colour
    answer = "≤ yes" if verdict.first_le_second else "&gt; no"
    votes = "".join(
        f'<b title="{100 * p:.0f} % for yes" style="background:{colour};opacity:{0.12 + 0.88 * p:.2f}"></b>'
        for p in verdict.probabilities
    )
    read = ""
    if verdict.digits is not None:
        first, second = verdict.digits.argmax(axis=1)
        read = f" <small>reads {first} and {second}</small>"
    return (
        f'<td class="answer" data-dropout="{_dropout(verdict.settings.dropout)}"><strong>{answer}</strong>{read}</td>'
        f'<td class="number">{100 * verdict.probability:.0f} %</td>'
        f'<td><span class="votes" role="img" aria-label="{sum(verdict.decisions)} of {verdict.rounds} rounds say yes">'
        f"{votes}</span></td>"
    )
