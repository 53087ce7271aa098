"""The way into a page: by the router, and with a sentence if the store cannot be read."""

import runpy
from pathlib import Path

import streamlit as st

from pages.app.shared import STORE
from pages.app.text import as_text

ROUTER = Path(__file__).parent.parent.parent / "streamlit_app.py"


def enter_by_router() -> None:
    """Run the router if Streamlit has started a page of `pages/` without it.

    So it does for a new server's first visitor, if a link leads straight to a page: until a router has run once,
    Streamlit takes the folder for the older kind of app that has none.
    """
    if "routed" not in st.session_state:
        runpy.run_path(str(ROUTER), run_name="__main__")
        st.stop()
    if STORE.problem:  # the screens show the same as for an empty store
        st.error(as_text(STORE.problem), icon=":material/error:")
