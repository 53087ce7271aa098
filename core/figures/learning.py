"""Plotly figures of training: a metric by epoch, for all architectures (report, Figure 2) and for the rounds of one."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.optimize import isotonic_regression

from core.analysis.numbers import fraction, percent
from core.analysis.sentences import name_dropout, tuples
from core.figures.style import (
    FAINT,
    PERCENT,
    FigureWithAlt,
    Trace,
    add_traces,
    dash_of,
    floats,
    frame,
    label_outside,
    legend_mark,
    make_panels,
    place_of,
    rounded,
    tint,
)
from core.runs.palette import PALETTE, Look
from core.runs.records import METRICS
from core.runs.settings import MODEL_NAMES, ModelName

LABEL_LINE = 0.055  # the height of a line of 14 px as a share of the panel's


def mean_curves(  # long: one figure, of which each step is a line or two
    histories: pd.DataFrame,
    runs: pd.DataFrame,
    metric: str = "validation_accuracy",
    hold: bool = True,
    rounds: bool = False,
    narrow: bool = False,
    looked_at: ModelName | None = None,
) -> FigureWithAlt:
    """A metric by epoch (report, Figure 2): the mean of an architecture's rounds, a panel per dropout, a marker where
    a round stopped early. The architecture that is `looked_at` has a thick line and a band of ± one standard deviation.

    `histories` as core.analysis.tables.load_histories gives them; `runs` says by `state` and `stop_reason` which
    of them have ended and which stopped early. With `hold` a round that has ended keeps its last value, as in the
    report; without, the mean is that of the rounds still running. `rounds` draws each round as a thin line instead of
    the band: those of the architecture that is looked at, or all.
    """
    wide = histories.pivot(index="epoch", columns="run_id", values=metric)
    if hold:
        ended = wide.columns.isin(runs.loc[runs["state"] == "finished", "run_id"])
        wide = wide.ffill().where(wide.notna() | ended)
    stopped = runs.loc[runs["stop_reason"] == "patience", "run_id"]
    ends = histories[histories["run_id"].isin(stopped)].drop_duplicates("run_id", keep="last")
    cells = _cells_of(histories)
    means = {cell: wide[ids].mean(axis=1).dropna() for cell, ids in cells.items()}
    dropouts = sorted({dropout for dropout, _ in cells})
    drawn: list[tuple[int, Trace]] = []
    for (dropout, model), ids in cells.items():
        mean, panel, looked = means[dropout, model], dropouts.index(dropout), model == looked_at
        beside = [means.get((other, model), pd.Series(dtype=float)) for other in dropouts]
        if rounds and (looked or not looked_at):
            drawn.append((panel, _single_rounds(histories, ids, metric, model)))
        elif looked:
            drawn.append((panel, band(mean, wide[ids].std(axis=1), model)))
        drawn.append((panel, mean_line(mean, beside, metric, model, 3.5 if looked else 1.75)))
        drawn.append((panel, _stop_marks(ends[ends["run_id"].isin(ids)], None if rounds else mean, metric, model)))
    direct = hold and not narrow and metric.endswith("accuracy")  # the names fit at the ends of the lines
    legend = _legend_of_curves([] if direct else means, len(ends) > 0)
    figure = make_panels([name_dropout(dropout) for dropout in dropouts] or [""], narrow, 0.16 if direct else None)
    panels, traces = [0] * len(legend) + [panel for panel, _ in drawn], legend + [trace for _, trace in drawn]
    add_traces(figure, traces, panels, narrow)
    _style_curves(figure, means, metric, narrow)
    if direct:
        _label_ends(figure, means, looked_at)
    return FigureWithAlt(figure, _describe_curves(means, metric))


def _label_ends(
    figure: go.Figure, means: dict[tuple[float, ModelName], pd.Series], looked_at: ModelName | None
) -> None:
    """The architectures' names at the ends of their lines, moved apart as little as keeps each on a line of its own."""
    low, high = figure.layout.yaxis.range or (0, 1)
    gap = LABEL_LINE * (high - low)
    for panel, dropout in enumerate(sorted({dropout for dropout, _ in means})):
        ends = sorted((mean.iloc[-1], mean.index[-1], model) for (p, model), mean in means.items() if p == dropout)
        steps = gap * np.arange(len(ends))
        free = isotonic_regression([value for value, _, _ in ends] - steps).x
        heights = np.clip(free, low + gap / 2, high - len(ends) * gap) + steps
        for height, (_, epoch, model) in zip(heights, ends, strict=True):
            look = PALETTE[model]
            name = f"<b>{look.label}</b>" if model == looked_at else look.label
            figure.add_annotation(
                x=epoch, y=height, text=f'<span style="color:{look.colour}">●</span> {name}', showarrow=False,
                xanchor="left", xshift=4, font_size=14, **place_of(panel, False),
            )  # fmt: skip
    figure.update_layout(margin_r=172)
    figure.update_xaxes(range=[0, max((mean.index[-1] for mean in means.values()), default=1)])


def _cells_of(histories: pd.DataFrame) -> dict[tuple[float, ModelName], list[str]]:
    """(dropout, architecture) -> the runs' identities, in the order of Table 1."""
    groups = histories.drop_duplicates("run_id").groupby(["dropout", "model"])["run_id"].agg(list)
    cells: Any = sorted(groups.items(), key=lambda item: (item[0][0], MODEL_NAMES.index(item[0][1])))
    return dict(cells)


def _silent(model: ModelName, **trace: Any) -> Trace:
    """The look of an architecture's trace that has no hover text and no entry in the legend."""
    return {"type": "scatter", "hoverinfo": "skip", "showlegend": False, "legendgroup": model, **trace}


def band(mean: pd.Series, spread: pd.Series, model: ModelName) -> Trace:
    """A band from mean − spread to mean + spread; an unknown spread counts as 0."""
    half = spread.reindex(mean.index).fillna(0)
    epochs, edge = mean.index.to_numpy(), np.concatenate([mean + half, (mean - half)[::-1]])
    colour = tint(PALETTE[model].colour, 0.2)
    return _silent(
        model, x=np.concatenate([epochs, epochs[::-1]]), y=floats(edge), mode="lines", line={"width": 0},
        fill="toself", fillcolor=colour,
    )  # fmt: skip


def _single_rounds(histories: pd.DataFrame, ids: list[str], metric: str, model: ModelName) -> Trace:
    """All rounds of a cell as one trace, with a gap between two rounds."""
    x: list[Any] = []
    y: list[Any] = []
    for _, history in histories[histories["run_id"].isin(ids)].groupby("run_id", sort=False):
        x += [history["epoch"], [np.nan]]
        y += [history[metric], [np.nan]]
    line = {"color": PALETTE[model].colour, "width": 1}
    return _silent(
        model, x=floats(np.concatenate(x)), y=floats(np.concatenate(y)), mode="lines", line=line, opacity=FAINT
    )


def mean_line(mean: pd.Series, beside: list[pd.Series], metric: str, model: ModelName, width: float = 2.5) -> Trace:
    """The line of a mean. Its hover text has the values of all panels at that epoch: each panel says the same."""
    columns = [column.reindex(mean.index) for column in beside]
    texts = [" | ".join(_value(value, metric) for value in values) for values in zip(*columns, strict=True)]
    look = PALETTE[model]
    return {
        "type": "scatter", "x": mean.index.to_numpy(), "y": floats(mean), "mode": "lines", "name": look.label,
        "line": {"color": look.colour, "width": width, "dash": dash_of(look)}, "hovertemplate": "%{customdata}",
        "customdata": np.array(texts, dtype=object), "showlegend": False, "legendgroup": model,
    }  # fmt: skip


def _stop_marks(ends: pd.DataFrame, mean: pd.Series | None, metric: str, model: ModelName) -> Trace:
    """A marker at the last epoch of each round, on the mean or, without one, at the round's own value."""
    heights = ends[metric] if mean is None else ends["epoch"].map(mean)
    marker = {"color": PALETTE[model].colour, "symbol": PALETTE[model].marker, "size": 5}
    return _silent(model, x=ends["epoch"].to_numpy(), y=floats(heights), mode="markers", marker=marker)


def _legend_of_curves(means: Iterable[tuple[float, ModelName]], ends: bool) -> list[Trace]:
    """One entry per architecture with its colour, dash and marker, and one that says what the markers mean."""
    present = {model for _, model in means}
    entries = []
    for model in [name for name in MODEL_NAMES if name in present]:
        look = PALETTE[model]
        entry = legend_mark(look.label, look.marker, "lines+markers", dash_of(look), look.colour)
        entries.append({**entry, "legendgroup": model})
    return [*entries, legend_mark("Marker: a round stops early", "circle")] if ends else entries


def _value(value: float, metric: str) -> str:
    if value != value:
        return "–"
    return percent(value) if metric.endswith("accuracy") else fraction(value)


def _name_metric(metric: str) -> str:
    return METRICS[metric] + ("" if metric.endswith("accuracy") else ", nats")


def _style_curves(
    figure: go.Figure, curves: dict[tuple[float, ModelName], pd.Series], metric: str, narrow: bool
) -> None:
    dropouts = sorted({dropout for dropout, _ in curves})
    title = "Epoch %{x}" + (f": {' | '.join(name_dropout(dropout) for dropout in dropouts)}" if dropouts[1:] else "")
    frame(figure, 900 if narrow else 430, zoom=not narrow)
    figure.update_layout(hovermode="x unified", hoversort="value descending")
    label_outside(figure, narrow, "Epoch", _name_metric(metric), len(dropouts) or 1)
    figure.update_xaxes(unifiedhovertitle_text=title, showgrid=False, rangemode="tozero")
    figure.update_yaxes(
        tickformat=PERCENT if metric.endswith("accuracy") else ".2f", range=_focus(curves.values(), metric)
    )


def _focus(means: Iterable[pd.Series], metric: str) -> list[float] | None:
    """The range of the y axis for an accuracy: from the lowest mean, that of a first epoch above all, to 100 %."""
    lowest = [float(mean.min()) for mean in means if len(mean)]
    if not metric.endswith("accuracy") or not lowest:
        return None
    return [float(np.floor(20 * min(lowest))) / 20, 1.0]


def _describe_curves(means: dict[tuple[float, ModelName], pd.Series], metric: str) -> str:
    parts = []
    for dropout in sorted({dropout for dropout, _ in means}):
        ends = sorted(
            (mean.iloc[-1], mean.index[-1], PALETTE[model].label)
            for (p, model), mean in means.items()
            if p == dropout and len(mean)
        )
        (low, last, least), (high, epoch, most) = ends[0], ends[-1]
        part = f"{name_dropout(dropout)}: highest at its end {most} {_value(high, metric)} at epoch {epoch}"
        if ends[1:]:
            part += f", lowest {least} {_value(low, metric)} at epoch {last}"
        parts.append(part)
    return f"{METRICS[metric]} by epoch, means of the rounds. {'. '.join(parts) or 'No rounds yet'}."


def cell_rounds(histories: pd.DataFrame, runs: pd.DataFrame, metric: str = "validation_accuracy") -> FigureWithAlt:
    """The rounds of one cell: each round's curve, a dot where it stopped, and a mark at its test accuracy.

    `histories` as for mean_curves, of one cell; `runs` has their `run_id`, `seed`, `epochs` and `test_accuracy`.
    """
    model: ModelName = histories["model"].iloc[0]
    look, accuracy = PALETTE[model], metric.endswith("accuracy")
    tests = runs.set_index("run_id")["test_accuracy"]
    ends = histories.groupby("run_id").tail(1).assign(test=lambda last: last["run_id"].map(tests))
    figure = go.Figure(_each_round(histories, metric, look))
    figure.add_scatter(
        x=ends["epoch"].tolist(), y=rounded(ends[metric]), mode="markers", hoverinfo="skip",
        marker={"color": look.colour, "size": 7}, name="Last epoch of a round",
    )  # fmt: skip
    if accuracy:
        figure.add_traces([_links(ends, metric, look), _test_marks(ends, look)])
    frame(figure, 420, zoom=False).update_layout(hovermode="closest")
    figure.update_xaxes(title_text="Epoch", showgrid=False, rangemode="tozero")
    figure.update_yaxes(title_text=_name_metric(metric), tickformat=PERCENT if accuracy else ".2f")
    rounds = ", ".join(
        f"seed {row.seed} {row.epoch} epochs" + (f" and {percent(row.test)}" if row.test == row.test else "")
        for row in tuples(ends.sort_values("seed"))
    )
    return FigureWithAlt(
        figure, f"{METRICS[metric]} by epoch of {look.label}, with the test accuracy of each round: {rounds}."
    )


def _each_round(histories: pd.DataFrame, metric: str, look: Look) -> go.Scatter:
    """All rounds as one trace, which is drawn faster than many; a None stands between two rounds."""
    x: list[Any] = []
    y: list[Any] = []
    seeds: list[Any] = []
    texts: list[str] = []
    for seed, history in histories.groupby("seed", sort=False):
        x += [*history["epoch"].tolist(), None]
        y += [*rounded(history[metric]), None]
        seeds += [seed] * (len(history) + 1)
        texts += [*(_value(value, metric) for value in history[metric]), ""]
    return go.Scatter(
        x=x, y=y, customdata=seeds, text=texts, mode="lines", showlegend=False, opacity=FAINT,
        line={"color": look.colour, "width": 1.3},
        hovertemplate="Round with seed %{customdata}, epoch %{x}: %{text}<extra></extra>",
    )  # fmt: skip


def _test_marks(ends: pd.DataFrame, look: Look) -> go.Scatter:
    return go.Scatter(
        x=ends["epoch"].tolist(), y=rounded(ends["test"]), mode="markers", name="Its test accuracy",
        marker={"color": look.colour, "symbol": "diamond-open", "size": 10, "line_width": 2},
        customdata=ends["seed"].tolist(), text=[_value(value, "test_accuracy") for value in ends["test"]],
        hovertemplate="Round with seed %{customdata}: test accuracy %{text}<extra></extra>",
    )  # fmt: skip


def _links(ends: pd.DataFrame, metric: str, look: Look) -> go.Scatter:
    """A line from each round's last value to its test accuracy."""
    x = [epoch for end in ends["epoch"].tolist() for epoch in (end, end, None)]
    y = [value for pair in ends[[metric, "test"]].to_numpy() for value in (*rounded(pair), None)]
    line = {"color": look.colour, "width": 1, "dash": "dot"}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)
