"""How a Plotly figure is shown."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from core.charts import Drawn

CONFIG = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}  # the camera saves what a slide can scale


def show_figure(drawn: Drawn, key: str, on_select: Literal["ignore"] | Callable[[], None] = "ignore") -> None:
    """Show a figure with its alt text; `key` keeps its node from one rerun to the next. A click on a point calls
    `on_select`, for which st.session_state[key].selection has the point."""
    st.plotly_chart(drawn.figure, key=key, alt=drawn.alt, config=CONFIG, on_select=on_select, selection_mode="points")
