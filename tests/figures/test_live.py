"""The live chart of a race: which rows are drawn, and axes that only the settings decide."""

from math import log

import numpy as np
import pandas as pd
import pytest

from core.analysis.race import make_lanes
from core.figures.live import FLOOR, curve_rows, live_curves
from core.runs.settings import MODEL_NAMES, RunSettings

OWN, SHARED = RunSettings(model="TwoBranchesModel"), RunSettings(model="WeightSharingBranchesModel")


def frame_histories(values: dict[str, list[float]]) -> pd.DataFrame:
    rows = [
        {"run_id": run_id, "epoch": epoch, "validation_accuracy": value}
        for run_id, series in values.items()
        for epoch, value in enumerate(series, start=1)
    ]
    return pd.DataFrame(rows, columns=["run_id", "epoch", "validation_accuracy"])


def test_the_mean_is_of_the_rounds_that_have_come_that_far_and_says_of_how_many():
    [lane] = make_lanes([OWN], 3)
    a, b, c = (settings.run_id for settings in lane.rounds)
    histories = frame_histories({a: [0.5, 0.7], b: [0.6, 0.8, 0.9, 0.95], c: [0.7, 0.6, 0.8]})
    rows = curve_rows(histories, [lane], "validation_accuracy", ended={a})  # a stays at its last value
    mean = rows[rows["kind"] == "mean"]
    assert mean["epoch"].tolist() == [0, 1, 2, 3, 4]
    assert mean["value"].tolist()[1:] == pytest.approx([0.6, 0.7, 0.8, (0.7 + 0.95) / 2])
    assert mean["rounds"].tolist() == [0, 3, 3, 3, 2]
    single = rows[rows["line"] == "Seed 1"]
    assert (single["epoch"].tolist(), single["value"].tolist()) == ([1, 2, 3, 4], [0.6, 0.8, 0.9, 0.95])


def test_a_race_that_has_not_begun_has_a_row_without_a_value_for_each_lane():
    rows = curve_rows(frame_histories({}), make_lanes([OWN, SHARED], 2), "validation_accuracy", set())
    assert rows["lane"].tolist() == ["Two branches", "Shared branches"]
    assert np.isnan(rows["value"]).all()


def test_each_lane_has_its_own_mean():
    lanes = make_lanes([OWN, SHARED], 1)
    histories = frame_histories({OWN.run_id: [0.5, 0.6], SHARED.run_id: [0.7]})
    rows = curve_rows(histories, lanes, "validation_accuracy", set()).dropna()
    assert rows[["lane", "epoch", "value"]].values.tolist() == [
        ["Two branches", 1, 0.5], ["Two branches", 2, 0.6], ["Shared branches", 1, 0.7],
    ]  # fmt: skip


@pytest.mark.parametrize("metric", ["validation_accuracy", "training_loss"])
def test_the_axes_are_fixed_by_the_settings(metric):
    lanes = make_lanes([RunSettings(model=model, max_epochs=70) for model in MODEL_NAMES], 2)
    encoding = live_curves(metric, lanes)["encoding"]
    assert encoding["x"]["scale"]["domain"] == [0, 70]
    top = 1.5 * (log(2) + 2 * log(10))  # the network with auxiliary losses, when it guesses
    assert encoding["y"]["scale"]["domain"] == ([FLOOR, 1.0] if metric.endswith("accuracy") else [0, top])


def test_further_dropouts_are_thinner_and_rounds_are_then_not_drawn():
    one = live_curves("validation_accuracy", make_lanes([OWN, SHARED], 2))
    two = live_curves("validation_accuracy", make_lanes([OWN, OWN.model_copy(update={"dropout": 0.25})], 2))
    assert (len(one["layer"]), len(two["layer"])) == (3, 2)
    thick, thin = two["layer"][0]["encoding"]["size"]["scale"]["range"]
    assert thick > thin
