"""The figure of a chapter of the lesson whose evidence is curves."""

import plotly.graph_objects as go

from core.analysis.exhibit import Arrow, Chart, Curve
from core.figures.style import PERCENT, FigureWithAlt, frame, rounded

HEIGHT = 370


def chapter_lines(chart: Chart, caption: str, stage: int, narrow: bool = False) -> FigureWithAlt:
    """The curves as far as they are revealed at this stage; the axes are those of the whole, so that nothing moves."""
    figure, told = go.Figure(), []
    for curve in chart.curves:
        own = curve._replace(points=tuple(point for point in curve.points if point.step <= stage))
        _add_curve(figure, own)
        if own.points:
            told.append(f"{curve.name}: {'; '.join(point.text for point in own.points)}.")
    arrows = [arrow for arrow in chart.arrows if arrow.step <= stage]
    for arrow in arrows:
        _add_arrow(figure, arrow)
    told += [f"Arrow: {arrow.text}." for arrow in arrows]
    places = list(chart.ticks)
    margin = 0.05 * (places[-1] - places[0])
    figure.update_xaxes(
        title_text=chart.axis, tickvals=places, ticktext=list(chart.ticks.values()),
        range=[places[0] - margin, places[-1] + margin],
    )  # fmt: skip
    ends = [end for curve in chart.curves for p in curve.points for end in (p.value, p.low, p.high) if end == end]
    figure.update_yaxes(tickformat=PERCENT, range=[min(ends) - 0.01, max(ends) + 0.01])
    figure.update_layout(showlegend=True, hovermode="closest")
    frame(figure, HEIGHT)
    figure.update_layout(margin_t=8)
    if len(chart.curves) > 2 and not narrow:
        figure.update_layout(legend={"orientation": "v", "x": 1, "y": 1, "yref": "paper", "yanchor": "top"})
    return FigureWithAlt(figure, f"{caption} {' '.join(told)}")


def _add_curve(figure: go.Figure, curve: Curve) -> None:
    spans = [point.high - point.value for point in curve.points]
    places: list[float | None] = [point.x for point in curve.points]
    figure.add_scatter(
        x=places or [None], y=rounded(point.value for point in curve.points) or [None],
        name=curve.name, mode="lines+markers",
        line={"color": curve.colour, "dash": ",".join(f"{each}px" for each in curve.dash) or "solid", "width": 2.5},
        marker={"color": curve.colour, "symbol": curve.marker, "size": 10, "line": {"color": curve.colour, "width": 2}},
        error_y={"array": rounded(spans, 5), "color": curve.colour, "thickness": 2, "width": 0},
        text=[f"{curve.name}, {point.text}" for point in curve.points], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _add_arrow(figure: go.Figure, arrow: Arrow) -> None:
    """From left to right at one height; its label stands under the middle."""
    figure.add_annotation(
        x=arrow.end, y=arrow.value, ax=arrow.start, ay=arrow.value, xref="x", yref="y", axref="x", ayref="y", text="",
        showarrow=True, arrowhead=2, arrowsize=1.2, arrowwidth=1.8, arrowcolor=arrow.colour, startstandoff=8,
    )  # fmt: skip
    if arrow.label:
        figure.add_annotation(
            x=(arrow.start + arrow.end) / 2, y=arrow.value, text=arrow.label, showarrow=False, yshift=-12
        )
