"""Learning curves of one cell's rounds, live: data that grows under a Vega-Lite specification that does not change.

As long as the specification stays the same, the browser keeps the chart's node, its zoom and its hover.
"""

from typing import Any

import numpy as np
import pandas as pd

from core.runs.palette import Look
from core.runs.records import METRICS


def curve_rows(histories: pd.DataFrame, metric: str, ended: set[str]) -> pd.DataFrame:
    """The rows to draw, `epoch`, `value`, `line` and `kind` (round, mean), from one row per epoch of several rounds.

    `histories`, which is not empty, has `run_id`, `seed`, the metric, and `epoch`, from 1 on for each run. Rounds that
    `ended` early go into the mean with their last value, as the report draws them. The mean goes as far as every
    round under way has come: beyond, it would be that of the fastest.
    """
    # In NumPy, since thirty students look at many charts per second, and pandas takes several times as long to pivot.
    last = int(histories["epoch"].max())
    values, names, reached, means = [], [], [], []
    for run_id, own in histories.groupby("run_id", sort=False):
        line = np.full(last, np.nan)
        line[own["epoch"].to_numpy() - 1] = own[metric]
        names += [f"Round with seed {own['seed'].iloc[0]}"] * len(own)
        values.append(line[: len(own)])
        if run_id in ended:
            line[len(own) :] = line[len(own) - 1]
        else:
            reached.append(len(own))
        means.append(line)
    mean = np.mean(means, axis=0)[: min(reached, default=last)]
    epochs = [np.arange(1, len(each) + 1) for each in [*values, mean]]
    names += ["Mean of the rounds"] * len(mean)
    kinds = ["round"] * (len(names) - len(mean)) + ["mean"] * len(mean)
    columns = {"epoch": np.concatenate(epochs), "value": np.concatenate([*values, mean]), "line": names, "kind": kinds}
    return pd.DataFrame(columns)


def live_curves(metric: str, max_epochs: int, look: Look) -> dict[str, Any]:
    """The specification that draws `curve_rows`: each round thin, their mean thick; drag to move, wheel to zoom."""
    accuracy = metric.endswith("accuracy")
    y_axis = {
        "title": METRICS[metric] + ("" if accuracy else ", nats"),
        "format": ".0%" if accuracy else ".2f",
        "tickMinStep": 0.01,
    }
    encoding = {
        "x": {"field": "epoch", "type": "quantitative", "title": "Epoch", "scale": {"domain": [0, max_epochs]}},
        "y": {"field": "value", "type": "quantitative", "axis": y_axis, "scale": {"zero": False}},
        "detail": {"field": "line"},
        "tooltip": [
            {"field": "line", "title": "Curve"},
            {"field": "epoch", "title": "Epoch"},
            {"field": "value", "title": METRICS[metric], "format": ".1%" if accuracy else ".3f"},
        ],
    }
    return {
        "mark": {"type": "line", "color": look.colour},
        "encoding": {
            **encoding,
            "strokeWidth": {"condition": {"test": "datum.kind == 'mean'", "value": 3.5}, "value": 1.2},
            "opacity": {"condition": {"test": "datum.kind == 'mean'", "value": 1}, "value": 0.45},
        },
        "params": [{"name": "zoom", "select": "interval", "bind": "scales"}],
    }
