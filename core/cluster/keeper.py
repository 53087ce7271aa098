"""The cluster that trains, for the threads that ask for it: opened in the background, and opened again when it is lost.

All waiting for it happens in one thread of its own; the state and the workers are what was last known.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, NamedTuple

from core.cluster.connection import Answer, Batch, Connection, EngineError, KnownWorker

RETRY_SECONDS = 10  # from a start that failed to the next one, unless somebody asks for it earlier

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
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the cluster in the background, if it is not open; a start that failed is tried again at once."""
        with self._changed:
            if self._thread is None:
                self.state = "starting"
                self._loop = asyncio.new_event_loop()
                self._asked = asyncio.Event()
                self._keeper = self._loop.create_task(self._keep())
                self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
                self._thread.start()
            elif self.connection is None and self.state == "lost":
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
            refused = [known.refused for known in self.workers.values()]
            if refused and all(refused):
                raise EngineError(" ".join(refused))

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
                self._loop.call_soon_threadsafe(self._keeper.cancel)
            self._thread.join()
            self._thread = None
        self.state = "not started"

    def _call(self, function: Callable[[Connection], None]) -> None:
        """Have the cluster's thread do something with the connection, if there still is one by then."""

        def call() -> None:
            if self.connection is not None:
                function(self.connection)

        with suppress(RuntimeError):  # the loop has just been closed
            self._loop.call_soon_threadsafe(call)

    # --- in the thread of the cluster ---------------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._keeper)
        self._loop.close()

    async def _keep(self) -> None:
        while True:
            connection = Connection(self.scheduler, self.count, self._note_workers, self.tell)
            try:
                self.connection = connection
                await connection.open()
                self._become("ready")
                self.tell(Opened())
                sentence = await connection.watch()
                self._become("lost", sentence)
                self.tell(Lost(sentence))
                wait = 0.0
            except EngineError as error:
                self._become("lost", str(error))
                self.tell(Failed(str(error)))
                wait = RETRY_SECONDS
            finally:
                await connection.shut()
                self.connection = None
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), wait)
            self._asked.clear()

    def _become(self, state: State, sentence: str = "") -> None:
        with self._changed:
            self.state, self.sentence = state, sentence
            if state != "ready":
                self.workers = {}
            self._changed.notify_all()

    def _note_workers(self, gone: frozenset[str], refused: str) -> None:
        assert self.connection is not None
        with self._changed:
            self.workers = dict(self.connection.workers)
            self._changed.notify_all()
        self.tell(WorkersChanged(gone, refused))
