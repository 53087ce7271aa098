"""Learning curves of a race, live: data that grows under a Vega-Lite specification that does not change.

As long as the specification stays the same, the browser keeps the chart's node, its zoom and its hover. Both axes are
fixed by the settings alone, so that no curve seems to fall because an axis has grown.
"""

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analysis.race import Lane
from core.runs.records import METRICS
from core.runs.settings import RunSettings

FLOOR = 0.4  # where the axis of accuracies begins; always saying "greater" is right for 45 % of the pairs
MARKED = 10  # epochs between two markers
MEAN, ROUND = 3.5, 1.2  # widths in pixels
_MARKERS = {  # Plotly's name of a marker -> Vega's, or its outline as an SVG path
    "x": "M-1,-1L1,1M-1,1L1,-1",
    "star": "M0,-1L0.25,-0.34L0.95,-0.31L0.4,0.13L0.59,0.81L0,0.42L-0.59,0.81L-0.4,0.13L-0.95,-0.31L-0.25,-0.34Z",
}


def curve_rows(histories: pd.DataFrame, lanes: Sequence[Lane], metric: str, ended: set[str]) -> pd.DataFrame:
    """The rows to draw: `lane`, `line`, `kind` (round, mean), `epoch`, `value`, and `rounds`, how many a mean is of.

    `histories`, which may be empty, has `run_id`, the metric, and `epoch`, from 1 on for each run. The mean is drawn
    over the rounds that have come that far; those that have `ended` go into it with their last value, as the report
    draws them. Each lane begins with a row without a value: data that are never empty keep their chart.
    """
    # In NumPy: pandas takes several times as long, and thirty students look at many charts a second.
    own = {str(run_id): rows[metric].to_numpy(float) for run_id, rows in histories.groupby("run_id", sort=False)}
    parts: list[tuple[str, str, str, NDArray[Any], NDArray[Any]]] = []
    for lane in lanes:
        rounds = {settings: own[settings.run_id] for settings in lane.rounds if settings.run_id in own}
        last = max(map(len, rounds.values()), default=0)
        padded = np.full((len(rounds), last), np.nan)
        for row, (settings, values) in zip(padded, rounds.items(), strict=True):
            row[: len(values)] = values
            if settings.run_id in ended and len(values):
                row[len(values) :] = values[-1]
            if len(lane.rounds) > 1:
                parts.append((lane.name, f"Seed {settings.seed}", "round", values, np.ones(len(values))))
        counts = (~np.isnan(padded)).sum(axis=0)
        means = np.nansum(padded, axis=0) / counts
        parts.append((lane.name, "Mean", "mean", np.append(np.nan, means), np.append(0, counts)))
    lengths = [len(values) for *_, values, _ in parts]
    columns: dict[str, Any] = {
        name: np.repeat([part[place] for part in parts], lengths) for place, name in enumerate(("lane", "line", "kind"))
    }
    starts = [int(kind == "round") for _, _, kind, _, _ in parts]
    columns["epoch"] = np.concatenate([np.arange(n) + start for n, start in zip(lengths, starts, strict=True)])
    columns["value"] = np.concatenate([values for *_, values, _ in parts])
    columns["rounds"] = np.concatenate([counts for *_, counts in parts]).astype(int)
    return pd.DataFrame(columns)


def highest_loss(settings: RunSettings) -> float:
    """The top of a loss's axis, nats: half more than the loss of a network that guesses."""
    comparison, digit = log(2), log(10)
    guessed = {
        "DirectClassificationModel": digit,
        "WeightSharingAuxiliaryModel": comparison + settings.auxiliary_weight * 2 * digit,
    }
    return 1.5 * guessed.get(settings.model, comparison)


def live_curves(metric: str, lanes: Sequence[Lane]) -> dict[str, Any]:
    """The specification that draws `curve_rows`: a lane's mean thick, with a marker every ten epochs, and its rounds
    thin where the race has one dropout; means of further dropouts are thinner. Drag to move, wheel to zoom."""
    dropouts = sorted({lane.rounds[0].dropout for lane in lanes})
    names = [lane.name for lane in lanes]
    widths = [max(MEAN - 1.1 * dropouts.index(lane.rounds[0].dropout), ROUND) for lane in lanes]
    color = _scale([lane.look.colour for lane in lanes], names)
    dash = _scale([list(lane.look.dash) or [1, 0] for lane in lanes], names)
    shape = _scale([_MARKERS.get(lane.look.marker, lane.look.marker) for lane in lanes], names)
    detail = {"field": "line"}
    line = {"type": "line", "clip": True}
    layers: list[dict[str, Any]] = [
        {
            "mark": line,
            "transform": [{"filter": "datum.kind == 'mean'"}],
            "encoding": {"color": color, "strokeDash": dash, "size": _scale(widths, names), "detail": detail},
            "params": [{"name": "zoom", "select": "interval", "bind": "scales"}],
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60, "clip": True},
            "transform": [{"filter": f"datum.kind == 'mean' && datum.epoch % {MARKED} == 0"}],
            "encoding": {"color": color, "shape": shape},
        },
    ]
    if len(dropouts) == 1:
        rounds = {
            "mark": {**line, "strokeWidth": ROUND, "opacity": 0.45},
            "transform": [{"filter": "datum.kind == 'round'"}],
            "encoding": {"color": color, "detail": detail},
        }
        layers.insert(0, rounds)
    return {"encoding": _place(metric, lanes), "layer": layers}


def _place(metric: str, lanes: Sequence[Lane]) -> dict[str, Any]:
    """Where a row stands on the axes, which never move, and what a pointer over it reads."""
    accuracy = metric.endswith("accuracy")
    lowest, highest = (FLOOR, 1.0) if accuracy else (0, max(highest_loss(lane.rounds[0]) for lane in lanes))
    title = METRICS[metric] + ("" if accuracy else ", nats")
    epochs = [0, max(lane.rounds[0].max_epochs for lane in lanes)]
    return {
        "x": {
            "field": "epoch", "type": "quantitative", "title": "Epoch", "axis": {"grid": False},
            "scale": {"domain": epochs, "nice": False},
        },
        "y": {
            "field": "value", "type": "quantitative",
            "axis": {"title": title, "format": ".0%" if accuracy else ".2f", "tickCount": 6},
            "scale": {"domain": [lowest, highest], "nice": False, "zero": False},
        },
        "tooltip": [
            {"field": "lane", "title": "Architecture"},
            {"field": "line", "title": "Curve"},
            {"field": "epoch", "title": "Epoch"},
            {"field": "value", "title": METRICS[metric], "format": ".1%" if accuracy else ".3f"},
            {"field": "rounds", "title": "Rounds"},
        ],
    }  # fmt: skip


def _scale(values: list[Any], names: list[str]) -> dict[str, Any]:
    """An encoding that gives each lane its value."""
    return {
        "field": "lane",
        "type": "nominal",
        "scale": {"domain": names, "range": values},
        "legend": None,
    }
