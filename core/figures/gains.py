"""Gains in points, the same in every figure: a dot with its 95 % interval, filled if the gain is clear."""

from typing import Any

import plotly.graph_objects as go

from core.analysis.numbers import with_sign
from core.analysis.sentences import between, describe_p
from core.figures.style import NEUTRAL, FigureWithAlt, frame, label_outside, legend_mark, place_of, rounded
from core.runs.palette import PALETTE

NUMBER, NUMBER_ON_PHONE = 0.2, 0.4  # of the intervals' reach, which the numbers behind them take


def gain_dot(row: Any, y: int, model: str = "", head: str = "") -> go.Scatter:
    """A gain at the height `y` in the colour of `model`, or in grey for a mean over all; `row` has difference, low,
    high, p_holm, clear and rounds, and `head` is what stands before the number when it is touched."""
    colour, marker = (PALETTE[model].colour, PALETTE[model].marker) if model else (NEUTRAL, "circle")
    symbol, line = (marker, 0) if row.clear else (f"{marker}-open", 2)
    end = row.high if row.rounds > 1 else row.difference  # the number stands behind it, where nothing crosses it
    told = f"<br>{between(row.low, row.high)}, Holm's p {describe_p(row.p_holm)}" if row.rounds > 1 else ""
    return go.Scatter(
        x=rounded([100 * row.difference, 100 * end], 2), y=[y, y], mode="markers+text", showlegend=False,
        marker={"color": colour, "symbol": symbol, "size": [11, 0], "line_width": [line, 0], "opacity": 1},
        error_x={"array": rounded([100 * (end - row.difference), 0], 2), "color": colour, "thickness": 2,
        "width": 0}, text=["", f" {with_sign(row.difference)}"], textposition="middle right", textfont_size=14,
        cliponaxis=False,
        hovertemplate=f"{head}{with_sign(row.difference)} points{told}, n = {row.rounds}<extra></extra>",
    )  # fmt: skip


def finish_gains(figure: go.Figure, panels: int, narrow: bool, alt: str, height: int) -> FigureWithAlt:
    """The line at no gain, the legend and the axes; `height` of a panel in pixels."""
    for panel in range(panels if len(figure.data) else 0):  # Plotly draws no line on a panel without a trace
        figure.add_vline(0, line={"color": NEUTRAL, "width": 1, "dash": "dot"}, **place_of(panel, narrow))
    figure.add_trace(legend_mark("Clear", "circle"))
    figure.add_trace(legend_mark("Not clear", "circle-open"))
    figure.update_xaxes(matches=None, showticklabels=True, showgrid=True)
    for axis, (low, high) in _find_reach(figure).items():
        room = (high - low) * (NUMBER_ON_PHONE if narrow else NUMBER)
        figure.update_xaxes(range=[low - room / 5, high + room], selector={"anchor": axis.replace("x", "y")})
    label_outside(figure, narrow, "Points added", panels=panels)
    return FigureWithAlt(frame(figure, panels * height if narrow else height), alt or "No rounds yet.")


def _find_reach(figure: go.Figure) -> dict[str, tuple[float, float]]:
    """How far the intervals of each panel reach, zero among them; a panel by its x axis."""
    reach: dict[str, tuple[float, float]] = {}
    for dot in figure.data:
        if dot.error_x.array is not None:
            low, high = reach.get(dot.xaxis, (0.0, 0.0))
            middle, half = dot.x[0], dot.error_x.array[0] or 0
            reach[dot.xaxis] = min(low, middle - half), max(high, middle + half)
    return reach
