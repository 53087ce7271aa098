"""One connection to a Dask scheduler, from its opening to its loss, in an event loop. Knows Dask, knows no store.

The scheduler is one by its address, or that of a local cluster, a child process that this module starts and ends.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from subprocess import PIPE
from typing import Any, NamedTuple, TypeVar

from core.cluster import worker
from core.cluster.versions import describe_versions, name_differences
from core.processes import end_child, start_child

CONNECT_SECONDS = 20  # that a scheduler may take to answer the first time
ANSWER_SECONDS = 10  # the same later on; a scheduler that takes longer counts as lost
LOOK_SECONDS = 0.5  # between two looks at the scheduler
WARM_SECONDS = 180  # that a local cluster may take until its first worker is ready
FIRST = 1_000  # priority of what must not wait behind slices


T = TypeVar("T")


class EngineError(RuntimeError):
    """The engine cannot work; the message is one sentence."""


class Batch(NamedTuple):
    """Slices for a worker, which it trains one after the other; and for each the worker that has to hand the live
    training over first, or None. The `ticket` is the sender's own, who gets it back with the answer."""

    ticket: Any
    address: str
    slices: list[worker.Slice]
    origins: list[str | None]
    most: int  # live trainings that the worker may keep


class Answer(NamedTuple):
    """What became of a batch: the progress of each slice, or why there is none, in words."""

    ticket: Any
    progress: list[worker.Progress | str]


@dataclass
class KnownWorker:
    """A worker that the scheduler has named."""

    ready: bool = False
    refused: str = ""  # why it is not used, in a sentence


class Connection:  # long: what opens, watches and shuts shares one client of Dask and its state
    """Opens, watches the scheduler and its workers until something is lost, and shuts.

    `changed` is called when workers have come or got ready, with the addresses of those that are gone, and with a
    sentence about one that was refused; `answered` with the outcome of each batch, unless its worker or the
    connection is lost.
    """

    def __init__(
        self, scheduler: str | None, count: int, changed: Callable[[frozenset[str], str], None],
        answered: Callable[[Answer], None],
    ) -> None:  # fmt: skip
        self.scheduler, self.count, self.changed, self.answered = scheduler, count, changed, answered
        self.workers: dict[str, KnownWorker] = {}
        self.heard = time.monotonic()  # when the scheduler last answered
        self.host: Any = None  # the process of a local cluster
        self._client: Any = None
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Connect to the scheduler and get its workers ready, in the background. Raises EngineError."""
        from distributed import Client

        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what it would say is said in sentences here
        address = self.scheduler or await self._start_host()
        try:
            check_address(address)
            async with asyncio.timeout(CONNECT_SECONDS + ANSWER_SECONDS):
                options = {"timeout": CONNECT_SECONDS, "set_as_default": False, "name": "pair-comparison"}
                self._client = Client(address, asynchronous=True, **options)
                await self._client
                await self._check_scheduler()
                await self._look()
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise EngineError(f"No Dask scheduler answers at {address} ({str(error) or 'no answer'}).") from None

    async def _start_host(self) -> str:
        # A process of its own: started from a Streamlit script, Dask's spawned children would execute that script.
        # Dask's own log would say again, with a traceback, what the store says in a sentence.
        quiet = {"DASK_LOGGING__DISTRIBUTED": "critical"}
        self.host = start_child("core.cluster.host", str(self.count), env=quiet, stdin=PIPE, stdout=PIPE)
        self._begin(self._wait_for_host())
        address: bytes = await in_daemon(self.host.stdout.readline)
        if not address:
            raise EngineError("The local Dask cluster did not start; its messages are above.")
        return address.decode().strip()

    async def _wait_for_host(self) -> None:
        await in_daemon(self.host.wait)
        self.lose("The process of the local cluster has ended.")

    async def _check_scheduler(self) -> None:
        if self.scheduler is None:
            return
        wrong = await find_wrong(self._client.run_on_scheduler(describe_versions))
        if wrong:
            raise EngineError(f"The scheduler at {self.scheduler} has {wrong}.")

    # --- what is lost -------------------------------------------------------------------------------------------------

    async def watch(self) -> str:
        """Return when the connection is lost, with the reason. Raises EngineError if a local cluster cannot train."""
        began = time.monotonic()
        while True:
            done, _ = await asyncio.wait([self._lost], timeout=LOOK_SECONDS)
            if done:
                return self._lost.result()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._look()
            except OSError as error:
                return f"The scheduler does not answer ({str(error) or 'no answer'})."
            if self._client.status != "running":
                return "The connection to the scheduler is broken."
            if self.scheduler is None and not self.ready:
                refused = [known.refused for known in self.workers.values()]
                if refused and all(refused):
                    raise EngineError(refused[0])
                if time.monotonic() - began > WARM_SECONDS:
                    return f"No worker of the local cluster got ready within {WARM_SECONDS} seconds."

    def lose(self, sentence: str) -> None:
        """Take the connection for lost: it does not do what it should."""
        if not self._lost.done():
            self._lost.set_result(sentence)

    async def shut(self) -> None:
        """Let go of the scheduler; end a local cluster with all its processes."""
        for task in self._tasks:
            task.cancel()
        if self._client is not None:  # its public close first waits for a scheduler that is gone
            closing = asyncio.create_task(self._client._close(fast=True))
            await asyncio.wait({closing}, timeout=1)
        if self.host is not None:
            await in_daemon(partial(end_child, self.host))

    # --- the workers --------------------------------------------------------------------------------------------------

    @property
    def ready(self) -> tuple[str, ...]:
        """The addresses of the workers that can be sent slices."""
        return tuple(address for address, known in self.workers.items() if known.ready)

    async def _look(self) -> None:
        """Ask the scheduler for its workers: get new ones ready, forget those that are gone."""
        identity = await self._client.scheduler.identity(n_workers=-1)
        self.heard = time.monotonic()
        present = identity["workers"].keys()
        gone, new = frozenset(self.workers.keys() - present), present - self.workers.keys()
        for address in gone:
            del self.workers[address]
        for address in new:
            self.workers[address] = KnownWorker()
            self._begin(self._warm(address))
        if gone or new:
            self.changed(gone, "")
        refused = [address for address, known in self.workers.items() if known.refused]
        if refused and self.scheduler is not None:  # again, until it is gone: one that still holds an answer stays
            await self._client.retire_workers(refused)

    async def _warm(self, address: str) -> None:
        known = self.workers[address]
        try:  # asked out of turn: a slice that it cannot import would end it without a word
            wrong = await find_wrong(self._ask_versions(address))
            if not wrong:
                await self._run_on(address, worker.warm_up, priority=FIRST)
        except (CancelledError, OSError):  # the worker or the connection is lost
            return
        except Exception as error:  # whatever keeps it from training
            wrong = f"an error: {str(error).rstrip('.')}"
        known.ready = not wrong
        if wrong:
            known.refused = f"The worker at {address} has {wrong}."
        self.changed(frozenset(), known.refused)

    async def _ask_versions(self, address: str) -> dict[str, str]:
        answers: dict[str, dict[str, str]] = await self._client.run(describe_versions, workers=[address])
        return answers[address]

    def _run_on(self, address: str, function: Callable[..., Any], *arguments: Any, priority: int) -> Any:
        """A future of Dask; only this worker runs the function, so its loss is ours to mend."""
        return self._client.submit(
            function, *arguments, workers=[address], allow_other_workers=False, pure=False, priority=priority
        )

    # --- slices -------------------------------------------------------------------------------------------------------

    def send(self, batch: Batch) -> None:
        """Have a worker train slices; `answered` tells the outcome."""
        self._begin(self._follow(batch))

    async def _follow(self, batch: Batch) -> None:
        states = [
            origin and self._run_on(origin, worker.hand_over, part.token, priority=FIRST)
            for part, origin in zip(batch.slices, batch.origins, strict=True)
        ]
        try:
            progress = await self._run_on(
                batch.address, worker.train_slices, batch.slices, states, batch.most, priority=0
            )
        except (CancelledError, OSError):  # the worker or the connection is lost, or the answer on its way here
            return
        except Exception as error:  # the worker cannot even begin
            progress = [str(error) or type(error).__name__] * len(batch.slices)
        self.answered(Answer(batch.ticket, progress))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:  # a defect, or a line that broke in this moment
            self.lose(f"The connection to the cluster is broken ({task.exception()}).")


async def find_wrong(asked: Awaitable[dict[str, str]]) -> str:
    """What is wrong with a scheduler's or a worker's copy of this program, which is asked for its versions."""
    try:
        return name_differences(await asked)
    except OSError:
        raise
    except Exception:  # whatever it raises where it cannot import this program, or one that is like it
        return "no copy of this program that it can import"


async def in_daemon(function: Callable[[], T]) -> T:
    """What a function gives that blocks; unlike asyncio's own threads, this one lets the program end meanwhile."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()

    def tell(value: T) -> None:
        if not ended.cancelled():
            ended.set_result(value)

    def run() -> None:
        value = function()
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(tell, value)

    threading.Thread(target=run, daemon=True).start()
    return await ended


def check_address(address: str) -> None:
    """Raises ValueError or OSError for an address that a client would take long to give up, or never could reach."""
    import dask
    from distributed import Security
    from distributed.comm import resolve_address

    resolve_address(address)
    if address.startswith("tls://"):
        if Security().get_connection_args("client")["ssl_context"] is None:
            raise ValueError("TLS needs certificates: name their files in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …")
    elif dask.config.get("distributed.comm.require-encryption"):
        raise ValueError("encryption is required, but this address is without TLS")
