"""Learning curves of one cell's rounds, live: data that grows under a Vega-Lite specification that does not change.

As long as the specification stays the same, the browser keeps the chart's node, its zoom and its hover.
"""

from typing import Any

import pandas as pd

from core.palette import Look

METRICS = {  # the name of a record's field -> what people call it
    "validation_accuracy": "Validation accuracy",
    "training_accuracy": "Training accuracy",
    "validation_loss": "Validation loss",
    "training_loss": "Training loss",
}


def curve_rows(histories: pd.DataFrame, metric: str, ended: set[str]) -> pd.DataFrame:
    """The rows to draw, `epoch`, `value`, `line` and `kind` (round, mean), from a row an epoch of several rounds.

    `histories` has `run_id`, `seed`, `epoch` and the metric. Rounds that ended early go into the mean with their
    last value, as the report draws them. The mean goes as far as every round under way has come: beyond, it would be
    that of the fastest.
    """
    rounds = histories[["epoch", "seed", metric]].rename(columns={metric: "value"})
    wide = histories.pivot_table(index="epoch", columns="run_id", values=metric)
    done = wide.columns.isin(list(ended))
    wide.loc[:, done] = wide.loc[:, done].ffill()
    mean = wide[wide.loc[:, ~done].notna().all(axis=1)].mean(axis=1).rename("value").reset_index()
    rounds = rounds.assign(line="Round with seed " + rounds["seed"].astype(str), kind="round").drop(columns="seed")
    return pd.concat([rounds, mean.assign(line="Mean of the rounds", kind="mean")], ignore_index=True)


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
