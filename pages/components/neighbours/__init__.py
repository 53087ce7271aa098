"""The training digits that are most like both digits of a pair, to one network and by pixels."""

from collections.abc import Sequence
from concurrent.futures import Future
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from core.figures.thumbnails import picture_digit
from core.inference.service import InferenceService
from core.networks.verdicts import Neighbours, Resemblance, describe_classes
from pages.components.files import read_style
from pages.components.later import ask_later, show_later
from pages.components.sentences import show_note

STYLE = read_style(__file__, "neighbours.css")


def ask_neighbours(root: Path, run_id: str, frames: np.ndarray) -> Future[list[Resemblance]]:
    """The neighbours of both frames (2, 14, 14) among what trained a run of a store, when they are there."""
    return ask_later("neighbours", InferenceService.find_neighbours, root, run_id, frames)


def show_neighbours(found: Future[list[Resemblance]], frames: np.ndarray, whose: str) -> None:
    """The neighbours of both frames; `whose` digits they are: 'your' or 'the'."""
    show_later(found, "The training digits are coming", lambda found: _show(found, frames, whose))


def _show(found: Sequence[Resemblance], frames: np.ndarray, whose: str) -> None:
    sides = zip(found, frames, ("first", "second"), strict=True)
    st.html(STYLE + "".join(_show_side(each, frame, f"{whose} {name} digit") for each, frame, name in sides))
    show_note(_describe(found[0]))


def _show_side(found: Resemblance, frame: np.ndarray, name: str) -> str:
    """A digit beside its neighbours; its sentence says what the network sees in it, or pixels if it sees no digit."""
    by_pixels = f"By pixels {name} looks like these: {describe_classes(found.by_pixels.classes.tolist())}."
    rows = [(by_pixels, found.by_pixels)]
    if found.by_embedding is not None:
        classes = found.by_embedding.classes.tolist()
        rows.insert(0, (f"To this network {name} looks like these: {describe_classes(classes)}.", found.by_embedding))
    lines = "".join(
        f"<p>{escape(sentence).replace(' (', '&nbsp;(')}</p>{_show_row(sentence, row)}" for sentence, row in rows
    )
    return (
        f'<section class=neighbours><img src="{picture_digit(frame)}" alt="{escape(name)}"><div>{lines}</div></section>'
    )


def _show_row(sentence: str, found: Neighbours) -> str:
    classes = found.classes.tolist()
    pictures = "".join(
        f'<figure><img src="{picture_digit(frame)}" alt=""><figcaption>{digit}</figcaption></figure>'
        for frame, digit in zip(found.frames, classes, strict=True)
    )
    alt = f"{sentence} Nearest first: {', '.join(map(str, classes))}."
    return f'<div class=row role=img aria-label="{escape(alt)}">{pictures}</div>'


def _describe(found: Resemblance) -> str:
    """What was compared with what."""
    among = f"Nearest first, of the {found.among:,} digits of its own round that trained the same weights."
    if found.by_embedding is None:
        return f"{among} This network takes both digits at once: it has no embedding of a single one."
    return (
        f"{among} Upper rows: by its embedding, the {found.numbers} numbers that it has of a digit before it compares."
    )
