"""From the store's runs to tables."""

import json
import math

import pandas as pd
import pytest

from core.analysis.agreement import compare_with_report
from core.analysis.report import REPORT_TABLE
from core.analysis.tables import (
    RUN_COLUMNS,
    count_apart,
    load_histories,
    load_runs,
    only_planned,
    results_json,
    results_table,
    summarise_cells,
    with_report_settings,
)
from core.networks import architectures
from core.networks.structure import count_parameters
from core.runs.plan import PLANNED_ROUNDS, planned_run_ids
from core.runs.settings import MODEL_NAMES, REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from core.runs.studies import study_run_ids
from support.fake_runs import write_run
from support.servers import ROOT

FAILED, STOPPED, INTERRUPTED = (RunSettings(model="TwoChannelsModel", seed=seed) for seed in (1, 2, 3))


@pytest.fixture
def store(tmp_path) -> RunStore:
    """A finished run of twelve epochs, and one of each other kind beside a folder that is no run."""
    store = RunStore(tmp_path / "runs")
    write_run(store, RunSettings(dropout=0.25, hidden_units=64), 0.965, digit_accuracy=0.98)
    for settings in (FAILED, STOPPED, INTERRUPTED):
        writer = store.claim(settings)
        if settings is FAILED:
            writer.fail("The worker died.")
        elif settings is STOPPED:
            writer.stop()
        writer.close()
    (store.root / "TwoBranchesModel-0123456789ab").mkdir()
    (store.root / "TwoBranchesModel-0123456789ab" / "history.jsonl").touch()
    (store.root / "holiday pictures").mkdir()
    return store


@pytest.mark.parametrize("model", MODEL_NAMES)
@pytest.mark.parametrize("hidden_units", [4, 65, 128, 512])
def test_the_parameters_are_those_of_the_network(model, hidden_units):
    settings = RunSettings(model=model, hidden_units=hidden_units)
    assert count_parameters(settings) == architectures.count_parameters(architectures.build_network(settings))


def test_a_row_a_run_whatever_its_state(store):
    runs = load_runs(store)
    assert list(runs.columns) == RUN_COLUMNS
    assert runs.set_index("run_id")["state"].to_dict() == {
        RunSettings(dropout=0.25, hidden_units=64).run_id: "finished",
        FAILED.run_id: "failed",
        STOPPED.run_id: "stopped",
        INTERRUPTED.run_id: "interrupted",
        "TwoBranchesModel-0123456789ab": "damaged",
    }


def test_a_finished_run_has_its_settings_and_figures(store):
    run = load_runs(store).set_index("state").loc["finished"]
    expected = {
        "model": "DirectClassificationModel", "dropout": 0.25, "dropout_at_evaluation": False, "seed": 0,
        "hidden_units": 64, "parameters": 35_914, "test_accuracy": 0.965, "training_accuracy": 1.0,
        "test_digit_accuracy": 0.98, "epochs": 12, "stop_reason": "patience", "seconds": pytest.approx(1.2),
        "has_weights": True, "problem": "",
    }  # fmt: skip
    assert run[list(expected)].to_dict() == expected


def test_what_is_wrong_with_a_run_is_said_and_its_figures_are_empty(store):
    runs = load_runs(store).set_index("state")
    assert runs.loc["failed", "problem"] == "The worker died."
    assert runs.loc["damaged", "problem"] == (
        "The run TwoBranchesModel-0123456789ab is set aside: settings.json is missing."
    )
    assert runs.loc[["failed", "stopped", "interrupted", "damaged"], "test_accuracy"].isna().all()
    assert pd.isna(runs.loc["damaged", "model"])


def test_a_row_an_epoch_up_to_a_torn_line(store):
    run_id = RunSettings(dropout=0.25, hidden_units=64).run_id
    with (store.path(run_id) / "history.jsonl").open("ab") as file:
        file.write(b'{"epoch": 13, "training_l')
    histories = load_histories(store, [run_id, "TwoBranchesModel-0123456789ab", INTERRUPTED.run_id])
    assert histories["epoch"].tolist() == list(range(1, 13))
    assert set(histories["run_id"]) == {run_id}
    assert histories.loc[11, ["model", "dropout", "seed", "validation_accuracy"]].tolist() == [
        "DirectClassificationModel", 0.25, 0, 0.965,
    ]  # fmt: skip
    assert histories["digit_accuracy"].isna().all()


def test_only_finished_runs_with_the_reports_other_settings_count(store):
    counted = RunSettings(dropout=0.1, seed=7, dropout_at_evaluation=True)
    write_run(store, counted, 0.9)
    write_run(store, RunSettings(seed=7, learning_rate=1e-3), 0.9)
    control = RunSettings(model="WeightSharingAuxiliaryModel", auxiliary_weight=0)
    write_run(store, control, 0.85)
    assert with_report_settings(load_runs(store))["run_id"].tolist() == [counted.run_id]
    free = with_report_settings(load_runs(store), "auxiliary_weight")["run_id"].tolist()
    assert sorted(free) == sorted([counted.run_id, control.run_id])


def test_means_and_deviations_worked_by_hand(tmp_path):
    store = RunStore(tmp_path)
    for seed, accuracy in enumerate((0.80, 0.82, 0.87)):  # mean 0.83; squares 9 + 1 + 16 points, over 2: 13
        write_run(store, RunSettings(model="TwoBranchesModel", seed=seed), accuracy)
    cell = results_table(load_runs(store)).set_index(["model", "dropout"]).loc[("TwoBranchesModel", 0.0)]
    assert cell["rounds"] == 3
    assert cell["mean"] == pytest.approx(0.83)
    assert cell["std"] == pytest.approx(math.sqrt(13) / 100)
    assert (cell["report_mean"], cell["report_std"]) == (0.812, 0.013)


def test_the_14_printed_cells_come_first_and_other_cells_follow(tmp_path):
    store = RunStore(tmp_path)
    others = [
        ("DirectClassificationModel", 0.25, True), ("DirectClassificationModel", 0.1, False),
        ("TwoChannelsModel", 0.5, False), ("TwoChannelsModel", 0.1, False),
    ]  # fmt: skip
    for model, dropout, left_on in others:
        write_run(store, RunSettings(model=model, dropout=dropout, dropout_at_evaluation=left_on), 0.9)
    table = results_table(load_runs(store))
    cells = list(table[["model", "dropout", "dropout_at_evaluation"]].itertuples(index=False, name=None))
    assert cells[:14] == [(model, dropout, False) for dropout in (0.0, 0.25) for model in REPORT_TABLE]
    assert cells[14:] == [others[3], others[1], others[2], others[0]]
    assert table["rounds"].tolist() == 14 * [0] + 4 * [1]
    assert table["report_mean"].isna().tolist() == 14 * [False] + 4 * [True]


def test_json_has_null_where_there_is_no_figure(tmp_path):
    store = RunStore(tmp_path)
    write_run(store, RunSettings(model="TwoChannelsModel"), 0.8)
    write_run(store, RunSettings(model="TwoChannelsModel", dropout=0.5), 0.7)
    rows = json.loads(json.dumps(results_json(results_table(load_runs(store))), allow_nan=False))
    known = {"model": "TwoChannelsModel", "dropout_at_evaluation": False}
    printed = {"report_mean": 0.798, "report_std": 0.011}
    assert rows[0] == {**known, "dropout": 0.0, "rounds": 1, "mean": 0.8, "std": None, **printed}
    assert rows[7] == {**known, "dropout": 0.25, "rounds": 0, "mean": None, "std": None, **printed}
    assert rows[14:] == [
        {**known, "dropout": 0.5, "rounds": 1, "mean": 0.7, "std": None, "report_mean": None, "report_std": None}
    ]


def test_a_store_that_does_not_exist_gives_the_14_cells_and_no_rows(tmp_path):
    runs = load_runs(RunStore(tmp_path / "none"))
    assert len(runs) == 0
    assert results_table(runs)["rounds"].tolist() == 14 * [0]
    assert len(load_histories(RunStore(tmp_path / "none"), [])) == 0
    assert len(summarise_cells(runs)) == 0


def test_every_setting_tried_is_a_row_whatever_became_of_it(store):
    write_run(store, RunSettings(model="TwoChannelsModel", seed=4), 0.8)
    cells = summarise_cells(load_runs(store))
    columns = ["model", "dropout", "first_seed", "rounds", "finished", "mean"]
    assert cells[columns].to_numpy().tolist() == [
        ["TwoChannelsModel", 0.0, 1, 4, 1, 0.8],
        ["DirectClassificationModel", 0.25, 0, 1, 1, 0.965],
    ]
    assert cells["std"].isna().all()


def test_the_shipped_runs_are_the_whole_reproduction():
    runs = load_runs(RunStore(ROOT / "cached_runs"))
    assert only_planned(runs).groupby("model").size().to_dict() == {
        **dict.fromkeys(REPORT_MODELS, 40), "WeightSharingAuxiliaryModel": 80, "DirectClassificationModel": 60,
    }  # fmt: skip
    assert (runs["state"] == "finished").all()
    assert set(runs["run_id"]) <= planned_run_ids() | study_run_ids()


def test_what_visitors_train_changes_no_figure_of_the_reproduction(tmp_path):
    store = RunStore(tmp_path / "runs")
    for settings, accuracy in zip(RunSettings(model="TwoBranchesModel").rounds(3), (0.8, 0.82, 0.84), strict=True):
        write_run(store, settings, accuracy)
    before = compare_with_report(only_planned(load_runs(store)))
    others = [
        *RunSettings(model="TwoBranchesModel", seed=PLANNED_ROUNDS).rounds(2),  # more rounds of a planned cell
        RunSettings(model="TwoBranchesModel", dropout=0.3),  # a dropout that is not planned
        RunSettings(model="TwoBranchesModel", hidden_units=64),
    ]
    for settings in others:
        write_run(store, settings, 0.99)
    runs = load_runs(store)
    pd.testing.assert_frame_equal(compare_with_report(only_planned(runs)), before)
    every = compare_with_report(runs)
    assert every["rounds"].sum() == 6  # asked for, all with the report's settings count
    counts = dict(zip(zip(every["model"], every["dropout"], strict=True), count_apart(every, runs), strict=True))
    assert counts["TwoBranchesModel", 0.0] == "3 + 2"
    assert counts["TwoBranchesModel", 0.3] == "0 + 1"
    assert counts["TwoChannelsModel", 0.0] == "0"
