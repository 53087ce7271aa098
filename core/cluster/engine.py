"""The engine, for whoever wants runs: they are queued, trained in slices on a cluster, and recorded in the store."""

import os
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Literal

from core.cluster.conductor import Conductor
from core.cluster.keeper import State
from core.cluster.limits import Limits
from core.cluster.queue import LIVE, Job, Queue
from core.cluster.recorder import Recorder
from core.runs.settings import RunSettings
from core.runs.store import RunStore

SCHEDULER = os.environ.get("PAIR_SCHEDULER")  # the address of a cluster's scheduler; none: a cluster of our own
CLOSE_SECONDS = 20  # that runs may take to end after their slice, before the cluster is closed

Submission = Literal["submitted", "joined", "finished", "elsewhere"]


class Engine:  # long: all that a screen or a shell may ask of the engine, most of it in a line or two
    """Trains runs, follows them into the store, stops them. Safe to share between threads.

    Nothing waits for the cluster here, but `start` with `warm`, and `close`: what is told is what was last known.

    `scheduler` is the address of a running Dask scheduler; without one, a local cluster is started with one
    single-threaded worker a core, which ends with this process. `live` is how many runs for each worker take turns:
    few where nobody watches their curves.
    """

    def __init__(
        self, store: RunStore, scheduler: str | None = SCHEDULER, workers: int | None = None,
        limits: Limits | None = None, live: int = LIVE,
    ) -> None:  # fmt: skip
        self.store, self.limits = store, limits or Limits()
        self.conductor = Conductor(Queue(live), scheduler, workers or os.cpu_count() or 1)
        self._races = 0

    def start(self, warm: bool = False) -> None:
        """Open the cluster in the background, as the first run that is submitted does too. With `warm`, wait until the
        workers that it has are ready; raises EngineError if it cannot be opened or none of them can be used."""
        self.conductor.start()
        if warm:
            self.conductor.cluster.wait()

    @property
    def jobs(self) -> dict[str, Job]:
        """The runs that train or wait, by identity."""
        return self.conductor.queue.jobs

    @property
    def changed(self) -> threading.Condition:
        """Guards the jobs; notified when one gets on, ends, or starts again."""
        return self.conductor.changed

    @property
    def moves(self) -> int:
        """Grows whenever a run is queued, begins or ends."""
        return self.conductor.moves

    @property
    def problems(self) -> dict[str, str]:
        """Run -> why it ended as it did, in a sentence."""
        return self.conductor.problems

    @property
    def notices(self) -> list[str]:
        """What has happened to the cluster, in sentences."""
        return self.conductor.notices

    @property
    def capacity(self) -> tuple[int, int]:
        """How many workers train, or will, and how many runs take turns on them."""
        cluster = self.conductor.cluster
        workers = len(cluster.ready) or (cluster.count if cluster.scheduler is None else 1)
        return workers, workers * self.conductor.queue.live

    @property
    def state(self) -> State:
        """Whether runs can be trained, as far as is known."""
        cluster = self.conductor.cluster
        if cluster.state == "ready" and not cluster.ready:
            return "starting" if cluster.warming else "lost"
        return cluster.state

    @property
    def heard(self) -> float | None:
        """Seconds since the scheduler last answered, which is how old the state is; None if there is none."""
        connection = self.conductor.cluster.connection
        return None if connection is None else time.monotonic() - connection.heard

    @property
    def sentence(self) -> str:
        """Why the engine cannot train now; empty if it can, or nobody has needed it yet."""
        cluster = self.conductor.cluster
        return cluster.sentence or ("The cluster has no worker." if self.state == "lost" else "")

    def request(self, rounds: Iterable[RunSettings], owner: str) -> set[Submission]:
        """Queue, for a visitor, what is not trained yet: all of it, or none of it where a limit or the store forbids
        that. These runs advance together. Raises LimitError or StoreError.
        """
        wanted = [settings for settings in rounds if self.store.read(settings.run_id).state != "finished"]
        if not wanted:
            return {"finished"}
        with self.changed:
            held = [job.settings for job in self.jobs.values() if owner in job.owners]
            queued = len(self.jobs.keys() | {settings.run_id for settings in wanted})
            self.limits.check([settings for settings in wanted if settings not in held], held, queued)
            self._races += 1
            taken: list[Job] = []
            try:
                return {self._submit(settings, owner, self._races, taken) for settings in wanted}
            except BaseException:
                for job in taken:
                    self.conductor.withdraw(job)
                raise

    def submit(self, settings: RunSettings, owner: str = "") -> Submission:
        """Queue a run unless it is there already; says which. Raises StoreError."""
        with self.changed:
            self._races += 1
            return self._submit(settings, owner, self._races, [])

    def _submit(self, settings: RunSettings, owner: str, race: int, taken: list[Job]) -> Submission:
        job = self.jobs.get(settings.run_id)
        if job is not None:
            job.owners.add(owner)
            job.stopping = False  # whoever wanted its end has changed his mind, or was another
            return "joined"
        if self.store.read(settings.run_id).state == "finished":
            return "finished"
        writer = self.store.claim(settings)
        if writer is None:
            return "elsewhere"
        job = Job(settings, Recorder(writer), {owner}, uuid.uuid4().hex, race)
        self.conductor.add(job)
        taken.append(job)
        return "submitted"

    def queue(self) -> list[Job]:
        """The jobs in the order in which they take turns: those that train, then those that wait."""
        with self.changed:
            return sorted(self.conductor.queue.order(), key=lambda job: not job.running)

    def stop(self, run_ids: Iterable[str], owner: str | None = None) -> None:
        """Ask runs to end: those that wait at once, those that train after their slice. Histories stay.

        With an `owner`, only that one's wish to have them is withdrawn: a run ends where nobody else has asked for it.
        """
        with self.changed:
            for job in [self.jobs[run_id] for run_id in run_ids if run_id in self.jobs]:
                if owner is None or job.owners <= {owner}:
                    job.stopping = True
                else:
                    job.owners.discard(owner)
        self.conductor.wake()

    def epochs(self, run_id: str) -> int:
        """How many epochs a queued or training run has in the store; 0 for any other."""
        job = self.jobs.get(run_id)
        return job.epochs if job else 0

    def wait(self, run_ids: Iterable[str], timeout: float | None = None) -> bool:
        """Wait until none of the runs is queued or training; False where the time (seconds) runs out first."""
        wanted = set(run_ids)
        with self.changed:
            return self.changed.wait_for(lambda: not wanted & self.jobs.keys(), timeout)

    def close(self) -> None:
        """Stop whatever runs and end the local cluster; nothing that was started here is left."""
        with self.changed:
            run_ids = list(self.jobs)
        self.stop(run_ids)
        self.wait(run_ids, CLOSE_SECONDS)
        self.conductor.close()
