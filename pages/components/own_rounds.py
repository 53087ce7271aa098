"""The switch between the reproduction alone and all that this server has trained."""

import pandas as pd
import streamlit as st

from core.runs.plan import planned_run_ids
from pages.app.screens import OWN
from pages.app.shared import count_own, counts_own, read_counted
from pages.components.link import check_link


def choose_counted() -> pd.DataFrame:
    """The runs that count on this screen; a switch, where there are rounds beside the reproduction's, adds them."""
    offer_own_rounds(count_own())
    return read_counted()


def offer_own_rounds(count: int) -> None:
    """The switch, if there is something to add, or the link asks for it."""
    check_link(OWN, ["true", "false"])
    if count or OWN in st.query_params or counts_own():
        st.toggle(
            f"With this server's own rounds ({count})",
            key=OWN,
            bind="query-params",
            help=f"The reproduction is {len(planned_run_ids())} planned runs. What else was trained here counts only "
            "if you ask for it.",
        )
