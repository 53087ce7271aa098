"""Visitors of a server, as benchmarks/classroom.py needs them: over Streamlit's own websocket, and in Chromium."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import numpy as np
from playwright.async_api import Browser, Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from core.runs.settings import RunSettings

ROUNDS = 4  # that each visitor queues, so that training lasts as long as the soak
PATIENCE = 60  # seconds after which an answer is called missing
DONE = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}
VIEWS = ["Table", "Curves", "What each idea adds"]
QUESTIONS = ["Which pairs are hard?", "Do more parameters help?", "How long does training last?"]


class Session:
    """One visitor's websocket: sends what the browser would, and waits for the script's end."""

    def __init__(self, socket: ClientConnection, address: str, log: "Log") -> None:
        self.socket, self.address, self.log = socket, address, log
        self.pages: dict[str, str] = {}  # path -> hash
        self.page = ""
        self.query = ""
        self.widgets: dict[str, WidgetState] = {}
        self.ids: dict[str, str] = {}  # a widget's key or a button's label -> its identity
        self.fragments: dict[str, str] = {}  # a widget's key -> its fragment
        self.stream = ""  # the path of the events that the page listens to, if it shows runs
        self.answer = ""
        self.epoch = ""  # of the first row of the score board

    async def rerun(self, kind: str, fragment: str = "", press: str = "") -> None:
        """Run the page, or one fragment of it, and note how long that took under `kind`."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.query, self.page, fragment
        state.widget_states.widgets.extend(self.widgets.values())
        if press:
            state.widget_states.widgets.append(WidgetState(id=self.ids[press], trigger_value=True))
        started, self.answer = time.perf_counter(), ""
        await self.socket.send(message.SerializeToString())
        try:
            async with asyncio.timeout(PATIENCE):
                await self._read_until_done(kind)
        except TimeoutError:
            self.log.errors.append(f"{kind}: no answer within {PATIENCE} s")
        self.log.note(kind, time.perf_counter() - started)

    async def _read_until_done(self, kind: str) -> None:
        while True:
            message = ForwardMsg.FromString(await self.socket.recv())
            self.log.received += message.ByteSize()
            match message.WhichOneof("type"):
                case "new_session" if not message.metadata.run.fragment_ids:
                    self.stream = ""
                case "navigation":
                    self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
                    self.page = message.navigation.page_script_hash
                case "delta":
                    self._read_delta(kind, message)
                case "script_finished" if message.script_finished in DONE:
                    return

    def _read_delta(self, kind: str, message: ForwardMsg) -> None:
        element = message.delta.new_element
        name = element.WhichOneof("type")
        if name is None:
            return
        content = getattr(element, name)
        if name == "exception":
            self.log.errors.append(f"{kind}: {content.type} {content.message}")
        if name == "bidi_component" and content.component_name == "moves":
            self.stream = json.loads(content.json)["url"]
        elif name == "bidi_component" and "data-answers" in content.json:  # the vote
            self.answer = content.json
        elif name == "bidi_component" and content.component_name == "score_board":
            self.epoch = json.loads(content.json)["rows"][0]["epoch"]
        identity = getattr(content, "id", "")
        if identity.startswith("$$"):
            key = content.label if name == "button" else identity.split("-", 2)[2]
            self.ids[key], self.fragments[key] = identity, message.delta.fragment_id

    async def visit(self, path: str, query: str = "") -> None:
        """Go to a screen, as a click in the navigation does."""
        self.query, self.page = query, self.pages.get(path, "")
        await self.rerun(f"open {path or 'the first screen'}")

    async def choose(self, key: str, label: str) -> None:
        """Choose one of a row of buttons."""
        state = WidgetState(id=self.ids[key])
        state.string_array_value.data.append(label)
        self.widgets[key] = state
        await self.rerun(f"choose {key}")

    async def dwell(self, seconds: float, is_enough: Callable[[], bool] = lambda: False) -> None:
        """Look at the screen for a while, or until `is_enough`; a page that listens is drawn anew each time that
        something has moved."""
        until = time.perf_counter() + seconds
        moved = asyncio.Event()
        listening = asyncio.create_task(self._listen(moved))
        try:
            while not is_enough() and (left := until - time.perf_counter()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), left)
                    moved.clear()
                    await self.rerun("a page is woken", self.fragments["moves"])
        finally:
            listening.cancel()

    async def _listen(self, moved: asyncio.Event) -> None:
        """Read the page's server-sent events, each of which sets `moved`."""
        if not self.stream:
            return
        host, _, port = self.address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        with closing(writer):
            writer.write(f"GET {self.stream} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            async for line in reader:
                if line.startswith(b"data:"):
                    moved.set()

    async def draw(self, message: dict[str, Any], kind: str) -> None:
        """Send what stands on the pads: the one place that knows how the component does it."""
        self.widgets["pads"] = WidgetState(id=self.ids["pads"], json_value=json.dumps({"pads": message}))
        self.answer = ""
        await self.rerun(kind, self.fragments["pads"])


class Log:
    """What all sessions saw: seconds by kind, errors, bytes."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self.received = 0

    def note(self, kind: str, seconds: float) -> None:
        """One answer's time."""
        self.seconds.setdefault(kind, []).append(seconds)

    def all(self, *kinds: str) -> list[float]:
        """The times of these kinds, or of all."""
        return list(itertools.chain.from_iterable(self.seconds.get(kind, []) for kind in kinds or self.seconds))

    def print(self) -> None:
        """One line per kind."""
        for kind, seconds in sorted(self.seconds.items()):
            print(
                f"    {kind:24} {len(seconds):5} × p50 {quantile(seconds, 50):.2f} s, p95 {quantile(seconds, 95):.2f} s"
            )


def quantile(seconds: list[float], percent: float) -> float:
    """A percentile; not a number if nothing was measured."""
    return float(np.percentile(seconds, percent)) if seconds else float("nan")


async def open_session(address: str, log: Log, query: str = "") -> Session:
    """A new visitor: on the first screen or, if there is a query, with its runs on *Train*."""
    uri = address.replace("http", "ws") + "/_stcore/stream"
    socket = await connect(uri, subprotocols=["streamlit"], max_size=None, user_agent_header="classroom")
    session = Session(socket, address, log)
    await session.visit("")
    if query:
        await session.visit("train", query)
    return session


def choose_runs(count: int) -> list[RunSettings]:
    """The first of each session's long runs; of one architecture, so that an epoch costs the same at any time."""
    return [RunSettings(seed=5_000 + ROUNDS * index, max_epochs=500, patience=500) for index in range(count)]


def link_to(run: RunSettings) -> str:
    """The query that chooses a visitor's runs on the screen Train."""
    return f"model={run.model}&seed={run.seed}&max_epochs={run.max_epochs}&patience={run.patience}&rounds={ROUNDS}"


async def watch(address: str, log: Log, run: RunSettings, until: float) -> None:
    """Stay on the screen Train, with one's own runs."""
    session = await open_session(address, log, link_to(run))
    await session.dwell(until - time.perf_counter())
    await session.socket.close()


async def walk(address: str, log: Log, seed: int, until: float) -> None:
    """Go from screen to screen, some seconds each, and choose something there."""
    chance = random.Random(seed)
    session = await open_session(address, log)
    while time.perf_counter() < until:
        path = chance.choice(["train", "compare", "findings", "leaderboard"])
        await session.visit(path)
        await session.dwell(chance.uniform(2, 5))
        if path == "compare":
            await session.choose("view", chance.choice(VIEWS))
        elif path == "findings":
            await session.choose("finding", chance.choice(QUESTIONS))
        await session.dwell(chance.uniform(1, 4))
    await session.socket.close()


async def draw(address: str, log: Log, seed: int, until: float) -> None:
    """Draw one pair of digits after another: some five messages a second while the pen is down, then one more."""
    chance = random.Random(seed)
    session = await open_session(address, log)
    await session.visit("draw")
    for sequence in itertools.count(1, 5):
        if time.perf_counter() > until:
            break
        strokes = [[chance.uniform(40, 240) for _ in range(40)] for _ in range(2)]
        for step in range(5):
            pads = [[{"width": 18, "points": points[: 8 * (step + 1)]}] for points in strokes]
            message = {"sequence": sequence + step, "revision": 0, "pads": pads, "truths": [None, None]}
            await session.draw({**message, "pen_down": step < 4}, "verdict" if step == 4 else "stroke")
            if "data-answers" not in session.answer:
                log.errors.append("a drawing without a verdict")
            await asyncio.sleep(0.16)
        await asyncio.sleep(chance.uniform(0.5, 2))
    await session.socket.close()


async def enter(browser: Browser, address: str, log: Log, run: RunSettings | None) -> Page:
    """A new browser's first screen, with one's run on it or as it is."""
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    started = time.perf_counter()
    await page.goto(f"{address}/train?{link_to(run)}" if run else address)
    await page.locator("h1").wait_for()
    log.note("Chromium: first screen", time.perf_counter() - started)
    return page


async def browse(page: Page, log: Log, walks: bool, until: float) -> None:
    """In Chromium: watch a run, or walk; the time from a click to the complete screen is noted."""
    for name in itertools.cycle(("Compare", "Findings", "Leaderboard", "Train")):
        await page.wait_for_timeout(3_000)
        if time.perf_counter() > until:
            return
        if walks:
            before = await page.locator("h1").inner_text()
            started = time.perf_counter()
            await page.get_by_role("link", name=name).first.click()  # that of the navigation
            await page.wait_for_function(
                "before => document.querySelector('h1') && document.querySelector('h1').innerText !== before"
                " && !document.querySelector('[data-stale=true]')",
                arg=before,
            )
            log.note("Chromium: a click", time.perf_counter() - started)
        wrong = page.locator("[data-testid=stException], [role=dialog]")
        log.errors += [f"Chromium: {text}" for text in await wrong.all_inner_texts()]
