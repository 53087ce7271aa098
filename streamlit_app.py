"""The dashboard: `streamlit run streamlit_app.py`. The server imports this file once; every session runs it."""

from pathlib import Path

import streamlit as st

from pages.components.history import keep_history

if __name__ == "__main__":  # a session: the router, nothing else
    components = Path(__file__).parent / "pages" / "components"
    icon = components / "icon.png"  # a named icon would come from elsewhere
    st.set_page_config(page_title="Compare two digits", page_icon=icon, layout="wide")
    st.html(components / "app.css")
    page = st.navigation(
        [
            st.Page("pages/train.py", title="Train", icon=":material/play_arrow:", default=True),
            st.Page("pages/compare.py", title="Compare", icon=":material/table_chart:"),
            st.Page("pages/findings.py", title="Findings", icon=":material/lightbulb:"),
            st.Page("pages/mistakes.py", title="Mistakes", icon=":material/rule:"),
            st.Page("pages/architectures.py", title="Architectures", icon=":material/account_tree:"),
            st.Page("pages/walk.py", title="Walk", icon=":material/footprint:"),
            st.Page("pages/leaderboard.py", title="Leaderboard", icon=":material/leaderboard:"),
            st.Page("pages/draw.py", title="Draw", icon=":material/draw:"),
        ],
        position="top",
    )
    st.session_state.routed = True  # pages/app/router.py says why
    keep_history()
    page.run()
else:
    from pages.app.server import MIDDLEWARE, ROUTES, start_ahead

    app = st.App(__file__, lifespan=start_ahead, routes=ROUTES, middleware=MIDDLEWARE)
