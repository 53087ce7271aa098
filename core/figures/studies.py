"""Plotly figures of the studies, as pure functions of the data frames of core.analysis.studies and learning."""

import pandas as pd
import plotly.graph_objects as go

from core.analysis.learning import describe_epochs, describe_speed
from core.analysis.numbers import percent
from core.analysis.sentences import name_dropout, percent_between, tuples
from core.analysis.studies import describe_weights
from core.figures.gains import finish_gains, gain_dot
from core.figures.style import (
    PERCENT,
    FigureWithAlt,
    by_model,
    dash_of,
    frame,
    label_outside,
    make_panels,
    place_of,
    rounded,
    wrap,
)
from core.runs.palette import PALETTE
from core.runs.studies import TRAINING_PAIRS


def data_lines(accuracies: dict[str, pd.DataFrame], sentences: list[str], narrow: bool = False) -> FigureWithAlt:
    """Accuracy against the number of training pairs, one panel per kind of pairs of digits (its title -> the rows of
    core.analysis.studies.accuracy_by_pairs at one dropout); `sentences` are what it says."""
    figure = make_panels(list(accuracies), narrow, spacing=0.1 if narrow else 0.05)
    for panel, table in enumerate(accuracies.values()):
        for model, look, rows in by_model(table):
            own = rows.sort_values("training_pairs")
            figure.add_scatter(
                x=own["training_pairs"].tolist(), y=rounded(own["mean"]), name=look.label, legendgroup=model,
                showlegend=panel == 0, mode="lines+markers", line={"color": look.colour, "dash": dash_of(look)},
                marker={"color": look.colour, "symbol": look.marker, "size": 9},
                error_y={
                    "array": rounded(own["high"].clip(upper=1) - own["mean"], 5), "symmetric": False,
                    "arrayminus": rounded(own["mean"] - own["low"].clip(lower=0), 5), "thickness": 1.5, "width": 0,
                },
                text=[
                    f"{look.label}, {row.training_pairs:,} pairs: {percent(row.mean)}, "
                    f"{percent_between(row.low, row.high)}, n = {row.rounds}"
                    for row in tuples(own)
                ],
                hovertemplate="%{text}<extra></extra>", **place_of(panel, narrow),
            )  # fmt: skip
    ticks = [f"{size:,}" for size in TRAINING_PAIRS]
    figure.update_xaxes(type="log", tickvals=list(TRAINING_PAIRS), ticktext=ticks, showgrid=True)
    label_outside(figure, narrow, "Training pairs", "Test accuracy", panels=len(accuracies))
    # The means decide the axis: two rounds alone have intervals that reach beyond all of it.
    least = min((float(table["mean"].min()) for table in accuracies.values() if len(table)), default=0.5)
    figure.update_yaxes(tickformat=PERCENT, range=[least - 0.05, 1.005])
    return FigureWithAlt(frame(figure, 900 if narrow else 500), " ".join(sentences) or "No rounds yet.")


def weight_dots(table: pd.DataFrame) -> FigureWithAlt:
    """Test accuracy with its 95 % interval at each auxiliary weight; `table` is that of
    core.analysis.studies.compare_weights."""
    figure, look = go.Figure(), PALETTE["WeightSharingAuxiliaryModel"]
    weights = sorted(set(table["weight"]))
    for place, dropout in enumerate(sorted(set(table["dropout"]))):
        own = table[table["dropout"] == dropout]
        figure.add_scatter(
            x=[weights.index(weight) + 0.14 * place - 0.07 for weight in own["weight"]], y=rounded(own["mean"]),
            mode="lines+markers", name=name_dropout(dropout),
            line={"color": look.colour, "dash": "dot" if place else "solid"},
            marker={
                "color": look.colour, "symbol": look.marker + ("-open" if place else ""), "size": 12, "line_width": 2,
            },
            error_y={"array": rounded(own["high"] - own["mean"], 5), "color": look.colour, "thickness": 2, "width": 0},
            text=[f"{percent(r.mean)}, {percent_between(r.low, r.high)}, n = {r.rounds}" for r in tuples(own)],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(
        title_text="Auxiliary weight (the report's is 1)",
        tickvals=list(range(len(weights))),
        ticktext=[f"{w:g}" for w in weights],
    )
    figure.update_yaxes(title_text="Test accuracy", tickformat=PERCENT)
    return FigureWithAlt(frame(figure, 460), " ".join(describe_weights(table)) or "No rounds yet.")


def speed_dots(table: pd.DataFrame, narrow: bool = False) -> FigureWithAlt:
    """What each idea adds early, in equal time, and at the end, one panel for each; filled if it is clear. `table` is
    that of core.analysis.learning.compare_speed."""
    whens = list(dict.fromkeys(table["when"]))
    pairs = list(dict.fromkeys(zip(table["first"], table["second"], strict=True)))
    figure = make_panels([when[:1].upper() + when[1:] for when in whens], narrow, spacing=0.1 if narrow else 0.04)
    for row in tuples(table[table["rounds"] > 0]):
        trace = gain_dot(row, pairs.index((row.first, row.second)), row.second)
        figure.add_trace(trace, **place_of(whens.index(row.when), narrow))
    names = [wrap(f"{PALETTE[second].label} instead of {PALETTE[first].label}", 26) for first, second in pairs]
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.8], showgrid=False
    )
    return finish_gains(figure, len(whens), narrow, " ".join(describe_speed(table)), 110 + 52 * len(pairs))


def epoch_dots(table: pd.DataFrame, narrow: bool = False) -> FigureWithAlt:
    """What testing the best validation epoch instead of the last one does with each number of training pairs; `table`
    is that of core.analysis.learning.compare_epochs."""
    figure = make_panels(["Mean over the seven architectures"], narrow)
    rows = tuples(table[table["rounds"] > 0])
    for place, row in enumerate(rows):
        figure.add_trace(gain_dot(row, place), **place_of(0, narrow))
    names = [f"{row.training_pairs:,} pairs" for row in rows]
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.8], showgrid=False
    )
    return finish_gains(figure, 1, narrow, " ".join(describe_epochs(table)), 110 + 52 * len(rows))
