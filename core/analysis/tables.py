"""From the store's runs to tables, beside the report's own numbers. Knows no network: nothing here needs torch."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analysis.report import REPORT_TABLE, Printed
from core.networks.structure import count_parameters
from core.runs.plan import SHIPPED_DROPOUTS, planned_run_ids
from core.runs.records import EPOCH_FIELDS
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import Run, RunStore, StoreError

CELL_FIELDS = ["model", "dropout", "dropout_at_evaluation"]
SETTINGS_FIELDS = list(RunSettings.model_fields)
RUN_COLUMNS = [
    "run_id", "state", *SETTINGS_FIELDS, "parameters", "test_accuracy", "training_accuracy", "test_digit_accuracy",
    "test_accuracy_unequal", "test_accuracy_equal", "best_epoch_test_accuracy", "epochs", "stop_reason", "seconds",
    "has_weights", "problem",
]  # fmt: skip

Arrays = dict[str, NDArray[Any]]
T = TypeVar("T")


class TableWithProblems(NamedTuple):
    """A data frame made of stored predictions, and a sentence for each run whose predictions cannot be read."""

    table: pd.DataFrame
    problems: list[str]


HISTORY_SETTINGS = ["model", "dropout", "dropout_at_evaluation", "seed"]


def load_runs(store: RunStore) -> pd.DataFrame:
    """One row per run of the store, whatever its state; columns are RUN_COLUMNS, empty if a run lacks a figure."""
    rows = []
    for run in store:
        row = {"run_id": run.run_id, "state": run.state, "has_weights": run.has_weights, "problem": run.problem}
        if isinstance(run, Run):
            settings = run.settings
            row = {**run.summary, **settings.model_dump(), "parameters": count_parameters(settings), **row}
        rows.append(row)
    return pd.DataFrame(rows, columns=RUN_COLUMNS)


def load_histories(store: RunStore, run_ids: Iterable[str]) -> pd.DataFrame:
    """One row per epoch of the runs: `run_id`, HISTORY_SETTINGS and the record's fields; losses in nats."""
    runs = [run for run in map(store.read, run_ids) if isinstance(run, Run)]
    parts = [run.columns for run in runs]
    counts = [part.shape[1] for part in parts]
    if not sum(counts):
        return pd.DataFrame(columns=["run_id", *HISTORY_SETTINGS, *EPOCH_FIELDS])
    # Column by column in NumPy: pandas would take several times as long, and a classroom asks many times a second.
    known: dict[str, Any] = {"run_id": [run.run_id for run in runs]}
    known |= {name: [getattr(run.settings, name) for run in runs] for name in HISTORY_SETTINGS}
    words = {name: pd.array(known[name], dtype="str").repeat(counts) for name in ("run_id", "model")}
    numbers = {name: np.repeat(values, counts) for name, values in known.items() if name not in words}
    fields = dict(zip(EPOCH_FIELDS, np.concatenate(parts, axis=1), strict=True))
    columns = {**words, **numbers, **fields, "epoch": fields["epoch"].astype(int)}
    return pd.DataFrame({name: columns[name] for name in ["run_id", *HISTORY_SETTINGS, *EPOCH_FIELDS]})


def read_each(store: RunStore, runs: pd.DataFrame, measure: Callable[[Any, Arrays], T]) -> tuple[list[T], list[str]]:
    """What `measure` makes of every run (a row of `runs`) and its predictions, and a sentence for each unread one."""
    results, problems = [], []
    rows: Any = runs.itertuples(index=False)
    for run in rows:
        try:
            results.append(measure(run, store.open(run.run_id).predictions()))
        except StoreError as error:
            problems.append(str(error))
        except KeyError as error:
            problems.append(f"The predictions of the run {run.run_id} lack {error}; train it again to get them.")
    return results, problems


def only_planned(runs: pd.DataFrame) -> pd.DataFrame:
    """Those of `runs` that the reproduction plans (core.runs.plan). Whatever else is trained on the same store, these
    stay the same, and so do all figures made of them."""
    return runs[runs["run_id"].isin(planned_run_ids())]


def count_apart(table: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """The rounds of each cell of a results table made of `runs`, those of the reproduction apart from others: "10 + 2",
    and "10" if there are no others."""
    planned = with_report_settings(only_planned(runs)).groupby(CELL_FIELDS).size()
    cells: Any = table[[*CELL_FIELDS, "rounds"]].itertuples(index=False, name=None)
    counts = [(int(planned.get((*cell,), 0)), int(rounds)) for *cell, rounds in cells]
    return [f"{own} + {rounds - own}" if rounds > own else f"{own}" for own, rounds in counts]


def with_report_settings(runs: pd.DataFrame, *free: str) -> pd.DataFrame:
    """The finished runs whose settings are the report's, apart from architecture, dropout, seed and the `free` ones."""
    own = ("model", "dropout", "dropout_at_evaluation", "seed", *free)
    same = runs["state"] == "finished"
    for name, value in RunSettings().model_dump().items():
        if name not in own:
            same &= runs[name] == value
    return runs[same]


def results_table(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per cell: `rounds`, `mean` and `std` of test accuracy, beside `report_mean` and `report_std`.

    The 14 cells of Table 1 are always there, in its order, the report's column with dropout beside our dropout of
    0.25; every other cell of the store follows. If a cell has too few rounds for a figure, that figure is empty.
    """
    keys = ["dropout_at_evaluation", "dropout", "model"]
    groups = with_report_settings(runs).groupby(keys)["test_accuracy"]
    figures = pd.DataFrame(groups.agg(["count", "mean", "std"])).rename(columns={"count": "rounds"})
    ours: dict[Any, Any] = figures.to_dict("index")
    printed: dict[Any, Printed] = {
        (False, dropout, model): cells[column]
        for column, dropout in enumerate(SHIPPED_DROPOUTS)
        for model, cells in REPORT_TABLE.items()
    }
    others = sorted(ours.keys() - printed.keys(), key=lambda key: (key[0], key[1], MODEL_NAMES.index(key[2])))
    rows = []
    for key in [*printed, *others]:
        report = printed.get(key, Printed(float("nan"), float("nan")))
        own = ours.get(key, {"rounds": 0})
        rows.append({**dict(zip(keys, key, strict=True)), **own, "report_mean": report.mean, "report_std": report.std})
    return pd.DataFrame(
        rows,
        columns=["model", "dropout", "dropout_at_evaluation", "rounds", "mean", "std", "report_mean", "report_std"],
    )


def results_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The results table as plain objects, None for what is missing."""
    columns = ["model", "dropout", "dropout_at_evaluation", "rounds", "mean", "std", "report_mean", "report_std"]
    rows = table[columns].astype(object).to_dict("records")
    return [{str(name): None if value != value else value for name, value in row.items()} for row in rows]


def summarise_cells(runs: pd.DataFrame) -> pd.DataFrame:
    """Every setting ever tried, one row per cell: the settings but the seed, `first_seed`, `rounds` in any state,
    `finished` rounds, and `mean` and `std` of their test accuracy. The report's settings come first, in its order."""
    known = runs[runs["model"].notna()]
    names = [name for name in SETTINGS_FIELDS if name != "seed"]
    cells = known.groupby(names, dropna=False).agg(
        first_seed=("seed", "min"), rounds=("run_id", "count"), finished=("test_accuracy", "count"),
        mean=("test_accuracy", "mean"), std=("test_accuracy", "std"),
    ).reset_index()  # fmt: skip
    order = cells["model"].map(MODEL_NAMES.index) if len(cells) else cells["model"]
    return cells.assign(order=order).sort_values(["order", *names[1:]]).drop(columns="order").reset_index(drop=True)
