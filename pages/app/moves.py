"""Who listens to which runs, and what has moved: server-sent events from one thread that watches engine and store.

An event says that something has moved, never what: the page reads the store, which is the truth. What moves while a
listener pauses is told together afterwards. What is no run, such as a room, is announced by whoever changes it.
"""

import asyncio
import hashlib
import os
import secrets
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

ROUTE = "/moves"
HEARTBEAT = 15.0  # seconds between two signs of life, by which a listener that is gone is noticed
GATHER = 0.1  # seconds; all that moves within them is looked at together
LOOK = 0.5  # seconds between two looks at runs that another program may train
QUEUE_PAUSE = 5.0  # seconds between two events for a page of which only the queue has moved
PAUSE = 0.4  # seconds between two events for a page
SUBJECT_PAUSE = 0.2  # seconds between two for a page that shows no run: few pages, and people wait
EVENTS_A_SECOND = 15  # for all pages together: a rerun takes some 17 ms of the processor
BUSY = 2.0  # seconds after an event in which its page counts among those that share these
MOST_TOPICS = 2_000  # remembered; a page without a rerun while so many others register falls back to a slow tick
MOST_LISTENERS = 500  # at once; further ones are refused, and their pages fall back to a slow tick
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}  # the second tells a proxy not to collect events before it passes them on

SERVER = secrets.token_hex(4)  # a page of another server, which this one has replaced, has to be loaded again
RESTARTED = "event: restarted\ndata: restarted\n\n"

State = tuple[Any, ...]


def is_subject(name: str) -> bool:
    """Whether what is listened to is no run but something that is announced: it has a space, which no run has."""
    return " " in name


class Listener:
    """One browser's tab. `moved` is set from the hub's thread, through the loop that the tab's stream runs in."""

    def __init__(self, names: tuple[str, ...], state: State, moves: int) -> None:
        self.names, self.state, self.moves = names, state, moves
        self.follows_queue = not all(map(is_subject, names))
        self.moved = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.told = time.monotonic()

    def look(self, state: State, moves: int) -> None:
        """Wake the tab if its runs have changed, or, less often, if only the queue has."""
        now = time.monotonic()
        queue_moved = self.follows_queue and moves != self.moves and now - self.told >= QUEUE_PAUSE
        if state == self.state and not queue_moved:
            return
        self.state, self.moves, self.told = state, moves, now
        self.wake()

    def wake(self) -> None:
        """Tell the stream that something has moved."""
        with suppress(RuntimeError):  # the loop has ended with the server
            self.loop.call_soon_threadsafe(self.moved.set)


class Hub:
    """The topics, each a set of runs, and who listens to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._topics: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._listeners: set[Listener] = set()
        self._stamps: dict[str, State] = {}
        self._counts: OrderedDict[str, int] = OrderedDict()  # a subject -> how often it was announced
        self._thread: threading.Thread | None = None
        self._closing = False

    def register(self, subjects: Collection[str]) -> tuple[str, str]:
        """The topic of these runs or other subjects, and a short text that changes when they do."""
        names = tuple(sorted(subjects))
        topic = hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]
        with self._lock:
            self._topics[topic] = names
            self._topics.move_to_end(topic)
            while len(self._topics) > MOST_TOPICS:
                self._topics.popitem(last=False)
        return topic, _sign(self._state(names, fresh=True))

    def announce(self, subject: str) -> None:
        """Wake, at once, whoever listens to a subject that is no run, such as a room; from any thread."""
        with self._lock:
            self._counts[subject] = self._counts.get(subject, 0) + 1
            self._counts.move_to_end(subject)
            while len(self._counts) > MOST_TOPICS:
                self._counts.popitem(last=False)
            concerned = [listener for listener in self._listeners if subject in listener.names]
        for listener in concerned:
            listener.look(self._state(listener.names, fresh=False), listener.moves)

    def end_with(self, signals: Iterable[int]) -> None:
        """End all streams at the first of these signals, before whoever deals with it now: a server that is to end
        waits until its answers are complete, which a stream would never be."""

        def end(number: int, frame: Any, former: Any) -> None:
            self._closing = True
            for listener in list(self._listeners):  # without the lock, which the interrupted thread may hold
                listener.wake()
            if callable(former):
                former(number, frame)

        if threading.current_thread() is threading.main_thread():  # no other may set what deals with a signal
            for number in signals:
                signal.signal(number, partial(end, former=signal.getsignal(number)))

    def know(self, topic: str) -> bool:
        """Whether a page has registered this topic."""
        return topic in self._topics

    async def stream(self, topic: str, seen: str) -> AsyncIterator[str]:
        """The events for one tab; `seen` is the text that `register` gave when the tab's page was drawn."""
        names = self._topics.get(topic, ())
        state = self._state(names, fresh=True)
        listener = Listener(names, state, _engine().moves)
        if _sign(state) != seen:
            listener.moved.set()
        with self._lock:
            self._listeners.add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="moves", daemon=True)
                self._thread.start()
        try:
            yield ": hello\n\n"
            while not self._closing:
                try:
                    await asyncio.wait_for(listener.moved.wait(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                listener.moved.clear()
                yield "data: moved\n\n"
                await asyncio.sleep(self._pause() if listener.follows_queue else SUBJECT_PAUSE)
        finally:
            with self._lock:
                self._listeners.discard(listener)

    @property
    def is_full(self) -> bool:
        """Whether no further page can listen."""
        return len(self._listeners) >= MOST_LISTENERS

    def _pause(self) -> float:
        """Seconds until the next event for a page, so that those that move share what the processor can draw anew."""
        since = time.monotonic() - BUSY
        with self._lock:
            busy = sum(listener.told > since for listener in self._listeners)
        return max(PAUSE, busy / EVENTS_A_SECOND)

    def _watch(self) -> None:
        """Wake the tabs whose runs have changed, until nobody listens any more."""
        engine, looked = _engine(), time.monotonic()
        while True:
            with engine.changed:
                engine.changed.wait(LOOK)
            with self._lock:
                listeners = list(self._listeners)
                if not listeners:
                    self._thread = None
                    self._stamps.clear()
                    return
            fresh = time.monotonic() - looked >= LOOK
            looked = time.monotonic() if fresh else looked
            shown = {listener.names for listener in listeners}
            if fresh:  # each run once, however many pages show it
                self._stamps.clear()
            states = {names: self._state(names, fresh=False) for names in shown}
            for listener in listeners:
                listener.look(states[listener.names], engine.moves)
            time.sleep(GATHER)

    def _state(self, names: tuple[str, ...], fresh: bool) -> State:
        """How far the runs have come. The engine says so of those that it trains; of others, their files do, which are
        looked at anew if `fresh`."""
        engine = _engine()
        return tuple(self._stand(engine.jobs.get(name), name, fresh) for name in names)

    def _stand(self, job: Any, name: str, fresh: bool) -> State:
        if is_subject(name):
            return (self._counts.get(name, 0),)
        if job is not None:
            return job.epochs, job.running, job.stopping, job.note
        stamp = None if fresh else self._stamps.get(name)
        if stamp is None:
            stamp = self._stamps[name] = _stamp(name)
        return stamp


def _engine() -> Any:
    from pages.app.shared import get_engine  # not at the top: its caches need a running server

    return get_engine()


def _stamp(name: str) -> State:
    """Time and size of a run's files, and whether somebody writes them."""
    from pages.app.shared import STORE

    found = []
    for file in ("history.jsonl", "result.json"):
        with suppress(OSError):
            status = os.stat(STORE.path(name) / file)
            found.append((file, status.st_mtime_ns, status.st_size))
    return *found, STORE.is_locked(name)  # whoever dies lets go of the lock, and leaves the files as they are


def _sign(state: State) -> str:
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


HUB = Hub()


async def answer_moves(request: Request) -> Response:
    """The stream of a topic; 404 for one that no page has registered.

    Streamlit would leave a page as it is whose server was started again: its fragments are unknown to the new one.
    """
    if request.query_params.get("server", SERVER) != SERVER:
        return Response(RESTARTED, media_type="text/event-stream", headers=HEADERS)
    topic = request.query_params.get("topic", "")
    if not HUB.know(topic):
        return PlainTextResponse("No page shows this.", 404, HEADERS)
    if HUB.is_full:
        return PlainTextResponse("Too many pages listen.", 503, HEADERS)
    stream = HUB.stream(topic, request.query_params.get("seen", ""))
    return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)
