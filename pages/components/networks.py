"""The trained networks, asked in their own process."""

from collections.abc import Callable
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import streamlit as st

from core.inference.client import InferenceError, Networks
from core.inference.service import InferenceService, RunSelection
from core.runs.settings import RunSettings
from pages.app.shared import STORE, read_runs
from pages.app.text import as_text

P = ParamSpec("P")
T = TypeVar("T")

NETWORKS = Networks()


class Catalogue(NamedTuple):
    """The networks that can answer: which runs they are, the settings of each cell's rounds, and a sentence for each
    run that could not be loaded."""

    trained: RunSelection
    cells: list[list[RunSettings]]
    problems: list[str]


def load_networks() -> Catalogue:
    """The networks of all trained architectures, ready to answer."""
    runs = read_runs()
    able = runs["run_id"][(runs["state"] == "finished") & runs["has_weights"]]
    trained = RunSelection(STORE.root.resolve(), tuple(able))
    return Catalogue(trained, *_load(trained))


@st.cache_resource(max_entries=2, show_spinner="Loading the trained networks, some seconds the first time…")
def _load(trained: RunSelection) -> tuple[list[list[RunSettings]], list[str]]:
    return ask(InferenceService.load, trained)


def ask(what: Callable[Concatenate[InferenceService, P], T], *arguments: P.args, **named: P.kwargs) -> T:
    """What the networks answer; if they cannot, the page ends with a sentence. Raises ValueError."""
    try:
        return NETWORKS.ask(what, *arguments, **named)
    except InferenceError as error:
        st.error(as_text(error), icon=":material/error:")
        st.stop()
