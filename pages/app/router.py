"""The way into a page: by the router, with a sentence on what of the link it does not know or the store cannot give."""

import runpy
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from pages.app.screens import CHOICES
from pages.app.shared import STORE
from pages.app.text import as_text

ROUTER = Path(__file__).parent.parent.parent / "streamlit_app.py"


def enter_by_router(screen: str) -> None:
    """Run the router if Streamlit has started a page of `pages/` without it.

    So it does for a new server's first visitor, if a link leads straight to a page: until a router has run once,
    Streamlit takes the folder for the older kind of app that has none.
    """
    if "routed" not in st.session_state:
        runpy.run_path(str(ROUTER), run_name="__main__")
        raise StopException  # not st.stop(): it would drop what the visitor has pressed meanwhile
    _name_unknown(CHOICES[screen])
    if STORE.problem:  # the screens show the same as for an empty store
        st.error(as_text(STORE.problem), icon=":material/error:")


def _name_unknown(known: list[str]) -> None:
    """Say which of the link's choices this screen does not have; `known` are those that it has."""
    unknown = [name for name in st.query_params if name not in {*known, "embed", "embed_options"}]
    if unknown:
        names = ", ".join(repr(name[:40]) for name in unknown[:5])
        st.warning(as_text(f"The link sets {names}, which this screen does not know."), icon=":material/link_off:")
