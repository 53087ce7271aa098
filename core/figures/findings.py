"""Plotly figures of the findings, as pure functions of the data frames of core.analysis."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.analysis.artefact import DIGIT_MODELS
from core.analysis.numbers import percent, signed, with_sign
from core.analysis.sentences import between, name_cell, name_dropout, percent_between, tuples
from core.analysis.traces import EARLY_MODELS, common_stop
from core.figures.style import (
    GRID,
    NEUTRAL,
    PERCENT,
    FigureWithAlt,
    architecture_rows,
    by_model,
    dash_of,
    frame,
    label_outside,
    legend_mark,
    make_panels,
    place_of,
    rounded,
    tint,
    wrap,
)
from core.runs.palette import PALETTE, Look
from core.runs.settings import MODEL_NAMES


def artefact_dots(table: pd.DataFrame, narrow: bool = False) -> FigureWithAlt:
    """Dropout off and left on at evaluation, one panel per network, beside the report's mean ± deviation (dashed line
    and band). `table` is that of core.analysis.artefact.dropout_artefact."""
    figure = make_panels([PALETTE[model].label for model in DIGIT_MODELS], narrow, spacing=0.18 if narrow else 0.06)
    cases = list(dict.fromkeys(table["case"]))
    for panel, model in enumerate(DIGIT_MODELS):
        rows, look, place = tuples(table[table["model"] == model]), PALETTE[model], place_of(panel, narrow)
        for row in rows:
            figure.add_trace(_case_dot(row, cases.index(row.case), look), **place)
        printed, std = rows[0].report_mean, rows[0].report_std  # Plotly draws shapes only on panels that have traces
        figure.add_vrect(printed - std, printed + std, fillcolor=NEUTRAL, opacity=0.16, line_width=0, **place)
        figure.add_vline(printed, line={"color": NEUTRAL, "width": 2, "dash": "dash"}, layer="below", **place)
    figure.add_trace(legend_mark("Ours with 95 % interval", "circle"))
    figure.add_trace(legend_mark("Ours, dropout left on at evaluation", "circle-open"))
    figure.add_trace(legend_mark("The report's mean with dropout ± deviation", "circle", "lines", "dash"))
    label_outside(figure, narrow, "Test accuracy")
    figure.update_xaxes(tickformat=PERCENT, matches=None, showticklabels=True, showgrid=True)
    labels = [wrap(case, 16) for case in cases]
    figure.update_yaxes(
        tickvals=list(range(len(cases))), ticktext=labels, range=[len(cases) - 0.5, -0.6], showgrid=False
    )
    alt = "; ".join(
        f"{PALETTE[row.model].label}, {row.case.lower()}: {percent(row.mean)}"
        for row in tuples(table[table["rounds"] > 0])
    )
    frame(figure, 760 if narrow else 400).update_layout(margin_r=40)  # for the numbers behind the dots
    return FigureWithAlt(figure, f"Test accuracy. {alt or 'No rounds yet'}.")


def _case_dot(row: Any, y: int, look: Look) -> go.Scatter:
    symbol, line = (look.marker + "-open", 2) if row.dropout_at_evaluation else (look.marker, 0)
    end = (
        row.high if row.rounds > 1 else row.mean
    )  # where the number stands: above the dot the dashed line would cross it
    return go.Scatter(
        x=rounded([row.mean, end]), y=[y, y], mode="markers+text", showlegend=False, cliponaxis=False,
        marker={"color": look.colour, "symbol": symbol, "size": [12, 0], "line_width": [line, 0], "opacity": 1},
        error_x={"array": rounded([row.high - row.mean, 0], 5), "color": look.colour, "thickness": 2.5, "width": 0},
        text=["", f" {signed(row.mean, 1, 100)}" if row.rounds else ""], textposition="middle right",
        hovertemplate=f"{row.case}: {_mean_and_interval(row)}<extra></extra>" if row.rounds else None,
    )  # fmt: skip


def _mean_and_interval(row: Any) -> str:
    interval = f", {percent_between(row.low, row.high)}" if row.rounds > 1 else ""
    return f"{percent(row.mean)}{interval}, n = {row.rounds}"


def parameters_dots(table: pd.DataFrame) -> FigureWithAlt:
    """Test accuracy with its 95 % interval against the number of parameters; `table` is that of
    core.analysis.findings.parameters_and_accuracy, of one dropout."""
    figure = go.Figure()
    for model, look, rows in by_model(table):
        row = tuples(rows)[0]
        figure.add_scatter(
            x=[row.parameters], y=[round(row.mean, 4)], mode="markers", name=look.label, legendgroup=model,
            marker={"color": look.colour, "symbol": look.marker, "size": 13},
            error_y={"array": rounded([row.high - row.mean], 5), "color": look.colour, "thickness": 2, "width": 0},
            hovertemplate=f"{look.label}: {row.parameters:,} parameters, {_mean_and_interval(row)}<extra></extra>",
        )  # fmt: skip
    frame(figure, 480)
    figure.update_xaxes(title_text="Parameters", tickformat=",", rangemode="tozero")
    figure.update_yaxes(title_text="Test accuracy", tickformat=PERCENT)
    parts = [
        f"{look.label} {tuples(rows)[0].parameters:,} and {percent(tuples(rows)[0].mean)}"
        for _, look, rows in by_model(table)
    ]
    return FigureWithAlt(figure, f"Parameters and test accuracy: {'; '.join(parts) or 'no rounds yet'}.")


def epochs_boxes(table: pd.DataFrame, narrow: bool = False) -> FigureWithAlt:
    """After how many epochs the rounds ended, one box per architecture with its rounds as dots; `table` is that of
    core.analysis.findings.epochs_to_stop."""
    dropouts = sorted(set(table["dropout"])) or [0.0]
    figure = make_panels([name_dropout(dropout) for dropout in dropouts], narrow, spacing=0.06)
    parts = []
    for panel, dropout in enumerate(dropouts):
        for model, look, rows in by_model(table[table["dropout"] == dropout]):
            place = [MODEL_NAMES.index(model)] * len(rows)
            box = go.Box(
                x=rows["epochs"].tolist(), y=place, orientation="h", name=look.label, boxpoints="all", pointpos=0,
                jitter=0.6, marker={"color": look.colour, "symbol": look.marker, "size": 5, "opacity": 0.7},
                line={"color": look.colour, "width": 1.5}, fillcolor=tint(look.colour, 0.15), width=0.6,
                customdata=rows["seed"].tolist(), hoveron="points", showlegend=False,
                hovertemplate=f"{look.label}, round with seed %{{customdata}}: %{{x}} epochs<extra></extra>",
            )  # fmt: skip
            figure.add_trace(box, **place_of(panel, narrow))
            parts.append(f"{name_cell(model, dropout)} {rows['epochs'].median():.0f}")
    architecture_rows(figure)
    label_outside(figure, narrow, "Epochs", panels=len(dropouts))
    figure.update_xaxes(rangemode="tozero", showgrid=True)
    return FigureWithAlt(
        frame(figure, 820 if narrow else 440), f"Median epochs: {'; '.join(parts) or 'no rounds yet'}."
    )


def squared_scatter(table: pd.DataFrame) -> FigureWithAlt:
    """Direct classification round by round: the share of right comparisons against the squared share of digits read
    rightly, and what its confusions let expect; `table` is that of core.analysis.findings.digit_accuracy_squared."""
    look = PALETTE["DirectClassificationModel"]
    figure = go.Figure()
    parts: Any = table.groupby("dropout")
    for dropout, rows in parts:
        figure.add_scatter(
            x=rounded(rows["squared"]), y=rounded(rows["test_accuracy"]), mode="markers", name=name_dropout(dropout),
            marker={
                "color": look.colour, "symbol": look.marker + ("-open" if dropout else ""), "size": 12,
                "line": {"width": 1.5, "color": look.colour},
            },
            customdata=[
                [row.seed, percent(row.test_accuracy), percent(row.squared), percent(row.lucky)] for row in tuples(rows)
            ],
            hovertemplate="Round with seed %{customdata[0]}: %{customdata[1]} of the comparisons right,<br>"
            "%{customdata[2]} is the square; %{customdata[3]} right despite a misread digit<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=rounded(table["squared"]), y=rounded(table["expected"]), mode="markers", hoverinfo="skip",
        name="Expected from the confusions",
        marker={"color": NEUTRAL, "symbol": "line-ew-open", "size": 16, "line_width": 2},
    )  # fmt: skip
    if len(table):
        ends = [round(float(table["squared"].min()) - 0.005, 3), round(float(table["squared"].max()) + 0.005, 3)]
        figure.add_scatter(
            x=ends, y=ends, mode="lines", line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
            name="If both digits had to be read rightly", hoverinfo="skip",
        )  # fmt: skip
    frame(figure, 440)
    figure.update_xaxes(title_text="Digits read rightly, squared", tickformat=PERCENT, dtick=0.01)
    figure.update_yaxes(title_text="Comparisons right", tickformat=PERCENT)
    mean = table.mean()
    alt = "no rounds yet" if table.empty else (
        f"on average {percent(mean['squared'])} and {percent(mean['test_accuracy'])} over {len(table)} rounds, "
        f"{percent(mean['expected'])} expected"
    )  # fmt: skip
    return FigureWithAlt(figure, f"Squared digit accuracy against test accuracy of {look.label}: {alt}.")


NOTICED = (  # how a drawing is noticed, the name of it, its sign, and where it stands in its row
    ("strange", "By its distance to training digits", "circle", -0.12),
    ("unsure", "By the networks' own confidence", "diamond-open", 0.12),
)


def unseen_dots(table: pd.DataFrame) -> FigureWithAlt:
    """How many drawings of each kind are noticed, with 95 % intervals; `table` is that of core.analysis.unseen."""
    figure, rows = go.Figure(), tuples(table)
    for way, name, symbol, shift in NOTICED:
        shares = [getattr(row, way) / row.drawings for row in rows]
        ends = [(getattr(row, f"{way}_low"), getattr(row, f"{way}_high")) for row in rows]
        figure.add_scatter(
            x=rounded(shares), y=[index + shift for index in range(len(rows))], mode="markers", name=name,
            marker={"color": NEUTRAL, "symbol": symbol, "size": 12, "line_width": 2 if "open" in symbol else 0},
            error_x={
                "array": rounded([high - share for share, (_, high) in zip(shares, ends, strict=True)], 5),
                "arrayminus": rounded([share - low for share, (low, _) in zip(shares, ends, strict=True)], 5),
                "color": NEUTRAL, "thickness": 2.5, "width": 0,
            },
            customdata=[percent_between(*each) for each in ends],
            hovertemplate="%{x:.1%}, %{customdata}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="Share that is noticed", tickformat=PERCENT, range=[-0.02, 1.02], showgrid=True)
    labels = [wrap(f"{row.kind[:1].upper()}{row.kind[1:]}", 14) for row in rows]
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.7], showgrid=False)
    noticed = "; ".join(
        f"{row.kind} {percent(row.strange / row.drawings)} and {percent(row.unsure / row.drawings)}" for row in rows
    )
    alt = f"Noticed by distance and by confidence: {noticed}."
    return FigureWithAlt(frame(figure, 380), alt)


def hypothesis_curves(table: pd.DataFrame) -> FigureWithAlt:
    """How far the mean test accuracy of all seven is from the report's printed figure during training, in points, and
    the epoch at which the first two come nearest to theirs. `table` is that of
    core.analysis.traces.early_stop_hypothesis."""
    figure = go.Figure()
    stopped, parts = common_stop(table), []
    for model, look, rows in by_model(table):
        early = model in EARLY_MODELS
        figure.add_scatter(
            x=rows["epoch"].tolist(), y=rounded(100 * rows["difference"], 2), mode="lines", name=look.label,
            line={"color": look.colour, "dash": dash_of(look), "width": 4 if early else 2},
            customdata=[_off_print(row) for row in tuples(rows)],
            hovertemplate="%{customdata}",
        )  # fmt: skip
        parts.append(f"{look.label} ends {with_sign(rows['difference'].iloc[-1])}")
    figure.add_hline(0, line={"color": NEUTRAL, "width": 2, "dash": "dash"})
    for row in tuples(stopped):
        figure.add_scatter(
            x=[row.epoch], y=rounded([100 * row.difference], 2), mode="markers", showlegend=False, hoverinfo="skip",
            marker={"color": PALETTE[row.model].colour, "symbol": "circle" if row.clear else "circle-open", "size": 10},
            error_y={"array": rounded([100 * (row.difference_high - row.difference)], 2), "width": 0, "thickness": 1.5},
        )  # fmt: skip
    if len(stopped):
        figure.add_vline(int(stopped["epoch"].iloc[0]), line={"color": GRID, "width": 14})
        parts.insert(0, f"at epoch {stopped['epoch'].iloc[0]}, {', '.join(_name_off(row) for row in tuples(stopped))}")
    figure.add_trace(legend_mark("The report's printed mean", "circle", "lines", "dash"))
    frame(figure, 540).update_layout(hovermode="x unified", hoversort="value descending")
    figure.update_xaxes(
        title_text="Epoch at which all would have stopped", unifiedhovertitle_text="Epoch %{x}", showgrid=False
    )
    lowest = float(100 * table.loc[table["epoch"] >= 10, "difference"].min()) if len(table) else -5
    figure.update_yaxes(title_text="Ours − the report's, points", range=[max(lowest, -20) - 1, 6])
    return FigureWithAlt(
        figure, f"Points of mean test accuracy above the printed figure: {'; '.join(parts) or 'no rounds yet'}."
    )


def _off_print(row: Any) -> str:
    interval = f" ({between(row.difference_low, row.difference_high)})" if row.rounds > 1 else ""
    return f"{with_sign(row.difference)}{interval}: {percent(row.mean)}"


def _name_off(row: Any) -> str:
    return f"{PALETTE[row.model].label} {with_sign(row.difference)}{' clearly' if row.clear else ''}"
