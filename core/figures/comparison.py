"""Plotly figures of the comparison: ours beside the report's, what each idea adds, which architectures differ."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.analysis.comparison import KIND_TITLES, describe_ideas
from core.analysis.numbers import percent, points, with_sign
from core.analysis.sentences import between, describe_p, name_cell, name_dropout, tuples
from core.figures.gains import finish_gains, gain_dot
from core.figures.style import (
    BETTER,
    EVEN,
    NEUTRAL,
    PERCENT,
    WORSE,
    FigureWithAlt,
    architecture_rows,
    frame,
    heatmap,
    label_outside,
    legend_mark,
    make_panels,
    place_of,
    rounded,
    wrap,
)
from core.runs.palette import PALETTE
from core.runs.plan import SHIPPED_DROPOUTS
from core.runs.settings import MODEL_NAMES, REPORT_MODELS

CLEAR_POINTS = 5.0  # the difference at which a cell of the matrix has its full colour


def comparison_dots(table: pd.DataFrame, narrow: bool = False) -> FigureWithAlt:
    """Our mean with its 95 % interval beside the report's mean ± deviation; one row per architecture, one panel per
    column of Table 1. `table` is that of core.analysis.agreement.compare_with_report; what differs clearly carries its
    difference in points."""
    figure = make_panels([name_dropout(dropout) for dropout in SHIPPED_DROPOUTS], narrow, spacing=0.06)
    shown = table[table["dropout"].isin(SHIPPED_DROPOUTS) & ~table["dropout_at_evaluation"].astype(bool)]
    for panel, dropout in enumerate(SHIPPED_DROPOUTS):
        for row in tuples(shown[shown["dropout"] == dropout]):
            place = MODEL_NAMES.index(row.model)
            if row.model in REPORT_MODELS:
                figure.add_trace(_report_dot(row, place + 0.17), **place_of(panel, narrow))
            if row.rounds:
                figure.add_trace(_own_dot(row, place - 0.17), **place_of(panel, narrow))
    names = ("Ours, mean with 95 % interval", "The report's, mean ± standard deviation")
    for name, symbol in zip(names, ("circle", "circle-open"), strict=True):
        figure.add_trace(legend_mark(name, symbol))
    architecture_rows(figure)
    label_outside(figure, narrow, "Test accuracy")
    figure.update_xaxes(tickformat=PERCENT, showgrid=True)
    framed = frame(figure, 820 if narrow else 460).update_layout(margin_r=40)  # for a difference at the edge
    return FigureWithAlt(framed, _describe_comparison(shown))


def _own_dot(row: Any, y: float) -> go.Scatter:
    look = PALETTE[row.model]
    label = f"<b>{with_sign(row.difference)} points</b>"
    half = row.high - row.mean
    interval = f", 95 % {percent(row.low)} to {percent(row.high)}" if half == half else ""
    return go.Scatter(
        x=[row.mean],
        y=[y],
        mode="markers+text",
        marker={"color": look.colour, "symbol": look.marker, "size": 11},
        error_x={"array": rounded([half], 5), "color": look.colour, "thickness": 2, "width": 0},
        text=[label if row.clear else ""],
        textposition="top center",
        textfont_size=14,
        cliponaxis=False,
        hovertemplate=f"{look.label}, ours: {percent(row.mean)}{interval}, n = {row.rounds}<extra></extra>",
        showlegend=False,
    )


def _report_dot(row: Any, y: float) -> go.Scatter:
    text = f"{percent(row.report_mean)} ± {points(row.report_std)}"
    return go.Scatter(
        x=[row.report_mean],
        y=[y],
        mode="markers",
        marker={"color": NEUTRAL, "symbol": "circle-open", "size": 9, "line_width": 2},
        error_x={"array": [row.report_std], "color": NEUTRAL, "thickness": 1, "width": 3},
        hovertemplate=f"{PALETTE[row.model].label}, the report: {text}<extra></extra>",
        showlegend=False,
    )


def _describe_comparison(shown: pd.DataFrame) -> str:
    known = shown[shown["rounds"] > 0]
    if known.empty:
        return "Test accuracy, ours and the report's: no rounds yet."
    ordered = tuples(known.sort_values("mean"))
    least, most = (f"{percent(row.mean)} of {name_cell(row.model, row.dropout)}" for row in (ordered[0], ordered[-1]))
    parts = [
        f"{name_cell(row.model, row.dropout)} {percent(row.mean)} (the report {percent(row.report_mean)})"
        for row in tuples(known[known["clear"]])
    ]
    return (
        f"Test accuracy, ours beside the report's: from {least} to {most}. Clearly different in {len(parts)} of "
        f"{int(known['p_holm'].notna().sum())} cells that can be compared{': ' if parts else ''}{'; '.join(parts)}."
    )


def ladder(steps: pd.DataFrame, narrow: bool = False) -> FigureWithAlt:
    """What each change adds in points with its 95 % interval, one panel per kind of pairs; filled if it is clear.
    `steps` are rows of core.analysis.comparison.compare_ideas."""
    figure = make_panels(list(KIND_TITLES.values()), narrow, spacing=0.1 if narrow else 0.03)
    changes = list(dict.fromkeys(steps["change"]))
    for step in tuples(steps[steps["rounds"] > 0]):
        panel = list(KIND_TITLES).index(step.kind)
        head = f"{wrap(step.change.rstrip(','), 44)}<br>{KIND_TITLES[step.kind]}: "
        figure.add_trace(gain_dot(step, changes.index(step.change), step.model, head), **place_of(panel, narrow))
    labels = [wrap(change.rstrip(","), 22 if narrow else 33) for change in changes]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.7], showgrid=False
    )
    lines = max((1 + label.count("<br>") for label in labels), default=1)
    height = 110 + max(20 * lines + 8, 52) * len(changes)
    return finish_gains(figure, len(KIND_TITLES), narrow, " ".join(describe_ideas(steps)), height)


def paired_matrix(pairs: pd.DataFrame) -> FigureWithAlt:
    """How many points the architecture of a row is ahead of that of a column, paired by round, one panel per kind of
    pairs of digits; bold if it is clear. `pairs` is that of core.analysis.comparison.compare_architectures."""
    figure = make_panels(list(KIND_TITLES.values()), narrow=False, spacing=0.02)
    for panel, kind in enumerate(KIND_TITLES):
        known = pairs[(pairs["kind"] == kind) & (pairs["rounds"] > 0)]
        figure.add_trace(_matrix_cells(known), **place_of(panel, narrow=False))
    labels = [f"{wrap(PALETTE[model].label)}  <b>{place}</b>" for place, model in enumerate(MODEL_NAMES, start=1)]
    frame(figure, 430)
    numbers = list(range(len(MODEL_NAMES)))
    figure.update_yaxes(tickvals=numbers, ticktext=labels, range=[6.5, -0.5], showgrid=False)
    figure.update_xaxes(
        tickvals=numbers[:-1], ticktext=[f"<b>{number + 1}</b>" for number in numbers[:-1]], range=[-0.5, 5.5],
        showgrid=False, showticklabels=True,
    )  # fmt: skip
    return FigureWithAlt(figure, _describe_matrix(pairs))


def _matrix_cells(known: pd.DataFrame) -> go.Heatmap:
    """The cells of one panel with their numbers."""
    places = {model: place for place, model in enumerate(MODEL_NAMES)}
    ahead = np.full((len(places), len(places)), np.nan)
    texts, hovers = np.full(ahead.shape, "", dtype=object), np.full(ahead.shape, "", dtype=object)
    for pair in tuples(known):
        row, column = places[pair.second], places[pair.first]
        ahead[row, column] = 100 * pair.difference
        text = points(pair.difference)
        texts[row, column] = f"<b>{text}</b>" if pair.clear else text
        evidence = f"<br>{between(pair.low, pair.high)}, Holm's p {describe_p(pair.p_holm)}" if pair.rounds > 1 else ""
        hovers[row, column] = (
            f"{PALETTE[pair.second].label} minus<br>{PALETTE[pair.first].label}: {text} points{evidence}, n = "
            f"{pair.rounds}"
        )
    cells = heatmap(ahead, hovers.tolist(), -CLEAR_POINTS, CLEAR_POINTS, [WORSE, EVEN, BETTER])
    return cells.update(text=texts.tolist(), texttemplate="%{text}", textfont={"size": 14, "color": "white"})


def _describe_matrix(pairs: pd.DataFrame) -> str:
    parts = []
    for kind, title in KIND_TITLES.items():
        known = pairs[(pairs["kind"] == kind) & pairs["p_holm"].notna()]
        clear = tuples(known[known["clear"]].sort_values("difference", ascending=False, key=abs))
        part = f"{title}: {len(clear)} of {len(known)} pairs of architectures differ clearly"
        if clear:
            most = clear[0]
            best, least = (most.second, most.first) if most.difference > 0 else (most.first, most.second)
            ahead = points(abs(most.difference))
            part += f", most of all {PALETTE[best].label}, {ahead} points ahead of {PALETTE[least].label}"
        parts.append(part)
    return f"Paired differences in points. {'. '.join(parts)}."
