"""What all sessions of a server share: the engine, and the store's runs as data frames read once."""

import re
import threading
import uuid
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.game import Votes, read_votes
from core.analysis.tables import load_histories, load_runs, only_planned, summarise_cells, with_report_settings
from core.cluster.engine import Engine
from core.cluster.forecast import Pace, measure_pace
from core.cluster.limits import Limits
from core.runs.plan import SHIPPED_DROPOUTS, planned_run_ids
from core.runs.store import RunStore
from core.runs.studies import study_run_ids
from pages.app.screens import OWN
from pages.app.text import as_text

STORE = RunStore()
VISITOR = "pair_visitor"  # the cookie that tells one browser from another
DEVICE = "device"  # the component that says whether the screen is a phone's
FIRST_SCREEN = 3  # seconds that the first visitor's screen has the processor for itself


_ENGINE: list[Engine] = []  # the engine, once it is made. Not in a cache: any browser can have the caches emptied
_MAKING = threading.Lock()


def get_engine() -> Engine:
    """The server's one engine; it starts in the background, a moment later, when the first screen stands.

    Raises SettingsError if the environment sets a limit that is none.
    """
    with _MAKING:
        if not _ENGINE:
            _ENGINE.append(Engine(STORE, limits=Limits.from_environment()))
            if _ENGINE[0].limits.training != "off":
                starter = threading.Timer(FIRST_SCREEN, _ENGINE[0].start)
                starter.daemon = True
                starter.start()
        return _ENGINE[0]


# All sessions share the data of these frames. Each gets a shallow copy, which costs no time: what a session writes into
# its copy, no other sees, since pandas copies on write.
def ended_signature() -> int:
    """Changes whenever a run ends, is removed, or is added by another program: a key for what is made of the store. A
    run that this server trains does not count before its end, or a class that starts would have all made anew."""
    return STORE.signature(without=_ENGINE[0].jobs if _ENGINE else ())


@st.cache_resource(max_entries=2, show_spinner=False)
def _runs(signature: int) -> pd.DataFrame:
    return load_runs(STORE)


def read_runs() -> pd.DataFrame:
    """One row per run of the store, as core.analysis.tables.load_runs gives it; read anew when a run has ended."""
    return _runs(ended_signature()).copy(deep=False)


def counts_own() -> bool:
    """Whether the visitor has asked for what this server has trained beside the reproduction."""
    return bool(st.session_state.get(OWN))


@st.cache_resource(max_entries=2, show_spinner=False)
def _planned(signature: int) -> pd.DataFrame:
    return only_planned(_runs(signature))


def read_counted() -> pd.DataFrame:
    """The runs that tables and findings are made of: the reproduction's, and the others too if the visitor asks."""
    read = _runs if counts_own() else _planned
    return read(ended_signature()).copy(deep=False)


@st.cache_data(max_entries=2, show_spinner=False)
def _count_own(signature: int) -> int:
    return len(with_report_settings(_runs(signature))) - len(with_report_settings(_planned(signature)))


def count_own() -> int:
    """The finished rounds with the report's settings that are none of the reproduction's."""
    return _count_own(ended_signature())


@st.cache_resource(max_entries=2, show_spinner=False)
def _votes(signature: int) -> Votes:
    return read_votes(STORE, read_runs())


def read_game_votes() -> Votes:
    """What the reproduction's networks said of their test pairs, as core.analysis.game has it; nobody changes it."""
    return _votes(STORE.signature(_report_run_ids(ended_signature(), False)))


@st.cache_data(max_entries=4, show_spinner=False)
def _report_run_ids(signature: int, own: bool) -> frozenset[str]:
    runs = _runs(signature) if own else _planned(signature)
    return frozenset(with_report_settings(runs, "auxiliary_weight")["run_id"])  # the control included


def report_signature() -> int:
    """Changes whenever a finished run that is counted, with the report's other settings, comes or goes: a key for what
    is made of those, which students who train their own leave as it is."""
    return STORE.signature(_report_run_ids(ended_signature(), counts_own()))


def planned_signature() -> int:
    """Changes whenever a run of the reproduction or of a study comes or goes: a key for what is made of those alone."""
    return STORE.signature(planned_run_ids() | study_run_ids())


@st.cache_data(max_entries=2, show_spinner=False)
def _finished(signature: int) -> int:
    runs = _runs(signature)
    return hash(frozenset(runs["run_id"][runs["state"] == "finished"]))


@st.cache_data(max_entries=2, show_spinner=False)
def _pace(finished: int) -> Pace:
    return measure_pace(read_runs())


def read_pace() -> Pace:
    """What the store's finished runs took, as core.cluster.forecast wants it; those that start leave it as it is."""
    return _pace(_finished(ended_signature()))


@st.cache_resource(max_entries=2, show_spinner=False)
def _table_histories(signature: int) -> pd.DataFrame:
    runs = with_report_settings(read_counted())
    wanted = runs["dropout"].isin(SHIPPED_DROPOUTS) & ~runs["dropout_at_evaluation"].astype(bool)
    return load_histories(STORE, runs["run_id"][wanted])


def read_table_histories() -> pd.DataFrame:
    """One row per epoch of the runs behind the two columns of Table 1."""
    return _table_histories(report_signature()).copy(deep=False)


@st.cache_resource(max_entries=2, show_spinner=False)
def _cells(signature: int) -> pd.DataFrame:
    return summarise_cells(_runs(signature))


def read_cells() -> pd.DataFrame:
    """One row per setting ever tried, as core.analysis.tables.summarise_cells gives it."""
    return _cells(ended_signature()).copy(deep=False)


@st.cache_resource(max_entries=2, show_spinner=False)
def _comparison(signature: int) -> pd.DataFrame:
    from core.analysis.agreement import compare_with_report  # brings SciPy along

    return compare_with_report(read_counted())


def read_comparison() -> pd.DataFrame:
    """One row per cell of the results table beside the report's: core.analysis.agreement.compare_with_report."""
    return _comparison(report_signature()).copy(deep=False)


def tell_what_does_not_count(runs: pd.DataFrame) -> None:
    """A caption about the runs that have no result, and about what is no run; nothing if there is none of either."""
    counts = runs["state"][runs["state"].isin(["stopped", "interrupted", "failed", "damaged"])].value_counts()
    sentences = []
    if len(counts):
        kinds = ", ".join(f"{count} {state}" for state, count in counts.items())
        sentences.append(f"Runs without a result do not count: {kinds}; *python -m core runs --json* says why.")
    if foreign := STORE.foreign():
        sentences.append(f"In the store's folder, but no run: {as_text(', '.join(name[:60] for name in foreign[:5]))}.")
    if sentences:
        st.caption(f":material/info: {' '.join(sentences)}")


def is_phone() -> bool:
    """Whether the visitor's screen is narrow and touched, a phone or a tablet held upright: panels then stand below one
    another. Its browser says so (pages/components/device), and at its next visit a cookie does."""
    told = (st.session_state.get(DEVICE) or {}).get("phone")
    return st.context.cookies.get("pair_phone") == "1" if told is None else bool(told)


def architecture_column() -> Any:
    """The column of architectures in a table: narrow on a phone, so that the figures are seen beside it."""
    phone = is_phone()
    return st.column_config.TextColumn("Architecture", width=155 if phone else 200, pinned=not phone)


def get_owner() -> str:
    """A name for this visitor, under which its runs queue: the browser's, or the session's if it keeps no cookie."""
    if "owner" not in st.session_state:
        cookie = str(st.context.cookies.get(VISITOR))
        st.session_state.owner = cookie if re.fullmatch("[0-9a-f]{32}", cookie) else uuid.uuid4().hex
    return str(st.session_state.owner)
