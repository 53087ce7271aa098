"""Plotly figures of stored results, as pure functions of data frames, each with a text for those who cannot see it.

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

from core.curves import METRICS
from core.findings import DIGIT_MODELS, EARLY_MODELS, passing_epochs
from core.palette import PALETTE, Look
from core.settings import MODEL_NAMES, SHIPPED_DROPOUTS, ModelName
from core.statistics import name_cell, percent, points

FONT = "Inter, system-ui, sans-serif"
NEUTRAL = "#808a97"  # readable on white and on near-black
GRID = "rgba(128, 138, 151, 0.22)"
EVEN, WORSE, BETTER = "#66707d", "#b8500f", "#1560a8"  # cells of heat maps: white text is readable on each
CLEAR_POINTS = 5.0  # from this difference on, a cell of the matrix has its full colour
PERCENT = ".0%"


Trace = dict[str, Any]  # of Plotly, checked once as it joins a figure


class Drawn(NamedTuple):
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
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "title": None},
    )
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "fixedrange": not zoom, "title_standoff": 16}
    figure.update_xaxes(**axis, spikecolor=NEUTRAL, spikethickness=0.5, spikedash="solid")
    figure.update_yaxes(**axis)
    figure.update_annotations(font_size=14)
    return figure


def _panels(titles: Sequence[str], narrow: bool, spacing: float | None = None) -> go.Figure:
    """Panels with equal axes, side by side or, where it is narrow, below each other."""
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


def _place(panel: int, narrow: bool) -> dict[str, int]:
    return {"row": panel + 1, "col": 1} if narrow else {"row": 1, "col": panel + 1}


def _label_outside(figure: go.Figure, narrow: bool, x_title: str, y_title: str | None = None, panels: int = 2) -> None:
    """Titles on the outer axes only, as all panels have the same."""
    figure.update_xaxes(title_text=x_title, **({"row": panels} if narrow else {}))
    if y_title:
        figure.update_yaxes(title_text=y_title, **({} if narrow else {"col": 1}))


def name_dropout(dropout: float) -> str:
    """'No dropout' or 'Dropout 0.25', short enough for a panel on a phone."""
    return f"Dropout {dropout:g}" if dropout else "No dropout"


def dash_of(look: Look) -> str:
    """The dash pattern as Plotly writes it."""
    return ",".join(f"{length}px" for length in look.dash) or "solid"


def _tint(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def wrap(text: str, width: int = 20) -> str:
    """Lines of at most `width` characters, as Plotly breaks them."""
    return "<br>".join(textwrap.wrap(text, width, break_on_hyphens=False))


def rounded(values: Iterable[float], digits: int = 4) -> list[float | None]:
    """Short in the figure's JSON; None for NaN."""
    return [None if value != value else round(float(value), digits) for value in values]


def _floats(values: Any) -> np.ndarray:
    """Short in the figure's JSON, and exact to seven digits."""
    return np.asarray(values, dtype=np.float32)


def tuples(table: pd.DataFrame) -> list[Any]:
    """A named tuple a row."""
    return list(table.itertuples())


def by_model(table: pd.DataFrame) -> list[tuple[ModelName, Look, pd.DataFrame]]:
    """The parts of a table an architecture each, in the order of Table 1."""
    parts = dict(list(table.groupby("model")))
    return [(model, PALETTE[model], parts[model]) for model in MODEL_NAMES if model in parts]


def architecture_rows(figure: go.Figure) -> None:
    """A row an architecture, the first of Table 1 on top."""
    labels = [wrap(PALETTE[model].label) for model in MODEL_NAMES]
    count = len(labels)
    figure.update_yaxes(tickvals=list(range(count)), ticktext=labels, range=[count - 0.5, -0.8], showgrid=False)


# Beside the report


def comparison_dots(table: pd.DataFrame, narrow: bool = False) -> Drawn:
    """Our mean with its 95 % interval beside the report's mean ± deviation; a row an architecture, a panel a column of
    Table 1. `table` is that of core.statistics.compare_with_report; what differs by more than chance carries its
    difference in points."""
    figure = _panels([name_dropout(dropout) for dropout in SHIPPED_DROPOUTS], narrow, spacing=0.06)
    printed = table[table["report_mean"].notna()]
    for panel, dropout in enumerate(SHIPPED_DROPOUTS):
        for row in tuples(printed[printed["dropout"] == dropout]):
            place = MODEL_NAMES.index(row.model)
            figure.add_trace(_report_dot(row, place + 0.17), **_place(panel, narrow))
            if row.rounds:
                figure.add_trace(_own_dot(row, place - 0.17), **_place(panel, narrow))
    names = ("Ours, mean with 95 % interval", "The report's, mean ± standard deviation")
    for name, symbol in zip(names, ("circle", "circle-open"), strict=True):
        figure.add_trace(_legend_mark(name, symbol))
    architecture_rows(figure)
    _label_outside(figure, narrow, "Test accuracy")
    figure.update_xaxes(tickformat=PERCENT, showgrid=True)
    return Drawn(frame(figure, 820 if narrow else 460), _describe_comparison(printed))


def _own_dot(row: Any, y: float) -> go.Scatter:
    look = PALETTE[row.model]
    label = f"<b>{points(row.difference) if row.difference < 0 else '+' + points(row.difference)}</b>"
    half = row.high - row.mean
    interval = f", 95 % {percent(row.low)} to {percent(row.high)}" if half == half else ""
    return go.Scatter(
        x=[row.mean],
        y=[y],
        mode="markers+text",
        marker={"color": look.colour, "symbol": look.marker, "size": 11},
        error_x={"array": rounded([half], 5), "color": look.colour, "thickness": 2, "width": 0},
        text=[label if row.more_than_chance else ""],
        textposition="top center",
        textfont_size=12,
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


def _legend_mark(name: str, symbol: str, mode: str = "markers", dash: str = "solid", colour: str = NEUTRAL) -> Trace:
    """An entry of the legend alone."""
    marker = {"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2 if symbol.endswith("open") else 0}}
    line = {"color": colour, "dash": dash}
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": mode, "marker": marker, "line": line, "name": name,
        "hoverinfo": "skip",
    }  # fmt: skip


def _describe_comparison(printed: pd.DataFrame) -> str:
    parts = [
        f"{name_cell(row.model, row.dropout)} {percent(row.mean)} (the report {percent(row.report_mean)})"
        for row in tuples(printed[printed["rounds"] > 0])
    ]
    return f"Test accuracy, ours and the report's: {'; '.join(parts) or 'no rounds yet'}."


# Curves


def mean_curves(
    histories: pd.DataFrame,
    runs: pd.DataFrame,
    metric: str = "validation_accuracy",
    hold: bool = True,
    rounds: bool = False,
    narrow: bool = False,
) -> Drawn:
    """A metric by epoch (report, Figure 2): the mean of an architecture's rounds with a band of ± one standard
    deviation, a panel a dropout, a marker where a round stopped early.

    `histories` as core.results.load_histories gives them; `runs` says by `state` and `stop_reason` which of them have
    ended and which stopped early. With `hold` a round that has ended keeps its last value, as in the report; without,
    the mean is that of the rounds still running. `rounds` draws each round as a thin line instead of the band.
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
    traces, panels = _legend_of_curves(means, len(ends) > 0), []
    for (dropout, model), ids in cells.items():
        mean, columns, panel = means[dropout, model], wide[ids], dropouts.index(dropout)
        beside = [means.get((other, model), pd.Series(dtype=float)) for other in dropouts]
        traces += [
            _single_rounds(histories, ids, metric, model) if rounds else _band(mean, columns.std(axis=1), model),
            _mean_line(mean, beside, metric, model),
            _stop_marks(ends[ends["run_id"].isin(ids)], None if rounds else mean, metric, model),
        ]
        panels += 3 * [panel]
    figure = _panels([name_dropout(dropout) for dropout in dropouts] or [""], narrow)
    _add_traces(figure, traces, [0] * (len(traces) - len(panels)) + panels, narrow)
    _style_curves(figure, means, metric, narrow)
    return Drawn(figure, _describe_curves(means, metric))


def _cells_of(histories: pd.DataFrame) -> dict[tuple[float, ModelName], list[str]]:
    """(dropout, architecture) -> the runs' identities, in the order of Table 1."""
    groups = histories.drop_duplicates("run_id").groupby(["dropout", "model"])["run_id"].agg(list)
    cells: Any = sorted(groups.items(), key=lambda item: (item[0][0], MODEL_NAMES.index(item[0][1])))
    return dict(cells)


def _add_traces(figure: go.Figure, traces: list[Trace], panels: list[int], narrow: bool) -> None:
    places = [_place(panel, narrow) for panel in panels]
    figure.add_traces(traces, rows=[place["row"] for place in places], cols=[place["col"] for place in places])


def _silent(model: ModelName, **trace: Any) -> Trace:
    """A trace of an architecture that neither answers to the pointer nor has an entry in the legend of its own."""
    return {"type": "scatter", "hoverinfo": "skip", "showlegend": False, "legendgroup": model, **trace}


def _band(mean: pd.Series, spread: pd.Series, model: ModelName) -> Trace:
    """From mean − spread to mean + spread; where a spread is unknown it is nothing."""
    half = spread.reindex(mean.index).fillna(0)
    epochs, edge = mean.index.to_numpy(), np.concatenate([mean + half, (mean - half)[::-1]])
    colour = _tint(PALETTE[model].colour, 0.1)
    return _silent(
        model, x=np.concatenate([epochs, epochs[::-1]]), y=_floats(edge), mode="lines", line={"width": 0},
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
        model, x=_floats(np.concatenate(x)), y=_floats(np.concatenate(y)), mode="lines", line=line, opacity=0.4
    )


def _mean_line(mean: pd.Series, beside: list[pd.Series], metric: str, model: ModelName) -> Trace:
    """The hover text has all panels' values at that epoch, so that it says the same on each of them."""
    columns = [column.reindex(mean.index) for column in beside]
    texts = [" | ".join(_value(value, metric) for value in values) for values in zip(*columns, strict=True)]
    look = PALETTE[model]
    return {
        "type": "scatter", "x": mean.index.to_numpy(), "y": _floats(mean), "mode": "lines", "name": look.label,
        "line": {"color": look.colour, "width": 2.5, "dash": dash_of(look)}, "hovertemplate": "%{customdata}",
        "customdata": np.array(texts, dtype=object), "showlegend": False, "legendgroup": model,
    }  # fmt: skip


def _stop_marks(ends: pd.DataFrame, mean: pd.Series | None, metric: str, model: ModelName) -> Trace:
    """A marker at the last epoch of each round, on the mean or, without one, at the round's own value."""
    heights = ends[metric] if mean is None else ends["epoch"].map(mean)
    marker = {"color": PALETTE[model].colour, "symbol": PALETTE[model].marker, "size": 7}
    return _silent(model, x=ends["epoch"].to_numpy(), y=_floats(heights), mode="markers", marker=marker)


def _legend_of_curves(means: Iterable[tuple[float, ModelName]], ends: bool) -> list[Trace]:
    """An entry an architecture with its colour, dash and marker, and one that says what the markers mean."""
    present = {model for _, model in means}
    entries = []
    for model in [name for name in MODEL_NAMES if name in present]:
        look = PALETTE[model]
        entry = _legend_mark(look.label, look.marker, "lines+markers", dash_of(look), look.colour)
        entries.append({**entry, "legendgroup": model})
    return [*entries, _legend_mark("Marker: a round stops early", "circle")] if ends else entries


def _value(value: float, metric: str) -> str:
    if value != value:
        return "–"
    return f"{100 * value:.1f} %" if metric.endswith("accuracy") else f"{value:.3f}"


def _name_metric(metric: str) -> str:
    return METRICS[metric] + ("" if metric.endswith("accuracy") else ", nats")


def _style_curves(
    figure: go.Figure, curves: dict[tuple[float, ModelName], pd.Series], metric: str, narrow: bool
) -> None:
    dropouts = sorted({dropout for dropout, _ in curves})
    title = "Epoch %{x}" + (f": {' | '.join(name_dropout(dropout) for dropout in dropouts)}" if dropouts[1:] else "")
    frame(figure, 900 if narrow else 500, zoom=not narrow)
    figure.update_layout(hovermode="x unified", hoversort="value descending")
    _label_outside(figure, narrow, "Epoch", _name_metric(metric), len(dropouts) or 1)
    figure.update_xaxes(unifiedhovertitle_text=title, showgrid=False, rangemode="tozero")
    figure.update_yaxes(
        tickformat=PERCENT if metric.endswith("accuracy") else ".2f", range=_focus(curves.values(), metric)
    )


def _focus(means: Iterable[pd.Series], metric: str) -> list[float] | None:
    """Where the means are from the fifth epoch on, so that the first steps up do not flatten all that follows; a double
    click shows the rest."""
    late = [mean[mean.index >= 5] for mean in means]
    if not metric.endswith("accuracy") or not any(map(len, late)):
        return None
    low = min(float(mean.min()) for mean in late if len(mean))
    return [float(np.floor(20 * low)) / 20, 1.0]


def _describe_curves(means: dict[tuple[float, ModelName], pd.Series], metric: str) -> str:
    parts = []
    for dropout in sorted({dropout for dropout, _ in means}):
        ends = [
            f"{PALETTE[model].label} {_value(mean.iloc[-1], metric)} at epoch {mean.index[-1]}"
            for (p, model), mean in means.items()
            if p == dropout and len(mean)
        ]
        parts.append(f"{name_dropout(dropout)}: {'; '.join(ends)}")
    return f"{METRICS[metric]} by epoch, means of the rounds. {'. '.join(parts) or 'No rounds yet'}."


def cell_rounds(histories: pd.DataFrame, runs: pd.DataFrame, metric: str = "validation_accuracy") -> Drawn:
    """The rounds of one cell: each round's curve, a dot where it stopped, and a mark at its test accuracy.

    `histories` as for mean_curves, of one cell; `runs` has their `run_id`, `seed`, `epochs` and `test_accuracy`.
    """
    figure = go.Figure()
    model: ModelName = histories["model"].iloc[0]
    look, accuracy = PALETTE[model], metric.endswith("accuracy")
    tests = runs.set_index("run_id")["test_accuracy"]
    ends = histories.groupby("run_id").tail(1).assign(test=lambda last: last["run_id"].map(tests))
    x: list[Any] = []
    y: list[Any] = []
    seeds: list[Any] = []
    for seed, history in histories.groupby("seed", sort=False):  # one trace for all draws faster; None parts them
        x += [*history["epoch"].tolist(), None]
        y += [*rounded(history[metric]), None]
        seeds += [seed] * (len(history) + 1)
    figure.add_scatter(
        x=x, y=y, customdata=seeds, mode="lines", showlegend=False, line={"color": look.colour, "width": 1.3},
        opacity=0.55,
        hovertemplate=f"Round with seed %{{customdata}}, epoch %{{x}}: %{{y:{'.1%' if accuracy else '.3f'}}}"
        "<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=ends["epoch"].tolist(), y=rounded(ends[metric]), mode="markers", hoverinfo="skip",
        marker={"color": look.colour, "size": 7}, name="Last epoch of a round",
    )  # fmt: skip
    if accuracy:
        figure.add_trace(_links(ends, metric, look))
        figure.add_scatter(
            x=ends["epoch"].tolist(), y=rounded(ends["test"]), mode="markers", name="Its test accuracy",
            marker={"color": look.colour, "symbol": "diamond-open", "size": 10, "line_width": 2},
            customdata=ends["seed"].tolist(),
            hovertemplate="Round with seed %{customdata}: test accuracy %{y:.1%}<extra></extra>",
        )  # fmt: skip
    frame(figure, 420, zoom=False).update_layout(hovermode="closest")
    figure.update_xaxes(title_text="Epoch", showgrid=False, rangemode="tozero")
    figure.update_yaxes(title_text=_name_metric(metric), tickformat=PERCENT if accuracy else ".2f")
    rounds = ", ".join(
        f"seed {row.seed} {row.epoch} epochs" + (f" and {percent(row.test)}" if row.test == row.test else "")
        for row in tuples(ends.sort_values("seed"))
    )
    return Drawn(figure, f"{METRICS[metric]} by epoch of {look.label}, with the test accuracy of each round: {rounds}.")


def _links(ends: pd.DataFrame, metric: str, look: Look) -> go.Scatter:
    """From each round's last value down or up to its test accuracy."""
    x = [epoch for end in ends["epoch"].tolist() for epoch in (end, end, None)]
    y = [value for pair in ends[[metric, "test"]].to_numpy() for value in (*rounded(pair), None)]
    line = {"color": look.colour, "width": 1, "dash": "dot"}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)


# Between architectures


def paired_matrix(pairs: pd.DataFrame) -> Drawn:
    """How many points the architecture of a row is ahead of that of a column, paired by round; bold where Holm's p is
    below 0.05. `pairs` is that of core.statistics.pairwise_architectures."""
    places = {model: place for place, model in enumerate(MODEL_NAMES)}
    ahead = np.full((len(places), len(places)), np.nan)
    texts, hovers = np.full(ahead.shape, "", dtype=object), np.full(ahead.shape, "", dtype=object)
    for pair in tuples(pairs[pairs["rounds"] > 0]):
        row, column = places[pair.second], places[pair.first]
        ahead[row, column] = 100 * pair.difference
        text = points(pair.difference)
        interval = f"<span style='font-size:10px'>{points(pair.low)} to {points(pair.high)}</span>"
        texts[row, column] = (f"<b>{text}</b>" if pair.more_than_chance else text) + f"<br>{interval}"
        hovers[row, column] = (
            f"{PALETTE[pair.second].label} minus<br>{PALETTE[pair.first].label}: {text} points"
            f"<br>95 % {points(pair.low)} to {points(pair.high)}, Holm's p {pair.p_holm:.2g}, n = {pair.rounds}"
        )
    numbers = list(range(len(places)))
    figure = go.Figure(heatmap(ahead, hovers.tolist(), -CLEAR_POINTS, CLEAR_POINTS, [WORSE, EVEN, BETTER]))
    figure.add_scatter(
        x=numbers * len(numbers), y=np.repeat(numbers, len(numbers)).tolist(), text=texts.ravel().tolist(),
        mode="text", hoverinfo="skip", textfont={"size": 13, "color": "white"},
    )  # fmt: skip
    labels = [f"{wrap(PALETTE[model].label, 15)}  <b>{place + 1}</b>" for model, place in places.items()]
    heads = [f"<b>{place + 1}</b><br>{wrap(PALETTE[model].label, 14)}" for model, place in places.items()]
    frame(figure, 540)
    figure.update_yaxes(tickvals=numbers[1:], ticktext=labels[1:], range=[6.5, 0.5], showgrid=False)
    figure.update_xaxes(tickvals=numbers[:-1], ticktext=heads[:-1], range=[-0.5, 5.5], side="top", showgrid=False)
    return Drawn(figure, _describe_matrix(pairs))


def heatmap(values: np.ndarray, hovers: Any, low: float, high: float, scale: list[str]) -> go.Heatmap:
    """Cells in opaque colours, so that white text is readable on them whatever is behind."""
    return go.Heatmap(
        z=[rounded(row) for row in values], zmin=low, zmax=high, colorscale=scale, showscale=False, customdata=hovers,
        hovertemplate="%{customdata}<extra></extra>", xgap=2, ygap=2, hoverongaps=False,
    )  # fmt: skip


def _describe_matrix(pairs: pd.DataFrame) -> str:
    known = pairs[pairs["p_holm"].notna()]
    clear = tuples(known[known["more_than_chance"].astype(bool)].sort_values("difference", ascending=False))
    start = (
        f"Paired differences in points: {len(clear)} of {len(known)} pairs of architectures differ by more than chance"
    )
    if not clear:
        return f"{start}."
    best, least = PALETTE[clear[0].second].label, PALETTE[clear[0].first].label
    return f"{start}, most of all {best}, {points(clear[0].difference)} points ahead of {least}."


def ladder(steps: pd.DataFrame) -> Drawn:
    """What each idea adds in points with its 95 % interval, a row a step of core.statistics.climb_ladder."""
    figure = go.Figure()
    for place, step in enumerate(tuples(steps)):
        look = PALETTE[step.second]
        half = 100 * (step.high - step.difference)
        figure.add_scatter(
            x=rounded([100 * step.difference], 2), y=[place], mode="markers+text",
            marker={"color": look.colour, "symbol": look.marker, "size": 12},
            error_x={"array": rounded([half], 2), "color": look.colour, "thickness": 2.5, "width": 0},
            text=[points(step.difference) if step.rounds else ""], textposition="top center",
            hovertemplate=wrap(step.sentence, 50) + "<extra></extra>", showlegend=False,
        )  # fmt: skip
    figure.add_vline(0, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    frame(figure, 420)
    labels = [wrap(step.change.rstrip(","), 28) for step in tuples(steps)]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.6], showgrid=False
    )
    figure.update_xaxes(title_text="Points added", showgrid=True)
    return Drawn(figure, " ".join(steps["sentence"]))


# Findings


def artefact_dots(table: pd.DataFrame, narrow: bool = False) -> Drawn:
    """Dropout off and left on at evaluation, a panel a network, beside the report's mean ± deviation (dashed line and
    band). `table` is that of core.findings.dropout_artefact."""
    figure = _panels([PALETTE[model].label for model in DIGIT_MODELS], narrow, spacing=0.18 if narrow else 0.06)
    cases = list(dict.fromkeys(table["case"]))
    for panel, model in enumerate(DIGIT_MODELS):
        rows, look, place = tuples(table[table["model"] == model]), PALETTE[model], _place(panel, narrow)
        for row in rows:
            figure.add_trace(_case_dot(row, cases.index(row.case), look), **place)
        printed, std = rows[0].report_mean, rows[0].report_std  # plotly draws shapes on panels that have traces
        figure.add_vrect(printed - std, printed + std, fillcolor=NEUTRAL, opacity=0.16, line_width=0, **place)
        figure.add_vline(printed, line={"color": NEUTRAL, "width": 2, "dash": "dash"}, **place)
    figure.add_trace(_legend_mark("Ours with 95 % interval", "circle"))
    figure.add_trace(_legend_mark("Ours, dropout left on at evaluation", "circle-open"))
    figure.add_trace(_legend_mark("The report's mean with dropout ± deviation", "circle", "lines", "dash"))
    _label_outside(figure, narrow, "Test accuracy")
    figure.update_xaxes(tickformat=PERCENT, matches=None, showticklabels=True, showgrid=True)
    labels = [wrap(case, 16) for case in cases]
    figure.update_yaxes(
        tickvals=list(range(len(cases))), ticktext=labels, range=[len(cases) - 0.5, -0.6], showgrid=False
    )
    alt = "; ".join(
        f"{PALETTE[row.model].label}, {row.case.lower()}: {percent(row.mean)}"
        for row in tuples(table[table["rounds"] > 0])
    )
    return Drawn(frame(figure, 760 if narrow else 400), f"Test accuracy. {alt or 'No rounds yet'}.")


def _case_dot(row: Any, y: int, look: Look) -> go.Scatter:
    symbol, line = (look.marker + "-open", 2) if row.dropout_at_evaluation else (look.marker, 0)
    return go.Scatter(
        x=rounded([row.mean]), y=[y], mode="markers+text", showlegend=False,
        marker={"color": look.colour, "symbol": symbol, "size": 12, "line_width": line},
        error_x={"array": rounded([row.high - row.mean], 5), "color": look.colour, "thickness": 2.5, "width": 0},
        text=[f"{100 * row.mean:.1f}" if row.rounds else ""], textposition="top center",
        hovertemplate=f"{row.case}: {percent(row.mean)}, 95 % {percent(row.low)} to {percent(row.high)}, "
        f"n = {row.rounds}<extra></extra>",
    )  # fmt: skip


def parameters_dots(table: pd.DataFrame) -> Drawn:
    """Test accuracy with its 95 % interval against the number of parameters; `table` is that of
    core.findings.parameters_and_accuracy, of one dropout."""
    figure = go.Figure()
    for model, look, rows in by_model(table):
        row = tuples(rows)[0]
        figure.add_scatter(
            x=[row.parameters], y=[round(row.mean, 4)], mode="markers", name=look.label, legendgroup=model,
            marker={"color": look.colour, "symbol": look.marker, "size": 13},
            error_y={"array": rounded([row.high - row.mean], 5), "color": look.colour, "thickness": 2, "width": 0},
            hovertemplate=f"{look.label}: {row.parameters:,} parameters, {percent(row.mean)}, "
            f"n = {row.rounds}<extra></extra>",
        )  # fmt: skip
    frame(figure, 480)
    figure.update_xaxes(title_text="Parameters", tickformat=",", rangemode="tozero")
    figure.update_yaxes(title_text="Test accuracy", tickformat=PERCENT)
    parts = [
        f"{look.label} {tuples(rows)[0].parameters:,} and {percent(tuples(rows)[0].mean)}"
        for _, look, rows in by_model(table)
    ]
    return Drawn(figure, f"Parameters and test accuracy: {'; '.join(parts) or 'no rounds yet'}.")


def epochs_boxes(table: pd.DataFrame, narrow: bool = False) -> Drawn:
    """After how many epochs the rounds ended, a box an architecture with its rounds as dots; `table` is that of
    core.findings.epochs_to_stop."""
    dropouts = sorted(set(table["dropout"])) or [0.0]
    figure = _panels([name_dropout(dropout) for dropout in dropouts], narrow, spacing=0.06)
    parts = []
    for panel, dropout in enumerate(dropouts):
        for model, look, rows in by_model(table[table["dropout"] == dropout]):
            place = [MODEL_NAMES.index(model)] * len(rows)
            box = go.Box(
                x=rows["epochs"].tolist(), y=place, orientation="h", name=look.label, boxpoints="all", pointpos=0,
                jitter=0.6, marker={"color": look.colour, "symbol": look.marker, "size": 5, "opacity": 0.7},
                line={"color": look.colour, "width": 1.5}, fillcolor=_tint(look.colour, 0.15), width=0.6,
                customdata=rows["seed"].tolist(), hoveron="points", showlegend=False,
                hovertemplate=f"{look.label}, round with seed %{{customdata}}: %{{x}} epochs<extra></extra>",
            )  # fmt: skip
            figure.add_trace(box, **_place(panel, narrow))
            parts.append(f"{name_cell(model, dropout)} {rows['epochs'].median():.0f}")
    architecture_rows(figure)
    _label_outside(figure, narrow, "Epochs", panels=len(dropouts))
    figure.update_xaxes(rangemode="tozero", showgrid=True)
    return Drawn(frame(figure, 820 if narrow else 440), f"Median epochs: {'; '.join(parts) or 'no rounds yet'}.")


def squared_scatter(table: pd.DataFrame) -> Drawn:
    """Direct classification round by round: the share of right comparisons against the squared share of digits read
    rightly, and what its confusions let expect; `table` is that of core.findings.digit_accuracy_squared."""
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
            customdata=rows[["seed", "lucky"]].round(4).to_numpy().tolist(),
            hovertemplate="Round with seed %{customdata[0]}: %{y:.1%} of the comparisons right,<br>"
            "%{x:.1%} is the square; %{customdata[1]:.1%} right despite a misread digit<extra></extra>",
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
    return Drawn(figure, f"Squared digit accuracy against test accuracy of {look.label}: {alt}.")


def hypothesis_curves(table: pd.DataFrame, narrow: bool = False) -> Drawn:
    """Test accuracy during training with its 95 % interval, the report's printed figure as a dashed line, and where
    the mean passes it; `table` is that of core.findings.early_stop_hypothesis."""
    figure = _panels([PALETTE[model].label for model in EARLY_MODELS], narrow)
    passing, parts = passing_epochs(table), []
    for panel, model in enumerate(EARLY_MODELS):
        rows, look, place = table[table["model"] == model], PALETTE[model], _place(panel, narrow)
        if rows.empty:
            continue
        mean = rows.set_index("epoch")["mean"]
        half = pd.Series((rows["high"] - rows["mean"]).to_numpy(), index=mean.index)
        line = _mean_line(mean, [mean], "test_accuracy", model)
        _add_traces(figure, [_band(mean, half, model), line], [panel, panel], narrow)
        printed = float(rows["report_mean"].iloc[0])
        figure.add_hline(printed, line={"color": NEUTRAL, "width": 2, "dash": "dash"}, **place)
        epoch = passing[model]
        parts.append(
            f"{look.label} passes {percent(printed)} at epoch {epoch or 'none'}, ends at {percent(mean.iloc[-1])}"
        )
        if epoch:
            figure.add_annotation(
                x=epoch, y=printed, text=f"epoch {epoch}", ax=24, ay=34, xanchor="left",
                arrowcolor=NEUTRAL, **place,
            )  # fmt: skip
    figure.add_trace(_legend_mark("The report's printed mean", "circle", "lines", "dash"))
    frame(figure, 680 if narrow else 400).update_layout(hovermode="x unified")
    _label_outside(figure, narrow, "Epoch", "Test accuracy")
    figure.update_xaxes(unifiedhovertitle_text="Epoch %{x}", showgrid=False)
    figure.update_yaxes(tickformat=PERCENT)
    return Drawn(figure, f"Mean test accuracy by epoch: {'; '.join(parts) or 'no rounds yet'}.")


# One test pair


def pair_trace(table: pd.DataFrame, chosen: ModelName, narrow: bool = False) -> Drawn:
    """The probability that first <= second by epoch, a line a run, the `chosen` architecture's heavier; `table` is that
    of core.findings.trace_pair."""
    figure = go.Figure()
    parts = []
    for model, look, rows in by_model(table):
        for seed, run in rows.groupby("seed"):
            figure.add_scatter(
                x=run["epoch"], y=_floats(run["probability"]), mode="lines", name=look.label, legendgroup=model,
                showlegend=bool(seed == rows["seed"].iloc[0]), opacity=1 if model == chosen else 0.55,
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
    return Drawn(figure, f"Probability of first ≤ second during training: {words}.")


def attribution_maps(frames: Any, pixels: Any, narrow: bool) -> Drawn:
    """What each pixel of two frames (2, 14, 14) in 0 to 255 added to the logit (2, 14, 14), over the frames."""
    figure = _panels(["First digit", "Second digit"], narrow, 0.08)
    most = max(float(np.abs(pixels).max()), 1e-9)
    ink = {"colorscale": [[0, "rgba(128, 138, 151, 0.10)"], [1, "rgba(128, 138, 151, 0.75)"]], "zmin": 0, "zmax": 255}
    for panel in range(2):
        place = _place(panel, narrow)
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
        figure.update_yaxes(scaleanchor=axis, **_place(panel, narrow))
    sums = [float(each.sum()) for each in pixels]
    alt = f"Pixels that spoke for and against first ≤ second: the first digit's add {sums[0]:+.2f} to the logit, "
    return Drawn(frame(figure, 700 if narrow else 380), f"{alt}the second's {sums[1]:+.2f}.")
