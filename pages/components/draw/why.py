"""Why a network answers as it does: its pixels, what would change its mind, and what it has seen that is alike."""

import numpy as np
import streamlit as st

from core.analysis.numbers import signed
from core.drawing.ink import Steps
from core.inference.service import InferenceService
from core.networks.verdicts import METHODS, Attribution, describe_swap
from core.runs.palette import PALETTE
from core.runs.settings import RunSettings
from pages.app.shared import is_phone
from pages.components.architectures import describe_ideas
from pages.components.draw.verdicts import show_changes
from pages.components.figure import show_figure
from pages.components.later import ask_later, show_later
from pages.components.neighbours import ask_neighbours, show_neighbours
from pages.components.networks import Catalogue, ask
from pages.components.sentences import show_note

ALL = "all"


def show_why(networks: Catalogue, steps: tuple[Steps, Steps]) -> None:
    """The chosen network's pixels and changes of mind for a pair of digits."""
    cell, seed = _choose_network(networks.cells)
    method = st.segmented_control(
        "Pixels by", METHODS, default=METHODS[0], key="why_method", bind="query-params", required=True
    )
    frames = np.stack([each.frame for each in steps])
    rounds = next(each for each in networks.cells if each[0].cell() == cell)
    asked = next(settings for settings in rounds if seed in (None, settings.seed))
    neighbours = ask_neighbours(networks.trained.root, asked.run_id, frames)  # first: they take less than the pixels
    pixels = ask_later("why", InferenceService.attribute, networks.trained, cell, seed, frames, method)
    show_later(pixels, "The pixels are coming", lambda found: _show_pixels(found, frames))
    st.header("What would change its mind?", anchor=False)
    answers = ask(InferenceService.change_minds, networks.trained, cell, seed, steps)
    show_changes(answers)
    st.caption(
        f"{describe_swap(answers[0].verdict, answers[1].verdict)} Marked: an answer that changes, or should have."
    )

    st.header("Which training digits are most like yours?", anchor=False)
    show_neighbours(neighbours, frames, "your")
    if seed is None:
        st.caption(f"This is the network of seed {asked.seed}; choose another round above to ask another one.")


def _choose_network(cells: list[list[RunSettings]]) -> tuple[str, int | None]:
    """The cell that the user asks about, and the seed of one of its rounds, or None for all of them."""
    rounds = {each[0].cell(): each for each in cells}
    names = {cell: _name_cell(each[0]) for cell, each in rounds.items()}
    columns = st.columns([3, 1], width=640)
    cell = columns[0].selectbox(
        "Network",
        list(rounds),
        index=len(rounds) - 1,
        format_func=lambda cell: names.get(cell, cell),
        key="why_network",
        bind="query-params",
    )
    columns[0].caption(describe_ideas([rounds[cell][0].model]))
    seeds = [str(settings.seed) for settings in rounds[cell]]
    chosen = columns[1].selectbox(
        "Round", [ALL, *seeds], format_func=lambda seed: f"All {len(seeds)}" if seed == ALL else f"Seed {seed}",
        key="why_round", bind="query-params",
    )  # fmt: skip
    return cell, None if chosen == ALL else int(chosen)


def _name_cell(settings: RunSettings) -> str:
    others = settings.describe_differences()
    return f"{PALETTE[settings.model].label}, dropout {settings.dropout:g}{f' ({others})' if others else ''}"


def _show_pixels(found: Attribution, frames: np.ndarray) -> None:
    from core.figures.pair import attribution_maps

    with st.container(width=820):
        show_figure(attribution_maps(frames, found.pixels, is_phone()), "attribution")
    show_note(
        f"Blue spoke for first ≤ second, orange against. The logit is {signed(found.logit, 2)}; for two blank frames "
        f"it is {signed(found.blank, 2)}; the pixels sum to {signed(float(found.pixels.sum()), 2)}."
    )
