"""The look that all Plotly figures share, and the small parts they are made of.

Figures have no titles and no background, and take their text colour from the page's theme. Accuracies are shares of
1 in the frames and percent on the axes. `narrow` stacks panels for a phone.
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.runs.palette import PALETTE, Look
from core.runs.settings import MODEL_NAMES, ModelName

FONT = "Inter, system-ui, sans-serif"
NEUTRAL = "#808a97"  # readable on white and on near-black
GRID = "rgba(128, 138, 151, 0.22)"
PAPER, ERROR = "#ffffff", "#c8443c"  # from no errors to the most
EVEN, WORSE, BETTER = "#66707d", "#b8500f", "#1560a8"  # cells of heat maps: white text is readable on each
FAINT = 0.7  # the opacity of single rounds: still 2 : 1 on both backgrounds
PERCENT = ".0%"

Trace = dict[str, Any]  # a trace as a dictionary: Plotly checks it once, when it joins a figure


class FigureWithAlt(NamedTuple):
    """A figure, and what it shows in words and numbers."""

    figure: go.Figure
    alt: str


def frame(figure: go.Figure, height: int, zoom: bool = False) -> go.Figure:
    """The look that all figures share. Without `zoom` a finger on the figure scrolls the page."""
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 12, "t": 28, "b": 4},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 14},
        dragmode="zoom" if zoom else False,
        legend={
            "font_size": 14,
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "title": None,
        },
    )
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "fixedrange": not zoom, "title_standoff": 16}
    axis |= {"tickfont_size": 14, "title_font_size": 14}  # Streamlit's theme has 12
    figure.update_xaxes(**axis, spikecolor=NEUTRAL, spikethickness=0.5, spikedash="solid")
    figure.update_yaxes(**axis)
    figure.update_annotations(font_size=14)
    return figure


def make_panels(titles: Sequence[str], narrow: bool, spacing: float | None = None) -> go.Figure:
    """Panels with equal axes, side by side or, on a phone, below each other."""
    count = len(titles)
    rows, columns = (count, 1) if narrow else (1, count)
    return make_subplots(
        rows=rows,
        cols=columns,
        shared_xaxes="all",
        shared_yaxes="all",
        subplot_titles=list(titles),
        horizontal_spacing=spacing or 0.04,
        vertical_spacing=spacing or 0.12,
    )


def place_of(panel: int, narrow: bool) -> dict[str, int]:
    return {"row": panel + 1, "col": 1} if narrow else {"row": 1, "col": panel + 1}


def label_outside(figure: go.Figure, narrow: bool, x_title: str, y_title: str | None = None, panels: int = 2) -> None:
    """Put titles on the outer axes only, since all panels have the same axes."""
    figure.update_xaxes(title_text=x_title, **({"row": panels} if narrow else {}))
    if y_title:
        figure.update_yaxes(title_text=y_title, **({} if narrow else {"col": 1}))


def dash_of(look: Look) -> str:
    """The dash pattern as Plotly writes it."""
    return ",".join(f"{length}px" for length in look.dash) or "solid"


def tint(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def wrap(text: str, width: int = 20) -> str:
    """Lines of at most `width` characters, as Plotly breaks them."""
    return "<br>".join(textwrap.wrap(text, width, break_on_hyphens=False))


def rounded(values: Iterable[float], digits: int = 4) -> list[float | None]:
    """Rounded numbers, which are short in the figure's JSON; None for NaN."""
    return [None if value != value else round(float(value), digits) for value in values]


def floats(values: Any) -> np.ndarray:
    """The numbers as float32: short in the figure's JSON, and exact to seven digits."""
    return np.asarray(values, dtype=np.float32)


def by_model(table: pd.DataFrame) -> list[tuple[ModelName, Look, pd.DataFrame]]:
    """The parts of a table, one per architecture, in the order of Table 1."""
    parts = dict(list(table.groupby("model")))
    return [(model, PALETTE[model], parts[model]) for model in MODEL_NAMES if model in parts]


def architecture_rows(figure: go.Figure) -> None:
    """One row per architecture, the first of Table 1 on top."""
    labels = [wrap(PALETTE[model].label) for model in MODEL_NAMES]
    count = len(labels)
    figure.update_yaxes(tickvals=list(range(count)), ticktext=labels, range=[count - 0.5, -0.8], showgrid=False)


def legend_mark(name: str, symbol: str, mode: str = "markers", dash: str = "solid", colour: str = NEUTRAL) -> Trace:
    """An entry of the legend alone."""
    marker = {"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2 if symbol.endswith("open") else 0}}
    line = {"color": colour, "dash": dash}
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": mode, "marker": marker, "line": line, "name": name,
        "hoverinfo": "skip",
    }  # fmt: skip


def add_traces(figure: go.Figure, traces: list[Trace], panels: list[int], narrow: bool) -> None:
    places = [place_of(panel, narrow) for panel in panels]
    figure.add_traces(traces, rows=[place["row"] for place in places], cols=[place["col"] for place in places])


def heatmap(values: np.ndarray, hovers: Any, low: float, high: float, scale: list[str]) -> go.Heatmap:
    """Cells in opaque colours, so that their text is readable on them whatever is behind."""
    return go.Heatmap(
        z=[rounded(row) for row in values], zmin=low, zmax=high, colorscale=scale, showscale=False, customdata=hovers,
        hovertemplate="%{customdata}<extra></extra>", xgap=2, ygap=2, hoverongaps=False,
    )  # fmt: skip
