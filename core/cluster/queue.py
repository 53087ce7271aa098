"""Who has asked for which run, and whose turn it is. Knows neither the cluster nor the store.

Runs take turns in slices of a few epochs. Of each visitor's runs the first come before the second ones of all others,
those before the third, and so on; as many as fit into the workers' memory take turns, the others wait.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from core.runs.settings import RunSettings

LIVE = 16  # runs for each worker that take turns, and keep some 9 MB of its memory in between
DEPTH = 2  # batches that a worker has at once, so that it does not wait for the next one
BATCH_SECONDS = 0.25  # of slices that are sent together; each message costs a worker some milliseconds
CYCLE_SECONDS = 1.5  # in which each run that takes turns shall get on; shorter slices cost training some per cent
LONE_SECONDS = 0.5  # the longest slice, of a run that need not share its worker
LEAD = 10  # epochs by which runs that race may be apart
CATCH_UP = 5  # epochs by which one may be ahead of another on a busier worker, before that one changes places


class Part(NamedTuple):
    """A slice that is under way, of at most so many epochs and seconds, in a batch for a worker. If the run's live
    training is on another worker, that is the `origin`."""

    batch: int
    worker: str
    origin: str | None
    epochs: int
    seconds: float


@dataclass(eq=False)
class Job:
    """A run that trains or waits. `recorder` writes it into the store."""

    settings: RunSettings
    recorder: Any
    owners: set[str]
    token: str  # names its live training on a worker
    race: int = 0  # equal for runs that advance together
    arrived: int = 0
    running: bool = False  # whether it takes turns, rather than waits
    reached: int = 0  # the epoch of its live training; one that starts again walks through those that the store has
    turn: int = 0  # slices that it has had, counted from those of the others when it began to take turns
    worker: str | None = None  # where its live training is
    part: Part | None = None  # the slice that is under way
    pace: float | None = None  # seconds that an epoch took in its last slice
    stopping: bool = False  # somebody has asked for its end
    ended: bool = False  # there is nothing more to train; what it leaves is being written
    note: str = ""  # what has happened to the run on its way
    losses: int = 0  # times that a worker or the cluster was lost under it

    @property
    def epochs(self) -> int:
        """Epochs in the store so far."""
        return int(self.recorder.epochs)


@dataclass
class Queue:
    """The runs that train or wait, by identity. Not safe to share between threads without a lock."""

    live: int = LIVE
    jobs: dict[str, Job] = field(default_factory=dict)
    _arrivals: int = 0
    _batches: int = 0

    def add(self, job: Job) -> None:
        """Queue a run behind those that its owners have already."""
        self._arrivals += 1
        job.arrived = self._arrivals
        self.jobs[job.settings.run_id] = job

    def remove(self, job: Job) -> None:
        """Forget a run that has ended."""
        del self.jobs[job.settings.run_id]

    def order(self) -> list[Job]:
        """The runs in the order in which they may take turns: each owner's first, then each owner's second, …"""
        counts: Counter[str] = Counter()
        ranks = {}
        for job in sorted(self.jobs.values(), key=lambda job: job.arrived):
            ranks[job] = min(counts[owner] for owner in job.owners)
            counts.update(job.owners)
        return sorted(ranks, key=lambda job: (ranks[job], job.arrived))

    def next_batches(self, workers: Sequence[str]) -> list[list[Job]]:
        """Choose the slices that are to be sent now, each as its job's `part`; those of a batch go to one worker."""
        running = self._admit(len(workers))
        if not workers:
            return []
        for job in running:
            if job.worker not in workers:
                job.worker = None  # and its live training with it
        share = len(running) / len(workers)
        seconds = LONE_SECONDS if share <= 1 else CYCLE_SECONDS / share
        batches = []
        for depth in range(1, DEPTH + 1):
            for worker in workers:
                if len({job.part.batch for job in running if job.part and job.part.worker == worker}) < depth:
                    batches.append(self._fill_batch(running, worker, seconds))
        return [batch for batch in batches if batch]

    def _fill_batch(self, running: Sequence[Job], worker: str, seconds: float) -> list[Job]:
        """Slices for a worker: first of those that have no epoch yet, then by turn. A run that may have killed a worker
        goes alone, so that the same others are not lost with it again and again."""
        self._batches += 1
        batch: list[Job] = []
        waiting = [job for job in running if job.part is None and not (job.stopping or job.ended)]
        for job in sorted(waiting, key=lambda job: (job.reached > 0, job.turn, job.arrived)):
            epochs = self._allowance(job, running)
            if epochs < 1 or (batch and job.losses) or not self._belongs(job, running, worker):
                continue
            origin = job.worker if job.worker != worker else None
            job.part = Part(self._batches, worker, origin, epochs if job.reached else 1, seconds)
            job.worker = worker
            batch.append(job)
            if len(batch) * seconds >= BATCH_SECONDS or job.losses:
                break
        return batch

    def _admit(self, workers: int) -> list[Job]:
        """The runs that take turns now: the first in order, as many as the workers keep."""
        order = self.order()
        running = order[: self.live * workers] if workers else [job for job in order if job.running]
        start = min((job.turn for job in running if job.running), default=0)
        for job in order[len(running) :]:
            job.running = False
        for job in running:
            if not job.running:
                job.running, job.turn = True, start
        return running

    def lose_training(self, job: Job) -> None:
        """The live training is gone: the run begins again, neither before the others nor after them."""
        job.worker, job.part, job.reached = None, None, 0
        job.turn = min((other.turn for other in self.jobs.values() if other.running), default=0)

    def _allowance(self, job: Job, running: Sequence[Job]) -> int:
        """How many epochs a run may advance before it would be too far ahead in its race; all, where it is alone."""
        others = [other.reached for other in running if other.race == job.race and other is not job]
        return min([job.reached, *others]) + LEAD - job.reached if others else job.settings.max_epochs

    def _belongs(self, job: Job, running: Sequence[Job], worker: str) -> bool:
        """Whether a run's next slice is for this worker: its live training is here, or nowhere, or on one with so much
        more to do that a change pays."""
        if job.worker in (None, worker):
            return True
        there, here = (sum(other.worker == place for other in running) for place in (job.worker, worker))
        return there >= here + 2 or (there >= max(2, here) and self._is_awaited(job, running, worker))

    def _is_awaited(self, job: Job, running: Sequence[Job], worker: str) -> bool:
        """Whether runs of the same race on that worker are so far ahead that they will soon have to wait."""
        race = [other for other in running if other.race == job.race and other.worker == worker]
        return any(other.reached >= job.reached + CATCH_UP for other in race)
