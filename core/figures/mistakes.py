"""Plotly figures of what the networks get wrong, as pure functions of the data frames of core.analysis.mistakes."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.analysis.calibration import BINS, Calibration
from core.analysis.numbers import percent, plural, points, signed
from core.analysis.sentences import describe_p, percent_between, tuples
from core.figures.style import (
    ERROR,
    NEUTRAL,
    PAPER,
    PERCENT,
    FigureWithAlt,
    by_model,
    dash_of,
    frame,
    heatmap,
    rounded,
    wrap,
)
from core.runs.palette import PALETTE
from core.runs.settings import ModelName

DARK_INK, LIGHT_INK = "#000000", "#ffffff"  # of a cell's number: 4.5 : 1 and more on each cell
STRONG = 0.97  # the share of the strongest red from which light ink is the more readable
OUTLINE = "#ffffff"  # of a chosen cell, and
SHADOW = "#1d2733"  # what sets it off from the cells around


def distance_lines(table: pd.DataFrame) -> FigureWithAlt:
    """Accuracy by |first − second|, one line per architecture. A single line has its 95 % intervals over rounds.
    `table` is that of core.analysis.distance.accuracy_by_distance, of one dropout."""
    figure = go.Figure()
    parts, models = [], by_model(table)
    for model, look, rows in models:
        figure.add_scatter(
            x=rows["distance"].tolist(), y=rounded(rows["accuracy"]), mode="lines+markers", name=look.label,
            line={"color": look.colour, "dash": dash_of(look), "width": 2.5},
            marker={"symbol": look.marker, "size": 8}, legendgroup=model,
            customdata=[_share(row) for row in tuples(rows)],
            error_y=_interval(rows) if len(models) == 1 else None,
            hovertemplate="%{customdata}",
        )  # fmt: skip
        ends = rows.set_index("distance")["accuracy"]
        parts.append(f"{look.label} {percent(ends[0])} at 0, {percent(ends[1])} at 1, {percent(ends[9])} at 9")
    frame(figure, 500 if len(models) > 1 else 320).update_layout(hovermode="x unified", hoversort="value descending")
    figure.update_xaxes(title_text="|first − second|", dtick=1, showgrid=False, unifiedhovertitle_text="%{x} apart")
    figure.update_yaxes(title_text="Right comparisons", tickformat=PERCENT)
    return FigureWithAlt(figure, f"Accuracy by the distance of the two digits: {'; '.join(parts) or 'no rounds yet'}.")


def _share(row: Any) -> str:
    """'81.8 %, 95 % 79.1 % to 84.2 %, 10 rounds, 1,073 pairs'."""
    if not row.count:
        return "never drawn"
    interval = f", {percent_between(row.low, row.high)}" if row.rounds > 1 else ""
    return f"{percent(row.accuracy)}{interval}, {plural(row.rounds, 'round')}, {plural(row.count, 'pair')}"


def _interval(rows: pd.DataFrame) -> dict[str, Any]:
    """Error bars from `low` to `high` around `accuracy`."""
    return {
        "array": rounded(rows["high"] - rows["accuracy"], 5), "arrayminus": rounded(rows["accuracy"] - rows["low"], 5),
        "thickness": 2, "width": 0,
    }  # fmt: skip


def pair_heatmap(table: pd.DataFrame, first: int | None = None, second: int | None = None) -> FigureWithAlt:
    """Accuracy by pair of digits in percent, white if all are right and red for the most errors; `table` is one cell
    of core.analysis.mistakes.accuracy_by_pair. A frame is around the cell of two digits, or the row or column of one.

    Over each cell lies an unseen point, since Plotly's heat maps do not answer to a click themselves.
    """
    square = table.pivot(index="first", columns="second", values="accuracy").reindex(index=range(10), columns=range(10))
    known = table[table["count"] > 0]
    worst = min(known["accuracy"].min(), 0.99) if len(known) else 0.5
    figure = go.Figure(heatmap(square.to_numpy(), None, worst, 1, [ERROR, PAPER]))
    figure.update_traces(hoverinfo="skip", hovertemplate=None, showscale=True, colorbar=_scale_of(worst))
    strong = (1 - known["accuracy"]) / (1 - worst) > STRONG
    for cells, ink in ((known[~strong], DARK_INK), (known[strong], LIGHT_INK)):
        figure.add_scatter(
            x=cells["second"].tolist(), y=cells["first"].tolist(), mode="markers+text", showlegend=False,
            text=[signed(value, 0, 100) for value in cells["accuracy"]], textfont={"size": 14, "color": ink},
            marker={"symbol": "square", "size": 30, "opacity": 0}, unselected={"textfont": {"color": ink}},
            customdata=[_describe_pair(row) for row in tuples(cells)], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    frame(figure, 480).update_layout(hoverdistance=40)
    figure.update_xaxes(title_text="Second digit", dtick=1, side="top", range=[-0.5, 9.5], showgrid=False)
    figure.update_yaxes(title_text="First digit", dtick=1, range=[9.5, -0.5], showgrid=False)
    figure.layout.shapes = _outline(first, second)
    if known.empty:
        return FigureWithAlt(figure, "Accuracy by pair of digits: no rounds yet.")
    hard = tuples(known.nsmallest(5, "accuracy"))
    lowest = ", ".join(f"{row.first} and {row.second} {percent(row.accuracy)}" for row in hard)
    return FigureWithAlt(figure, f"Accuracy by pair of digits, first and second. The lowest five: {lowest}.")


def _scale_of(worst: float) -> dict[str, Any]:
    """A legend below the cells with three numbers: the worst pair's accuracy, one half way, and all right."""
    numbers = [worst, (1 + worst) / 2, 1]
    return {
        "orientation": "h", "y": 0, "yanchor": "top", "thickness": 12, "len": 0.6, "outlinewidth": 0,
        "tickvals": numbers, "ticktext": [percent(number) for number in numbers], "tickfont": {"size": 14},
    }  # fmt: skip


def _outline(first: int | None, second: int | None) -> list[dict[str, Any]]:
    top, bottom = (-0.5, 9.5) if first is None else (first - 0.5, first + 0.5)
    left, right = (-0.5, 9.5) if second is None else (second - 0.5, second + 0.5)
    place = {"type": "rect", "x0": left, "x1": right, "y0": top, "y1": bottom}
    lines = [{"color": SHADOW, "width": 6}, {"color": OUTLINE, "width": 3}]
    chosen = first is not None or second is not None
    return [{**place, "line": line} for line in lines] if chosen else []


def _describe_pair(row: Any) -> str:
    return f"First {row.first}, second {row.second}: {row.right} right<br>{_share(row)}"


def alone_bars(alone: pd.DataFrame, missed: int) -> FigureWithAlt:
    """How many pairs each architecture alone gets right, and last how many all miss; `alone` is core.analysis.mistakes'
    count_alone."""
    labels = [*(PALETTE[model].label for model in alone["model"]), "None of them"]
    counts = [*alone["alone"].tolist(), missed]
    figure = go.Figure()
    figure.add_bar(
        x=counts, y=list(range(len(counts))), orientation="h", text=[f"{count:,}" for count in counts],
        textposition="outside", cliponaxis=False, width=0.6, customdata=labels,
        marker={"color": [*(PALETTE[model].colour for model in alone["model"]), NEUTRAL]},
        hovertemplate="%{customdata}: %{x:,} pairs<extra></extra>",
    )  # fmt: skip
    frame(figure, 60 + 46 * len(counts))
    figure.update_xaxes(
        title_text="Pairs", range=[0, 1.25 * max(*counts, 1)], tickformat=","
    )  # numbers behind the bars
    figure.update_yaxes(
        tickvals=list(range(len(counts))), ticktext=[wrap(label) for label in labels], showgrid=False,
        range=[len(counts) - 0.5, -0.5],
    )  # fmt: skip
    parts = ", ".join(f"{label} {count:,}" for label, count in zip(labels, counts, strict=True))
    return FigureWithAlt(figure, f"Pairs that only one architecture gets right, by architecture: {parts}.")


def odds_bars(rounds: pd.DataFrame, first: ModelName, second: ModelName) -> FigureWithAlt:
    """Round by round, how many pairs only the first architecture gets right, to the left, and only the second, to the
    right, with McNemar's p after Holm's correction; `rounds` is that of core.analysis.mistakes.count_odds."""
    figure = go.Figure()
    names = [f"Round {row.seed}, p {describe_p(row.p_holm)}" for row in tuples(rounds)]
    for model, column, sign in ((first, "only_first", -1), (second, "only_second", 1)):
        look, counts = PALETTE[model], rounds[column].tolist()
        figure.add_bar(
            x=[sign * count for count in counts], y=list(range(len(counts))), orientation="h", width=0.65,
            name=f"Only {look.label}", marker_color=look.colour, text=counts, textposition="outside",
            cliponaxis=False, customdata=list(zip(names, counts, strict=True)),
            hovertemplate=f"%{{customdata[0]}}: %{{customdata[1]}} pairs<br>only {look.label} is right<extra></extra>",
        )  # fmt: skip
    frame(figure, 110 + 32 * len(rounds)).update_layout(barmode="overlay")
    most = int(rounds[["only_first", "only_second"]].to_numpy().max(initial=1))
    figure.update_xaxes(
        title_text="Pairs of the round's test set", range=[-1.35 * most, 1.35 * most], showticklabels=False
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], showgrid=False
    )
    figure.add_vline(0, line={"color": NEUTRAL, "width": 1})
    parts = "; ".join(
        f"{name}: {row.only_first} and {row.only_second}" for name, row in zip(names, tuples(rounds), strict=True)
    )
    return FigureWithAlt(
        figure, f"Pairs that only {PALETTE[first].label} and only {PALETTE[second].label} gets right: {parts}."
    )


def calibration_curve(curve: pd.DataFrame, measured: Calibration) -> FigureWithAlt:
    """How often first <= second where a network gives it a probability, with 95 % intervals over rounds, above how many
    pairs each tenth holds. `curve` is core.analysis.calibration.calibrate's, `measured` its
    measure_calibration's of the same pairs."""
    look = PALETTE[measured.model]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.74, 0.26], vertical_spacing=0.06)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": NEUTRAL, "dash": "dash", "width": 1.5}, hoverinfo="skip",
        name="As often as it says", row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=rounded(curve["said"]), y=rounded(curve["accuracy"]), mode="lines+markers", name=look.label,
        line={"color": look.colour, "dash": dash_of(look), "width": 2.5}, marker={"symbol": look.marker, "size": 10},
        error_y=_interval(curve), customdata=[f"Says {percent(row.said)}, is so in {_share(row)}" for row in
        tuples(curve)], hovertemplate="%{customdata}<extra></extra>", row=1, col=1,
    )  # fmt: skip
    figure.add_bar(
        x=((curve["bin"] + 0.5) / BINS).tolist(), y=curve["count"].tolist(), width=0.9 / BINS, showlegend=False,
        text=[f"{count:,}" for count in curve["count"]], textposition="outside", cliponaxis=False,
        marker_color=look.colour, hovertemplate="%{y:,} pairs<extra></extra>", row=2, col=1,
    )  # fmt: skip
    frame(figure, 560).update_layout(uniformtext={"minsize": 9, "mode": "show"})
    figure.update_xaxes(tickformat=PERCENT, dtick=0.2, range=[-0.02, 1.02])
    figure.update_xaxes(title_text="Probability given to first ≤ second", row=2)
    figure.update_yaxes(title_text="Share with first ≤ second", tickformat=PERCENT, range=[-0.02, 1.05], row=1)
    figure.update_yaxes(
        title_text="Pairs", range=[0, 1.3 * float(curve["count"].max())], showticklabels=False, showgrid=False, row=2
    )
    parts = "; ".join(
        f"says {percent(row.said)}, so in {percent(row.accuracy)} of {row.count:,}" for row in tuples(curve)
    )
    error = f"expected error {points(measured.error)} points, {points(measured.floor)} if it were perfect"
    return FigureWithAlt(figure, f"Calibration of {look.label}, {error}: {parts}.")
