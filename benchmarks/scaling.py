"""How training scales: throughput with one worker and with two, and what a run costs the server and the scheduler.

    python -m benchmarks.scaling

A worker trains its runs alone, so more workers bring more until the server, which writes every epoch, or the scheduler,
which passes it on, has no time left. That limit is measured with workers that send the epochs and files of a stored run
without any training; both share the machine's cores with them here, so the limit is rather too low than too high.
"""

import json
import os
import platform
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from core.cluster import worker
from core.cluster.engine import Engine
from core.cluster.worker import Progress, Slice
from core.runs.settings import RunSettings
from core.runs.store import STORE, RunStore
from core.runs.writer import RunResult

TRAINED = RunSettings(max_epochs=30, patience=30)
RUNS_A_WORKER = 6
SENT = RunSettings()  # the stored run whose epochs and files are sent
SENT_RUNS = 100  # the rounds that settings can have at most
EPOCHS_A_SLICE = 10  # as many as a worker trains between two messages when runs are many
CLUSTER = 100  # workers of which the projection speaks


class Cost(NamedTuple):
    """Seconds a run: in all, and of the processor in the server's process and in the scheduler's."""

    wall: float
    server: float
    scheduler: float


def measure(workers: int, rounds: list[RunSettings]) -> Cost:
    """What a run costs if these rounds are trained by so many warm workers into a store of their own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Engine(RunStore(Path(folder) / "runs"), scheduler=None, workers=workers, live=2)) as engine,
    ):
        engine.start(warm=True)
        host = psutil.Process(engine.conductor.cluster.connection.host.pid)
        before = read_clocks(host)
        finish(engine, rounds)
        return Cost(*((end - start) / len(rounds) for start, end in zip(before, read_clocks(host), strict=True)))


def finish(engine: Engine, rounds: list[RunSettings]) -> None:
    """Train the rounds; all must end well."""
    for settings in rounds:
        engine.submit(settings)
    assert engine.wait([settings.run_id for settings in rounds], timeout=600)
    assert all(engine.store.read(settings.run_id).state == "finished" for settings in rounds)


def read_clocks(host: psutil.Process) -> tuple[float, float, float]:
    """Seconds: of the clock, of this process, and of the scheduler's with the nannies beside it."""
    times = host.cpu_times()
    return time.perf_counter(), time.process_time(), times.user + times.system


def send_slices(slices: list[Slice], states: list[Any], most: int) -> list[Progress | str]:
    """On a worker, in the place of worker.train_slices: the next epochs of a stored run, and at last its files."""
    run = RunStore(STORE).read(SENT.run_id)
    answers: list[Progress | str] = []
    for part in slices:
        records = run.history[part.stored :][: min(part.epochs, EPOCHS_A_SLICE)]
        reached = part.stored + len(records)
        files = {name: (run.path / f"{name}.safetensors").read_bytes() for name in ("weights", "predictions")}
        result = RunResult(run.summary, run.history, **files) if reached == len(run.history) else None
        answers.append(Progress(records, reached, len(records), 0.0, result))
    return answers


def main() -> None:
    """Measure and print, with the projection."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    costs = {workers: measure(workers, TRAINED.rounds(RUNS_A_WORKER * workers)) for workers in (1, 2)}
    for workers, cost in costs.items():
        print(
            f"{workers} worker{'s' * (workers > 1)}: {60 / cost.wall:.1f} runs of {TRAINED.max_epochs} epochs a minute"
        )
    print(f"Two workers bring {costs[1].wall / costs[2].wall:.2f} times the throughput of one.")
    worker.train_slices = send_slices
    sent = measure(2, RunSettings(max_epochs=500).rounds(SENT_RUNS))
    epochs = json.loads((RunStore(STORE).path(SENT.run_id) / "result.json").read_text())["epochs"]
    print(
        f"A run of {epochs} epochs costs the server {1000 * sent.server:.0f} ms and the scheduler "
        f"{1000 * sent.scheduler:.0f} ms of a processor; without training, {1 / sent.wall:.1f} runs a second pass."
    )
    trained = costs[1].wall * epochs / TRAINED.max_epochs
    print(
        f"A worker trains such a run in {trained:.1f} s, so {CLUSTER} workers of this kind would ask for "
        f"{CLUSTER / trained:.1f} runs a second: {100 * CLUSTER / trained * sent.wall:.0f} % of what passes here."
    )


if __name__ == "__main__":
    main()
