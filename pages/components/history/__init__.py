"""Back brings back the screen before with its choices: each screen makes one entry in the browser's history."""

import streamlit as st

from pages.components.files import read_beside

_HISTORY = st.components.v2.component("history", html="<i hidden></i>", js=read_beside(__file__, "history.js"))


def keep_history() -> None:
    """Mend the browser's history from now on; nothing is shown."""
    _HISTORY(key="history", height=1)
