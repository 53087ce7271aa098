"""The trained networks, asked in their own process."""

from collections.abc import Callable
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import streamlit as st

from core.analysis.tables import only_planned
from core.inference.client import InferenceError, Networks
from core.inference.service import InferenceService, RunSelection
from core.runs.settings import RunSettings
from pages.app.shared import STORE, counts_own, read_runs
from pages.app.text import as_text
from pages.components.own_rounds import offer_own_rounds

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
    """The networks that can answer: the reproduction's, and this server's own too if the visitor asks for them, or if
    there are no others."""
    runs = read_runs()
    able = runs[(runs["state"] == "finished") & runs["has_weights"]]
    planned = only_planned(able)
    if len(planned):
        offer_own_rounds(len(able) - len(planned))
        able = able if counts_own() else planned
    trained = RunSelection(STORE.root.resolve(), tuple(able["run_id"]))
    return Catalogue(trained, *_load(trained))


@st.cache_resource(max_entries=2, show_spinner="Loading the trained networks, some seconds the first time…")
def _load(trained: RunSelection) -> tuple[list[list[RunSettings]], list[str]]:
    return ask(InferenceService.load, trained)


def ask(what: Callable[Concatenate[InferenceService, P], T], *arguments: P.args, **named: P.kwargs) -> T:
    """What the networks answer; if they cannot, or what is asked is gone or damaged, the page ends with a sentence."""
    try:
        return NETWORKS.ask(what, *arguments, **named)
    except (InferenceError, ValueError) as error:
        st.error(as_text(error), icon=":material/error:")
        st.stop()
