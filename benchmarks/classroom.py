"""A class at once: thirty sessions on one server while its two workers train.

    python -m benchmarks.classroom [--seconds 60] [--minutes 0] [--browsers 10]

Starts the dashboard on a copy of the shipped runs. Thirty sessions over Streamlit's own websocket each queue four long
runs; then all come back: ten watch their run, five draw, fifteen walk the screens; before and after, nobody is there.
Then ten of them are Chromium (CHROMIUM names another than the one on the path). With --minutes, the thirty stay for
that long, and the slope of the server's memory over the last two thirds is taken. Sessions, browsers, server and
workers share a machine.

Prints each figure with its bound; exit status 1 if one is missed.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import streamlit
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.screens import start_server
from core.runs.settings import RunSettings
from core.runs.store import STORE, read_history

WATCHERS, DRAWERS, WALKERS = 10, 5, 15
ROUNDS = 4  # that each visitor queues, so that training lasts as long as the soak
PATIENCE = 60  # seconds after which an answer is called missing
DONE = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}
VIEWS = ["Table", "Curves", "Does it matter?"]
QUESTIONS = ["Which pairs are hard?", "Do more parameters help?", "How long does training last?"]


class Session:
    """One visitor's websocket: sends what the browser would, and waits for the script's end."""

    def __init__(self, socket: ClientConnection, log: "Log") -> None:
        self.socket, self.log = socket, log
        self.pages: dict[str, str] = {}  # path -> hash
        self.page = ""
        self.query = ""
        self.widgets: dict[str, WidgetState] = {}
        self.ids: dict[str, str] = {}  # a widget's key or a button's label -> its identity
        self.fragments: dict[str, str] = {}  # a widget's key -> its fragment
        self.ticks: dict[str, float] = {}  # fragment -> seconds
        self.answer = ""

    async def rerun(self, kind: str, fragment: str = "", tick: bool = False, press: str = "") -> None:
        """Run the page, or one fragment of it, and note how long that took under `kind`."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.query, self.page, fragment
        state.is_auto_rerun = tick
        state.widget_states.widgets.extend(self.widgets.values())
        if press:
            state.widget_states.widgets.append(WidgetState(id=self.ids[press], trigger_value=True))
        started = time.perf_counter()
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
                    self.ticks.clear()
                case "navigation":
                    self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
                    self.page = message.navigation.page_script_hash
                case "auto_rerun":
                    self.ticks[message.auto_rerun.fragment_id] = message.auto_rerun.interval
                case "stop_auto_rerun":
                    for fragment in message.stop_auto_rerun.fragment_ids:
                        self.ticks.pop(fragment, None)
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
        if name == "bidi_component":  # the pads, or the verdicts
            self.answer = content.json
        identity = getattr(content, "id", "")
        if identity.startswith("$$"):
            key = content.label if name == "button" else identity.split("-", 2)[2]
            self.ids[key], self.fragments[key] = identity, message.delta.fragment_id

    async def visit(self, path: str, query: str = "") -> None:
        """Go to a screen, as a click in the navigation does."""
        self.query, self.page = query, self.pages.get(path, "")
        await self.rerun(f"open {path or 'train'}")

    async def choose(self, key: str, label: str) -> None:
        """Choose one of a row of buttons."""
        state = WidgetState(id=self.ids[key])
        state.string_array_value.data.append(label)
        self.widgets[key] = state
        await self.rerun(f"choose {key}")

    async def dwell(self, seconds: float) -> None:
        """Look at the screen for a while; if its page asks for a timer, the timer ticks."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            fragment, interval = next(iter(self.ticks.items()), ("", left))
            await asyncio.sleep(min(interval, left))
            if fragment and fragment in self.ticks:
                await self.rerun("tick", fragment, tick=True)

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


class Training:
    """Follows the store: how many epochs came in, and whether one came late or not at all."""

    def __init__(self, store: Path, settings: list[RunSettings]) -> None:
        self.files = {run.run_id: store / run.run_id / "history.jsonl" for run in settings}
        self.counts = dict.fromkeys(self.files, 0)
        self.ended: set[str] = set()
        self.lost = 0

    def look(self) -> int:
        """All epochs so far; counts those that a run's end brought and no event had: more than half a second's."""
        for run_id in self.files.keys() - self.ended:
            with suppress(FileNotFoundError):
                ended = (self.files[run_id].parent / "result.json").is_file()
                count = len(read_history(self.files[run_id])[0])
                if ended:
                    self.ended.add(run_id)
                    self.lost += max(count - self.counts[run_id] - 20, 0)
                self.counts[run_id] = count
        return sum(self.counts.values())

    async def follow(self) -> None:
        """Look twice a second."""
        while True:
            self.look()
            await asyncio.sleep(0.5)

    async def rate(self, seconds: float) -> float:
        """Epochs a second over the next `seconds`."""
        before, started = self.look(), time.perf_counter()
        await asyncio.sleep(seconds)
        return (self.look() - before) / (time.perf_counter() - started)


async def open_session(address: str, log: Log, query: str = "") -> Session:
    """A new visitor on the first screen."""
    uri = address.replace("http", "ws") + "/_stcore/stream"
    socket = await connect(uri, subprotocols=["streamlit"], max_size=None, user_agent_header="classroom")
    session = Session(socket, log)
    await session.visit("", query)
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
        path = chance.choice(["", "compare", "findings", "leaderboard"])
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


async def fill_queue(address: str, runs: list[RunSettings]) -> list[str]:
    """Each of thirty visitors starts the runs, and closes the window; the errors they saw."""

    async def start(run: RunSettings) -> None:
        session = await open_session(address, log, link_to(run))
        await session.rerun("start", press="Start training")
        await session.socket.close()

    log = Log()
    await asyncio.gather(*map(start, runs))
    print(f"Thirty press start at once: p95 {quantile(log.all('start'), 95):.2f} s.")
    return log.errors


async def attend(address: str, log: Log, runs: list[RunSettings], seconds: float, absent: int = 0) -> None:
    """The class for `seconds`, without the first `absent` of its walkers and watchers."""
    until = time.perf_counter() + seconds
    watchers = [watch(address, log, run, until) for run in runs[absent // 2 : WATCHERS]]
    walkers = [walk(address, log, seed, until) for seed in range(absent - absent // 2, WALKERS)]
    drawers = [draw(address, log, 100 + seed, until) for seed in range(DRAWERS)]
    await asyncio.gather(*watchers, *walkers, *drawers)


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
            await page.get_by_role("link", name=name).click()
            await page.wait_for_function(
                "before => document.querySelector('h1') && document.querySelector('h1').innerText !== before"
                " && !document.querySelector('[data-stale=true]')",
                arg=before,
            )
            log.note("Chromium: a click", time.perf_counter() - started)
        wrong = page.locator("[data-testid=stException], [role=dialog]")
        log.errors += [f"Chromium: {text}" for text in await wrong.all_inner_texts()]


async def browse_together(address: str, log: Log, runs: list[RunSettings], seconds: float, count: int) -> None:
    """`count` browsers, which come in one by one; then half of them watch a run, beside the rest of the class."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        own = [*runs[: count // 2], *[None] * (count - count // 2)]
        pages = [await enter(browser, address, log, run) for run in own]
        until = time.perf_counter() + seconds
        visits = [browse(page, log, run is None, until) for page, run in zip(pages, own, strict=True)]
        await asyncio.gather(*visits, attend(address, log, runs, seconds, absent=count))
        await browser.close()


@contextmanager
def sample_memory(process: psutil.Process, samples: list[tuple[float, float]]) -> Iterator[None]:
    """Note the time (minutes) and the server's resident memory (MB) each second meanwhile."""

    async def sample() -> None:
        while True:
            samples.append((time.perf_counter() / 60, process.memory_info().rss / 2**20))
            await asyncio.sleep(1)

    task = asyncio.get_running_loop().create_task(sample())
    try:
        yield
    finally:
        task.cancel()


def name_process(command: list[str]) -> str:
    """What a process below the server is for."""
    if "core.inference.service" in command:
        return "networks"
    return "scheduler" if "core.cluster.host" in command else "workers"


def count_busy(server: psutil.Process) -> dict[str, float]:
    """Seconds of a processor taken so far by the server, by the processes below it, and by this one."""
    seconds = {"server": sum(server.cpu_times()[:2]), "sessions": sum(os.times()[:2])}
    for process in server.children(recursive=True):
        with suppress(psutil.Error):
            who = name_process(process.cmdline())
            seconds[who] = seconds.get(who, 0) + sum(process.cpu_times()[:2])
    return seconds


def name_busy(server: psutil.Process, before: dict[str, float], seconds: float) -> str:
    """The processors that each of `count_busy` has taken over the last `seconds`, in words."""
    return ", ".join(f"{who} {(now - before.get(who, 0)) / seconds:.2f}" for who, now in count_busy(server).items())


async def with_rate(training: Training, seconds: float, work: Awaitable[None]) -> float:
    """Epochs a second while `work` is under way; the first seconds, in which everybody comes in, are left out."""

    async def rate() -> float:
        await asyncio.sleep(seconds / 6)
        return await training.rate(seconds * 2 / 3)

    return (await asyncio.gather(rate(), work))[0]


async def measure(address: str, server: psutil.Process, store: Path, arguments: argparse.Namespace) -> list[Any]:
    """What was measured, the value, its bound, and whether the bound is the highest or the lowest allowed."""
    runs = choose_runs(WATCHERS + DRAWERS + WALKERS)
    training = Training(store, [each for run in runs for each in run.rounds(ROUNDS)])
    seconds = arguments.seconds
    first = Log()
    session = await open_session(address, first)
    for path in ("compare", "findings", "leaderboard", "draw"):
        await session.visit(path)
    await session.socket.close()
    errors = first.errors + await fill_queue(address, runs)
    following = asyncio.create_task(training.follow())
    while training.look() < 20:
        await asyncio.sleep(0.5)
    before = count_busy(server)
    alone = await training.rate(seconds)
    print(f"    processors with nobody there: {name_busy(server, before, seconds)}")
    log, memory = Log(), []
    before = count_busy(server)
    with sample_memory(server, memory):
        watched = await with_rate(training, seconds, attend(address, log, runs, seconds))
    print(f"    processors: {name_busy(server, before, seconds)}")
    print(f"    {1000 * (count_busy(server)['server'] - before['server']) / len(log.all()):.0f} ms of it a rerun")
    log.print()
    print(f"    {log.received / seconds / 2**20:.1f} MB/s to the sessions")
    alone = (alone + await training.rate(seconds)) / 2  # before and after, since a machine drifts
    print(f"    {alone:.1f} epochs/s with nobody there, {watched:.1f} beside the class")
    figures = [
        ("a rerun, p50, s", quantile(log.all(), 50), 1, max),
        ("a rerun, p95, s", quantile(log.all(), 95), 1, max),
        ("a drawing's verdict, p50, s", quantile(log.all("verdict"), 50), 0.6, max),
        ("a drawing's verdict, p95, s", quantile(log.all("verdict"), 95), 0.6, max),
        ("training beside the class, of alone", watched / alone, 0.7, min),
        ("server's memory with 30 sessions, MB", max(mb for _, mb in memory), 600, max),
    ]
    if arguments.browsers:
        browsed = Log()
        try:
            await browse_together(address, browsed, runs, seconds, arguments.browsers)
        except PlaywrightError as error:
            browsed.errors.append(f"Chromium: {str(error).splitlines()[0]}")
        browsed.print()
        errors += browsed.errors
    if arguments.minutes:
        soaked, samples = Log(), []
        with sample_memory(server, samples):
            await attend(address, soaked, runs, 60 * arguments.minutes)
        minutes, megabytes = zip(*samples[len(samples) // 3 :], strict=True)
        slope = statistics.linear_regression(minutes, megabytes).slope
        print(
            f"    memory: {samples[0][1]:.0f} MB, {max(megabytes):.0f} MB at most, {samples[-1][1]:.0f} MB at the end"
        )
        figures.append((f"memory's slope over {arguments.minutes:g} minutes, MB/min", slope, 1, max))
        figures.append(("a rerun in that time, p95, s", quantile(soaked.all(), 95), 1, max))
        errors += soaked.errors
    following.cancel()
    training.look()
    errors += log.errors
    for error in sorted(set(errors)):
        print(f"    {errors.count(error)} × {error}")
    return [*figures, ("errors", len(errors), 0, max), ("lost epochs", training.lost, 0, max)]


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="of each part")
    parser.add_argument("--minutes", type=float, default=0, help="of the soak at the end; 15 for the full one")
    parser.add_argument("--browsers", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "runs"
        shutil.copytree(STORE, store)
        process, address, _ = start_server(store)
        try:
            figures = asyncio.run(measure(address, psutil.Process(process.pid), store, arguments))
        finally:
            process.terminate()
            process.wait()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, Streamlit {streamlit.__version__}")
    missed = False
    for name, value, bound, judge in figures:
        kept = judge(value, bound) == bound
        missed |= not kept
        most = "at most" if judge is max else "at least"
        print(f"{name:45} {value:8.2f}   {most} {bound:g}{'' if kept else '   MISSED'}")
    sys.exit(missed)


if __name__ == "__main__":
    main()
