"""How a Plotly figure is shown."""

import streamlit as st

from core.charts import Drawn

CONFIG = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}  # the camera saves what a slide can scale


def show_figure(drawn: Drawn, key: str) -> None:
    """Show a figure with its alt text; `key` keeps its node from one rerun to the next."""
    st.plotly_chart(drawn.figure, key=key, alt=drawn.alt, config=CONFIG)
