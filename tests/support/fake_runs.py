"""Small finished runs with made-up numbers, written as training writes them but without any training."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import safetensors.numpy

from core.analysis.comparison import Cell
from core.runs.records import EPOCH_FIELDS
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from core.runs.writer import RunResult

PAIRS = 1_000
CLASSES = np.stack(np.divmod(np.arange(PAIRS) % 100, 10), axis=1).astype(np.uint8)  # every pair of digits ten times


def write_run(
    store: RunStore,
    settings: RunSettings,
    accuracy: float,
    epochs: int = 12,
    stop_reason: str = "patience",
    digit_accuracy: float | None = None,
    trace: Mapping[int, float] | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> str:
    """Write a finished run of this test accuracy (in thousandths) and give its identity.

    `trace`: epoch -> share of right decisions, by default the final one at every fifth epoch. `arrays` replace those
    of the predictions; by default the 1,000 pairs are CLASSES, and the wrong decisions are spread over them.
    """
    trace = trace if trace is not None else dict.fromkeys(range(5, epochs + 1, 5), accuracy)
    history = write_history(epochs, accuracy)
    summary = {
        "test_accuracy": accuracy,
        "test_digit_accuracy": digit_accuracy,
        "training_accuracy": 1.0,
        "epochs": epochs,
        "stop_reason": stop_reason,
        "seconds": sum(record["seconds"] for record in history),
        "mean": 33.0,
        "deviation": 71.0,
    }
    weights = safetensors.numpy.save({"score": np.arange(3, dtype=np.float16)})
    predictions = safetensors.numpy.save({**write_predictions(accuracy, trace), **(arrays or {})})
    writer = store.claim(settings)
    assert writer is not None
    for record in history:
        writer.append(record)
    writer.finish(RunResult(summary, history, weights, predictions))
    writer.close()
    return settings.run_id


def write_history(epochs: int, accuracy: float) -> list[dict]:
    """Validation accuracy goes straight from one half to `accuracy`; an epoch takes a tenth of a second."""
    rises = np.linspace(0.5, accuracy, epochs).tolist()
    return [
        {
            **dict.fromkeys(EPOCH_FIELDS),
            "epoch": epoch,
            "training_loss": 1 / epoch,
            "training_accuracy": value,
            "validation_loss": 1.5 / epoch,
            "validation_accuracy": value,
            "seconds": 0.1,
        }
        for epoch, value in enumerate(rises, start=1)
    ]


def write_predictions(accuracy: float, trace: Mapping[int, float]) -> dict[str, np.ndarray]:
    """The arrays that core.runs.writer.RunResult describes."""
    decision = decide(accuracy)
    steps = [np.where(decide(share), 192, 64) for share in trace.values()]
    return {
        "indices": np.arange(2 * PAIRS, dtype=np.int16).reshape(PAIRS, 2),
        "classes": CLASSES,
        "probability": np.where(decision, 0.75, 0.25).astype(np.float32),
        "decision": decision,
        "trace_epochs": np.array(list(trace), dtype=np.int16),
        "trace": np.array(steps, dtype=np.uint8).reshape(-1, PAIRS),
    }


def decide(accuracy: float) -> np.ndarray:
    """(1000,) decisions on CLASSES of which this share is right."""
    right = np.ones(PAIRS, dtype=bool)
    wrong = round((1 - accuracy) * PAIRS)
    right[np.linspace(0, PAIRS - 1, wrong).round().astype(int)] = False
    return (CLASSES[:, 0] <= CLASSES[:, 1]) == right


def frame_runs(*cells: tuple[Cell, list[float]], **settings) -> pd.DataFrame:
    """A frame of runs as load_runs gives it, with these test accuracies at seeds 0, 1, …"""
    rows = []
    for cell, accuracies in cells:
        for seed, accuracy in enumerate(accuracies):
            run = RunSettings(**{**cell._asdict(), **settings}, seed=seed)
            figures = {"test_accuracy": accuracy, "epochs": 50 + seed, "seconds": 4.0, "parameters": 53_013}
            rows.append({"run_id": run.run_id, "state": "finished", "stop_reason": "patience", **dict(run), **figures})
    return pd.DataFrame(rows)


def with_rounds(mean: float, std: float, count: int = 10) -> list[float]:
    """`count` numbers of exactly this mean and standard deviation."""
    spread = np.arange(count) - (count - 1) / 2
    return (mean + std * spread / spread.std(ddof=1)).tolist()
