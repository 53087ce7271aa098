"""Plotly figures of one pair of digits: its probability during training, and which pixels spoke for and against."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.analysis.numbers import percent
from core.figures.style import (
    BETTER,
    NEUTRAL,
    PERCENT,
    WORSE,
    FigureWithAlt,
    by_model,
    dash_of,
    floats,
    frame,
    make_panels,
    place_of,
)
from core.runs.settings import ModelName


def pair_trace(table: pd.DataFrame, chosen: ModelName, narrow: bool = False) -> FigureWithAlt:
    """The probability that first <= second by epoch, one line per run, the `chosen` architecture's heavier; `table` is
    that of core.analysis.findings.trace_pair."""
    figure = go.Figure()
    parts = []
    for model, look, rows in by_model(table):
        for seed, run in rows.groupby("seed"):
            figure.add_scatter(
                x=run["epoch"], y=floats(run["probability"]), mode="lines", name=look.label, legendgroup=model,
                showlegend=bool(seed == rows["seed"].iloc[0]),
                line={"color": look.colour, "dash": dash_of(look), "width": 4 if model == chosen else 1.5},
                hovertemplate=f"{look.label}, epoch %{{x}}: %{{y:.0%}}<extra></extra>",
            )  # fmt: skip
            first, last = run["probability"].iloc[0], run["probability"].iloc[-1]
            parts.append(f"{look.label} from {percent(first)} to {percent(last)}")
    frame(figure, 560 if narrow else 380)
    figure.add_hline(y=0.5, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="Epoch", rangemode="tozero", showgrid=False)
    figure.update_yaxes(title_text="Probability of first ≤ second", tickformat=PERCENT, range=[-0.02, 1.02])
    words = "; ".join(parts) or "no rounds yet"
    return FigureWithAlt(figure, f"Probability of first ≤ second during training: {words}.")


def attribution_maps(frames: Any, pixels: Any, narrow: bool) -> FigureWithAlt:
    """What each pixel of two frames (2, 14, 14) in 0 to 255 added to the logit (2, 14, 14), over the frames."""
    figure = make_panels(["First digit", "Second digit"], narrow, 0.08)
    most = max(float(np.abs(pixels).max()), 1e-9)
    ink = {"colorscale": [[0, "rgba(128, 138, 151, 0.10)"], [1, "rgba(128, 138, 151, 0.75)"]], "zmin": 0, "zmax": 255}
    for panel in range(2):
        place = place_of(panel, narrow)
        figure.add_trace(go.Heatmap(z=frames[panel], showscale=False, hoverinfo="skip", **ink), **place)
        hover = "row %{y}, column %{x}: %{z:+.2f}<extra></extra>"
        figure.add_trace(go.Heatmap(z=pixels[panel], coloraxis="coloraxis", hovertemplate=hover), **place)
    clear = "rgba(128, 138, 151, 0)"
    figure.update_layout(
        coloraxis={
            "colorscale": [[0, WORSE], [0.5, clear], [1, BETTER]],
            "cmin": -most,
            "cmax": most,
            "colorbar": {"title": {"text": "logit", "side": "right"}, "tickformat": "+.2f", "thickness": 14},
        }
    )
    if narrow:
        figure.update_coloraxes(colorbar={"orientation": "h", "y": -0.02, "yanchor": "top", "title_side": "top"})
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", constrain="domain")
    for panel in range(2):  # square pixels
        axis = f"x{panel + 1}" if panel else "x"
        figure.update_yaxes(scaleanchor=axis, **place_of(panel, narrow))
    sums = [float(each.sum()) for each in pixels]
    alt = f"Pixels that spoke for and against first ≤ second: the first digit's add {sums[0]:+.2f} to the logit, "
    return FigureWithAlt(frame(figure, 700 if narrow else 380), f"{alt}the second's {sums[1]:+.2f}.")
