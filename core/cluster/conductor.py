"""Sends slices of the queue's runs to the cluster and deals with all that happens to them, in one thread.

    event            what follows
    Answer           the progress is recorded; the run goes on, or it has finished, failed or been stopped
    WorkersChanged   runs whose training was on a worker that is gone begin again elsewhere: training is deterministic,
                     so they walk through the same epochs, and the store goes on where its history ends
    Lost             the same for all runs of a local cluster; other workers still have what they trained
    Opened           those runs are told so
    Failed           every run is let go with a sentence; it can be started again
    silence          a worker tells nothing for longer than its slices explain: the cluster is taken for lost

After each of them, runs that are to stop end, and free workers are sent the next slices. A run that was under way when
its worker or the cluster was lost may be what kills it, so it is given up after some losses.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from core.cluster.connection import Answer, Batch
from core.cluster.keeper import Cluster, Event, Failed, Lost, Opened, WorkersChanged
from core.cluster.queue import Job, Queue
from core.cluster.worker import Progress, Slice

LOSSES = 3  # times that a run is sent again after its worker or the cluster was lost under it
LOOK_SECONDS = 1.0  # between two looks at workers that tell nothing
SILENCE_SECONDS = 10.0  # that a worker may tell nothing, however short its slices are
SLOWER = 10  # times that an epoch may take what the one before took
GIVEN_UP = "Training failed: its worker died again and again; there may be too little memory for these settings."


class Conductor:  # long: every event and what follows from it stand in one place
    """The queue's runs on a cluster. `changed` guards all that is public here, and is notified when a run gets on."""

    def __init__(self, queue: Queue, scheduler: str | None, workers: int) -> None:
        self.queue = queue
        self.changed = threading.Condition()
        self.moves = 0
        self.problems: dict[str, str] = {}
        self.notices: list[str] = []
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self.cluster = Cluster(scheduler, workers, self._events.put)
        self._heard: dict[str, float] = {}  # worker -> when it last told something, on time.monotonic's clock
        self._thread: threading.Thread | None = None
        self._closing = self._was_lost = False

    def start(self) -> None:
        """Open the cluster, in the background, unless it is open."""
        with self.changed:
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
                self._thread.start()
        self.cluster.start()

    def wake(self) -> None:
        """Look at the queue at once."""
        self._events.put(None)

    def add(self, job: Job) -> None:
        """Queue a run; it is let go of when it ends, however it does."""
        self.problems.pop(job.settings.run_id, None)
        self.queue.add(job)
        self.moves += 1
        self.start()
        self.wake()

    def withdraw(self, job: Job) -> None:
        """Take back a run that was added under the lock that is still held."""
        self._let_go(job, job.recorder.close)

    def close(self) -> None:
        """End the thread and the cluster; runs that have not ended by now are let go as interrupted."""
        if self._thread is not None:
            self._closing = True
            self.wake()
            self._thread.join()
            self._thread = None
        self.cluster.close()
        for job in list(self.queue.jobs.values()):
            self._let_go(job, job.recorder.close)

    def _run(self) -> None:
        follows: dict[Any, Callable[[Any], None]] = {
            Answer: self._on_answer,
            WorkersChanged: self._on_workers_changed,
            Lost: self._on_lost,
            Opened: self._on_opened,
            Failed: self._on_failed,
        }
        while not self._closing:
            try:
                event = self._events.get(timeout=LOOK_SECONDS)
            except Empty:
                event = None
                self._suspect_silence()
            try:
                if event is not None:
                    follows[type(event)](event)
                self._end_stopped()
                self._send_slices()
            except Exception:  # a defect; what it has left under way, the watch over silence finds
                logging.getLogger(__name__).exception("The engine could not deal with %s.", type(event).__name__)

    # --- what happens -------------------------------------------------------------------------------------------------

    def _on_answer(self, answer: Answer) -> None:
        with self.changed:  # a slice that was taken for lost is no longer its job's
            told = zip(answer.ticket, answer.progress, strict=True)
            current = [(job, progress) for (job, part), progress in told if job.part is part]
        for job, progress in current:
            self._note_progress(job, progress)
        self._send_slices()  # the workers need not wait for the disk
        for job, progress in current:
            if isinstance(progress, str):
                self._let_go(job, partial(job.recorder.fail, f"Training failed: {progress.rstrip('.')}."))
            elif job.recorder.problem:
                self._let_go(job, partial(job.recorder.fail, job.recorder.problem))
            elif progress.result is not None:
                self._let_go(job, partial(job.recorder.finish, progress.result))

    def _note_progress(self, job: Job, progress: Progress | str) -> None:
        if not isinstance(progress, str):
            job.recorder.record(progress.records)
        with self.changed:
            assert job.part is not None
            self._heard[job.part.worker] = time.monotonic()
            job.part, job.turn = None, job.turn + 1
            if isinstance(progress, str):
                job.ended = True
            else:
                self.moves += job.reached == 0
                job.reached, job.pace = progress.reached, progress.seconds / max(progress.advanced, 1)
                job.ended = progress.result is not None or bool(job.recorder.problem)
            self.changed.notify_all()

    def _on_workers_changed(self, event: WorkersChanged) -> None:
        if event.refused:
            self.notices.append(f"{event.refused} It was sent away.")
        with self.changed:
            jobs = self.queue.jobs.values()
            lost = [job for job in jobs if {job.worker, job.part and job.part.origin} & event.gone]
            self._count_losses(lost)
            for job in lost:
                self.queue.lose_training(job)
                job.note = f"its worker was lost; it trains again and goes on after epoch {job.epochs}"
            self.changed.notify_all()
        for job in lost:
            if job.losses > LOSSES:
                self._let_go(job, partial(job.recorder.fail, GIVEN_UP))

    def _on_lost(self, event: Lost) -> None:
        logging.getLogger(__name__).warning("%s The engine starts again.", event.sentence)
        self._was_lost = True
        with self.changed:
            jobs = list(self.queue.jobs.values())
            self._count_losses(jobs)
            for job in jobs:
                job.part = None
                if self.cluster.scheduler is None:  # its workers are gone too
                    self.queue.lose_training(job)
        for job in jobs:
            if job.losses > LOSSES:
                self._interrupt(job, f"The engine was lost {job.losses} times during this run.")

    def _on_opened(self, event: Opened) -> None:
        if not self._was_lost:
            return
        self._was_lost, said = False, "the engine was lost and has started again"
        with self.changed:
            for job in self.queue.jobs.values():
                job.note = f"{said}; it goes on after epoch {job.epochs}" if job.epochs else said
            self.notices.append(said.capitalize() + ("; the runs go on." if self.queue.jobs else "."))
            self.changed.notify_all()

    def _count_losses(self, lost: Sequence[Job]) -> None:
        """Count a loss for the runs of the batches that were being trained: the oldest one of each worker."""
        oldest: dict[str, int] = {}
        under_way = [(job, job.part) for job in lost if job.part is not None]
        for _, part in under_way:
            oldest[part.worker] = min(part.batch, oldest.get(part.worker, part.batch))
        for job, part in under_way:
            job.losses += part.batch == oldest[part.worker]

    def _on_failed(self, event: Failed) -> None:
        for job in list(self.queue.jobs.values()):
            self._interrupt(job, event.sentence)

    def _suspect_silence(self) -> None:
        """Take the cluster for lost if a worker has told nothing for longer than its slices explain."""
        allowed: dict[str, float] = {}
        with self.changed:
            for job in self.queue.jobs.values():
                if job.part is not None:
                    first = SILENCE_SECONDS * job.settings.training_pairs / 1_000  # hundreds of times what it takes
                    seconds = SLOWER * job.pace if job.pace else first
                    allowed[job.part.worker] = max(allowed.get(job.part.worker, SILENCE_SECONDS), seconds)
        for worker, seconds in allowed.items():
            if time.monotonic() - self._heard[worker] > seconds:
                self.cluster.suspect(f"The worker at {worker} has told nothing for {seconds:.0f} seconds.")

    # --- what follows -------------------------------------------------------------------------------------------------

    def _send_slices(self) -> None:
        with self.changed:
            if self.cluster.state != "ready":
                return
            busy = {job.part.worker for job in self.queue.jobs.values() if job.part}
            for batch in self.queue.next_batches(self.cluster.ready):
                slices, origins, ticket = [], [], [(job, job.part) for job in batch]
                for job, part in ticket:
                    assert part is not None
                    what = job.token, job.settings.model_dump_json(), job.epochs, part.epochs, part.seconds
                    slices.append(Slice(*what))
                    origins.append(part.origin)
                    worker = part.worker
                if worker not in busy:
                    self._heard[worker] = time.monotonic()
                    busy.add(worker)
                self.cluster.send(Batch(ticket, worker, slices, origins, 2 * self.queue.live))

    def _end_stopped(self) -> None:
        with self.changed:
            stopped = [j for j in self.queue.jobs.values() if j.stopping and j.part is None and not j.ended]
            for job in stopped:
                job.ended = True
        for job in stopped:
            self._let_go(job, job.recorder.stop)

    def _interrupt(self, job: Job, sentence: str) -> None:
        why = f"{sentence} The run was interrupted; it can be started again."
        self._let_go(job, partial(job.recorder.interrupt, why))

    def _let_go(self, job: Job, end: Callable[[], None]) -> None:
        """Write how a run ended, and forget it."""
        end()
        with self.changed:
            self.queue.remove(job)
            self.moves += 1
            if job.recorder.problem:
                self.problems[job.settings.run_id] = job.recorder.problem
            self.changed.notify_all()
