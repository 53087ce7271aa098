"""The dashboard: `streamlit run streamlit_app.py`. The server imports this file once; every session runs it."""

import os
from pathlib import Path

# Before anything imports NumPy: the second thread of its matrix products waits in a busy loop for the next one. While
# somebody drew, it took half a processor from training.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from pages.app.screens import GROUPS

if __name__ == "__main__":  # a session: the router, nothing else
    from pages.components.device import watch_device  # its caches want a server that runs
    from pages.components.glossary import close_on_escape
    from pages.components.history import keep_history

    components = Path(__file__).parent / "pages" / "components"
    icon = components / "icon.png"  # a named icon would come from elsewhere
    st.set_page_config(page_title="Compare two digits", page_icon=icon, layout="wide")
    st.html(components / "app.css")
    st.html(components / "glossary" / "glossary.css")
    pages = [
        st.Page(
            f"pages/{screen.name}.py",
            title=screen.title,
            icon=f":material/{screen.icon}:",
            help=screen.purpose,
            default=screen.name == "home",
        )
        for group in GROUPS
        for screen in group
    ]
    page = st.navigation(pages, position="top")
    st.session_state.routed = True  # pages/app/router.py says why
    keep_history()
    watch_device()
    close_on_escape()
    page.run()
else:
    from pages.app.server import MIDDLEWARE, ROUTES, start_ahead

    app = st.App(__file__, lifespan=start_ahead, routes=ROUTES, middleware=MIDDLEWARE)
