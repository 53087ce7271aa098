"""Two minutes of bad luck: runs are submitted and stopped while processes are killed and frozen at random."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import psutil
import pytest

from core.cluster.engine import Engine
from core.inference.client import InferenceError, Networks
from core.inference.service import InferenceService, RunSelection
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from support.servers import find_family

SEED = 20261125
SECONDS = 120
PATIENCE_AT_THE_END = 20  # seconds for what has been told to end: Dask's helpers tidy up behind killed workers
PATIENCE = 240  # seconds; a bound for what takes some ten
LASTING = RunSettings(max_epochs=500, patience=500)
BRIEF = RunSettings(max_epochs=4, training_pairs=200)
FROZEN_SECONDS = (0.5, 4.0)  # far less than what counts as lost, and some seconds


class Luck:
    """Chooses what happens next, and remembers which processes it has frozen until when."""

    def __init__(self, seed: int, engine: Engine, networks: Networks) -> None:
        self.chance = random.Random(seed)
        self.engine, self.networks = engine, networks
        self.asked: list[RunSettings] = []
        self.frozen: dict[int, float] = {}

    def act(self) -> None:
        """One thing happens; what is frozen for long enough goes on."""
        for pid, until in list(self.frozen.items()):
            if time.monotonic() >= until:
                del self.frozen[pid]
                send(pid, signal.SIGCONT)
        self.chance.choices(
            (self.submit, self.stop, self.kill_worker, self.kill_host, self.kill_networks, self.freeze),
            weights=(10, 4, 1, 0.5, 1, 1),
        )[0]()

    def submit(self) -> None:
        base = self.chance.choice((LASTING, BRIEF, BRIEF))
        values = {"model": self.chance.choice(MODEL_NAMES), "seed": self.chance.randrange(40)}
        settings = base.model_copy(update=values)
        settings = RunSettings(**settings.model_dump())
        if len(self.engine.jobs) < 12:
            self.engine.submit(settings, f"visitor {self.chance.randrange(4)}")
            self.asked.append(settings)

    def stop(self) -> None:
        if self.engine.jobs:
            self.engine.stop([self.chance.choice(list(self.engine.jobs))])

    def processes(self) -> Iterator[int]:
        connection = self.engine.conductor.cluster.connection
        if connection is not None and connection.host is not None:
            yield connection.host.pid
            yield from (process.pid for process in find_family(connection.host.pid))

    def kill_worker(self) -> None:
        if workers := list(self.processes())[1:]:
            send(self.chance.choice(workers), signal.SIGKILL)

    def kill_host(self) -> None:
        for pid in list(self.processes())[:1]:
            send(pid, signal.SIGKILL)

    def kill_networks(self) -> None:
        if self.networks.pid is not None:
            send(self.networks.pid, signal.SIGKILL)

    def freeze(self) -> None:
        pids = [*self.processes(), *([self.networks.pid] if self.networks.pid else [])]
        if pids:
            pid = self.chance.choice(pids)
            send(pid, signal.SIGSTOP)
            self.frozen[pid] = time.monotonic() + self.chance.uniform(*FROZEN_SECONDS)

    def end(self) -> None:
        """Nothing is frozen any more."""
        for pid in self.frozen:
            send(pid, signal.SIGCONT)


def send(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_whatever_is_killed_or_frozen_every_run_ends_and_every_epoch_is_there(
    tmp_path, trained_store
):  # long: one tale
    engine, networks = Engine(RunStore(tmp_path / "runs"), workers=2), Networks()
    trained = RunSelection(trained_store, tuple(run.run_id for run in RunStore(trained_store)))
    pair = np.full((2, 14, 14), 9, np.float32)
    luck = Luck(SEED, engine, networks)
    seen: dict[str, int] = {}
    family = []
    try:
        engine.start(warm=True)
        ended = time.monotonic() + SECONDS
        while time.monotonic() < ended:
            luck.act()
            family += [pid for pid in luck.processes() if pid not in family]
            with suppress(InferenceError):  # one sentence, where it was lost twice
                assert len(networks.ask(InferenceService.answer, trained, pair)) == 2
            with engine.changed:
                engine.changed.wait(timeout=luck.chance.uniform(0.05, 0.8))
                for run_id, job in engine.jobs.items():
                    assert job.epochs >= seen.get(run_id, 0)
                    seen[run_id] = job.epochs
        luck.end()
        brief = BRIEF.model_copy(update={"seed": 99})
        engine.submit(brief)  # it still trains
        assert engine.wait([brief.run_id], PATIENCE)
        assert engine.store.read(brief.run_id).state == "finished"
    finally:
        luck.end()
        engine.close()
    assert luck.asked
    for settings in luck.asked:
        run = engine.store.read(settings.run_id)
        epochs = [record["epoch"] for record in run.history]
        assert epochs == [*range(1, len(epochs) + 1)]
        assert len(epochs) >= seen.get(settings.run_id, 0)  # every epoch that anybody could see
        assert run.state in ("finished", "stopped", "interrupted", "failed"), run
        if run.state in ("interrupted", "failed") and settings.run_id in engine.problems:
            assert engine.problems[settings.run_id].endswith(".")
        if run.state == "finished":
            assert not run.history_problem
        assert not engine.store.is_locked(settings.run_id)
    assert engine.jobs == {}
    assert not describe_left(family)


def describe_left(pids: list[int]) -> list[list[str]]:
    """The commands of the processes that do not end, and are no zombies either."""
    left = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            left.append(psutil.Process(pid))
    living = psutil.wait_procs(left, timeout=PATIENCE_AT_THE_END)[1]
    return [process.cmdline() for process in living if process.status() != psutil.STATUS_ZOMBIE]
