"""Asks the process in which the trained networks answer; `core.inference.service` says what it does.

A server holds some pipes to it, with a thread at the other end of each. A request that finds all of them busy waits for
one. When the server ends, however it does, the pipes close, and the process ends with it.
"""

import subprocess
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import LifoQueue
from typing import Concatenate, ParamSpec, TypeVar

from core.inference.service import InferenceService
from core.processes import end_child, start_child

CONNECTIONS = 4  # requests under way at once
PATIENCE = 120  # seconds after which a process that does not answer counts as lost
P = ParamSpec("P")
T = TypeVar("T")


class InferenceError(RuntimeError):
    """The networks cannot answer; the message is one sentence."""


class Networks:
    """Asks the process, which starts with the first request, and again if it was lost. Threads may share this."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._connections: LifoQueue[Connection] = LifoQueue()
        self._starting = threading.Lock()

    def ask(self, what: Callable[Concatenate[InferenceService, P], T], *arguments: P.args, **named: P.kwargs) -> T:
        """What this method of InferenceService gives there; raises what it raises, or InferenceError."""
        for _ in range(2):
            connections = self._find_connections()
            connection = connections.get()
            try:
                connection.send((what.__name__, arguments, named))
                if not connection.poll(PATIENCE):
                    raise TimeoutError("It does not answer.")
                answered, value = connection.recv()
            except (EOFError, OSError):  # the process was lost, or hangs
                self._end(connections)
            else:
                if answered:
                    return value  # type: ignore[no-any-return]
                raise value
            finally:
                connections.put(connection)  # also a broken one: somebody may wait for it, and is to find that out
        raise InferenceError("The process of the networks was lost twice; the server's log says why.")

    @property
    def pid(self) -> int | None:
        """The process's number, if there is one."""
        return None if self._process is None else self._process.pid

    def _find_connections(self) -> "LifoQueue[Connection]":
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self._process, self._connections = _start()
            return self._connections

    def _end(self, connections: "LifoQueue[Connection]") -> None:
        """End the process of these connections, unless another one has taken its place."""
        with self._starting:
            if self._process is not None and connections is self._connections:
                end_child(self._process)


def _start() -> "tuple[subprocess.Popen[bytes], LifoQueue[Connection]]":
    connections: LifoQueue[Connection] = LifoQueue()
    ends = []
    for _ in range(CONNECTIONS):
        ours, its = Pipe()
        connections.put(ours)
        ends.append(its)
    numbers = [end.fileno() for end in ends]
    process = start_child("core.inference.service", *map(str, numbers), pass_fds=numbers)
    for end in ends:
        end.close()
    return process, connections
