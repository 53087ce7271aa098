"""The cluster that trains, for the threads that ask for it: opened in the background, and opened again when it is lost.

All waiting for it happens in one thread of its own; the state and the workers are what was last known.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, NamedTuple

from core.cluster.connection import Answer, Batch, Connection, EngineError, KnownWorker

RETRY_SECONDS = 10  # from a start that failed to the next one, unless somebody asks for it earlier
TRIES = 3  # of a local cluster's start in a row: one that is killed while it starts is lost, and has not failed

State = Literal["not started", "starting", "ready", "lost"]


class Opened(NamedTuple):
    """The cluster is open; slices can be sent to its workers as they get ready."""


class Failed(NamedTuple):
    """The cluster could not be opened; that is tried again later."""

    sentence: str


class Lost(NamedTuple):
    """The cluster that was open is gone, and with it whatever was sent there; it is opened again at once."""

    sentence: str


class WorkersChanged(NamedTuple):
    """Workers have come or got ready, are `gone` with whatever was sent to them, or one was `refused`: a sentence."""

    gone: frozenset[str]
    refused: str


Event = Opened | Failed | Lost | WorkersChanged | Answer


class Cluster:
    """Keeps a connection open from `start` to `close`; `tell` is called with each event, in the cluster's thread.

    `scheduler` is the address of a running scheduler; without one, a local cluster of `count` single-threaded workers
    is started, which ends with this process.
    """

    def __init__(self, scheduler: str | None, count: int, tell: Callable[[Event], None]) -> None:
        self.scheduler, self.count, self.tell = scheduler, count, tell
        self.state: State = "not started"
        self.sentence = ""  # why it is lost
        self.connection: Connection | None = None
        self.workers: dict[str, KnownWorker] = {}  # those of the connection, by address; replaced at each change
        self.refusals: list[str] = []  # sentences about workers that were sent away since the cluster was opened
        self._failures = 0  # of starts in a row
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the cluster in the background, if it is not open; a start that failed is tried again at once."""
        with self._changed:
            if self._thread is None:
                self.state = "starting"
                self._loop = asyncio.new_event_loop()
                self._asked, self._closing = asyncio.Event(), asyncio.Event()
                self._keeper = self._loop.create_task(self._keep())
                self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
                self._thread.start()
            elif self.state == "lost":
                self.state = "starting"
                self._loop.call_soon_threadsafe(self._asked.set)

    def wait(self) -> None:
        """Wait until the cluster is open and all workers that it has by then are ready.

        Raises EngineError if it cannot be opened, or if it has workers and none of them can be used.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.state == "lost" or (self.state == "ready" and not self.warming))
            if self.state == "lost":
                raise EngineError(self.sentence)
            if self.refusals and not self.ready:
                raise EngineError(" ".join(self.refusals))

    @property
    def warming(self) -> bool:
        """Whether some workers are not ready yet."""
        return not all(known.ready or known.refused for known in self.workers.values())

    @property
    def ready(self) -> list[str]:
        """The addresses of the workers that can be sent slices."""
        return [address for address, known in self.workers.items() if known.ready]

    def send(self, batch: Batch) -> None:
        """Have a worker train slices; an Answer tells the outcome, unless the worker or the cluster is lost."""
        self._call(lambda connection: connection.send(batch))

    def suspect(self, sentence: str) -> None:
        """Take the cluster for lost: it does not do what it should."""
        self._call(lambda connection: connection.lose(sentence))

    def close(self) -> None:
        """End the connection, and a local cluster with all its processes."""
        if self._thread is not None:
            with suppress(RuntimeError):  # its loop has just been closed
                self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()
            self._thread = None
        self._become("not started")

    def _call(self, function: Callable[[Connection], None]) -> None:
        """Have the cluster's thread do something with the connection, if there still is one by then."""

        def call() -> None:
            if self.connection is not None:
                function(self.connection)

        with suppress(RuntimeError):  # the loop has just been closed
            self._loop.call_soon_threadsafe(call)

    # --- in the thread of the cluster ---------------------------------------------------------------------------------

    def _run(self) -> None:
        self._loop.run_until_complete(self._keeper)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _keep(self) -> None:
        # Dask may swallow a cancellation, so nothing here depends on one: what does not end in time is left behind.
        closing = asyncio.create_task(self._closing.wait())
        while not closing.done():
            connection = Connection(self.scheduler, self.count, self._note_workers, self.tell)
            self.connection = connection
            holding = asyncio.create_task(self._hold(connection))
            await asyncio.wait({holding, closing}, return_when=asyncio.FIRST_COMPLETED)
            holding.cancel()
            await connection.shut()
            self.connection = None
            pause = holding.result() if holding.done() and not holding.cancelled() else 0.0
            asked = asyncio.create_task(self._asked.wait())
            await asyncio.wait({asked, closing}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            self._asked.clear()

    async def _hold(self, connection: Connection) -> float:
        """Open a connection and watch it until it is lost; the seconds until it should be opened again."""
        opened = False
        try:
            await connection.open()
            self._failures, opened = 0, True
            self._become("ready")
            self.tell(Opened())
            sentence = await connection.watch()
        except Exception as error:  # an EngineError says what is wrong; anything else is a defect, and no end either
            if not isinstance(error, EngineError):
                logging.getLogger(__name__).exception("The cluster could not be opened or watched.")
            self._failures += 1
            sentence = str(error)
            if opened or self.scheduler is not None or self._failures >= TRIES:
                self._become("lost", sentence)
                self.tell(Failed(sentence))
                return RETRY_SECONDS
        self._become("lost", sentence)
        self.tell(Lost(sentence))
        return 0.0

    def _become(self, state: State, sentence: str = "") -> None:
        with self._changed:
            self.state, self.sentence = state, sentence
            if state != "ready":
                self.workers, self.refusals = {}, []
            self._changed.notify_all()

    def _note_workers(self, gone: frozenset[str], refused: str) -> None:
        assert self.connection is not None
        with self._changed:
            self.workers = dict(self.connection.workers)
            self.refusals += [refused] if refused else []
            self._changed.notify_all()
        self.tell(WorkersChanged(gone, refused))
