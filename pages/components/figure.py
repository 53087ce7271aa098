"""How a Plotly figure is made and shown."""

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from core.figures.style import FigureWithAlt

CONFIG = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}  # the camera saves what a slide can scale


@st.cache_resource(max_entries=64, show_spinner=False)
def _draw(name: str, arguments: tuple[Any, ...], _function: Callable[..., FigureWithAlt]) -> FigureWithAlt:
    return _function(*arguments)


def draw(function: Callable[..., FigureWithAlt], *arguments: Any) -> FigureWithAlt:
    """What a function of the figures draws from these arguments: made once for all visitors, changed by none."""
    return _draw(function.__name__, arguments, function)


def show_figure(drawn: FigureWithAlt, key: str, on_select: Literal["ignore"] | Callable[[], None] = "ignore") -> None:
    """Show a figure with its alt text; `key` keeps its node from one rerun to the next. A click on a point calls
    `on_select`, for which st.session_state[key].selection has the point."""
    st.plotly_chart(drawn.figure, key=key, alt=drawn.alt, config=CONFIG, on_select=on_select, selection_mode="points")
