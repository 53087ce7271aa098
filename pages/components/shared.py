"""What all sessions of a server share: the engine, and the store's runs as data frames read once."""

import threading
import uuid
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.engine import Engine, EngineError
from core.results import load_histories, load_runs, with_report_settings
from core.runs import RunStore
from core.settings import SHIPPED_DROPOUTS

STORE = RunStore()
FIRST_SCREEN = 3  # seconds that the first visitor's screen has the processor for itself


@st.cache_resource(show_spinner=False)
def get_engine() -> Engine:
    """The server's one engine; it starts in the background, a moment later, when the first screen stands."""
    engine = Engine(STORE)
    starter = threading.Timer(FIRST_SCREEN, _start_quietly, args=[engine])
    starter.daemon = True
    starter.start()
    return engine


def _start_quietly(engine: Engine) -> None:
    try:
        engine.start()
    except EngineError as error:
        print(f"The engine did not start: {error}")  # whoever presses start is told on the screen


@st.cache_data(max_entries=2, show_spinner=False)
def _runs(signature: tuple[tuple[str, int], ...]) -> pd.DataFrame:
    return load_runs(STORE)


def read_runs() -> pd.DataFrame:
    """A row a run of the store, as core.results.load_runs gives it; read anew when a run comes or ends."""
    return _runs(STORE.signature())


@st.cache_data(max_entries=2, show_spinner=False)
def _table_histories(signature: tuple[tuple[str, int], ...]) -> pd.DataFrame:
    runs = with_report_settings(_runs(signature))
    wanted = runs["dropout"].isin(SHIPPED_DROPOUTS) & ~runs["dropout_at_evaluation"].astype(bool)
    return load_histories(STORE, runs["run_id"][wanted])


def read_table_histories() -> pd.DataFrame:
    """A row an epoch of the runs behind the two columns of Table 1."""
    return _table_histories(STORE.signature())


def warn_of_link(name: str, options: Sequence[str]) -> None:
    """Say, before the widget, where the link's parameter names nothing; Streamlit then shows the default."""
    text = st.query_params.get(name)
    if text is not None and text not in options:
        allowed = f"must be one of {', '.join(options)}"
        st.warning(
            f"The link's {name} is {text[:40]!r}, but {allowed}; the default is shown.", icon=":material/link_off:"
        )


@st.cache_data(max_entries=2, show_spinner=False)
def _comparison(signature: tuple[tuple[str, int], ...]) -> pd.DataFrame:
    from core.statistics import compare_with_report  # brings SciPy along

    return compare_with_report(_runs(signature))


def read_comparison() -> pd.DataFrame:
    """A row a cell of the results table beside the report's, as core.statistics.compare_with_report gives it."""
    return _comparison(STORE.signature())


def is_phone() -> bool:
    """Whether the visitor's browser calls itself a phone's: panels then stand below one another."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


def architecture_column() -> Any:
    """The column of architectures in a table: narrow on a phone, so that the figures are seen beside it."""
    phone = is_phone()
    return st.column_config.TextColumn("Architecture", width=130 if phone else 270, pinned=not phone)


def get_owner() -> str:
    """A name for this visitor's session, under which its runs queue."""
    if "owner" not in st.session_state:
        st.session_state.owner = uuid.uuid4().hex
    return str(st.session_state.owner)
