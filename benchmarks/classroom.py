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
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import streamlit
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import async_playwright

from benchmarks.screens import start_server
from benchmarks.visitors import (
    PATIENCE,
    ROUNDS,
    Log,
    Session,
    browse,
    choose_runs,
    draw,
    enter,
    link_to,
    open_session,
    quantile,
    walk,
    watch,
)
from core.runs.settings import RunSettings
from core.runs.store import STORE, read_history

WATCHERS, DRAWERS, WALKERS = 10, 5, 15
PRESSED = 2.0  # seconds within which all press start


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


async def fill_queue(address: str, runs: list[RunSettings], log: Log) -> list[Any]:
    """Thirty visitors, whose pages stand, press start within two seconds, and stay until their own curve has begun."""

    async def start(session: Session, delay: float) -> None:
        await asyncio.sleep(delay)
        started = time.perf_counter()
        await session.rerun("start", press="Start training")
        await session.dwell(PATIENCE, lambda: session.epoch != "–")
        log.note("own curve", time.perf_counter() - started)
        await session.socket.close()

    sessions = [await open_session(address, log, link_to(run)) for run in runs]
    await asyncio.gather(*(start(session, PRESSED * place / len(runs)) for place, session in enumerate(sessions)))
    return [
        ("thirty press start: own state, p95, s", quantile(log.all("start"), 95), 1, max),
        ("thirty press start: own curve, p95, s", quantile(log.all("own curve"), 95), 2, max),
    ]


async def attend(address: str, log: Log, runs: list[RunSettings], seconds: float, absent: int = 0) -> None:
    """The class for `seconds`, without the first `absent` of its walkers and watchers."""
    until = time.perf_counter() + seconds
    watchers = [watch(address, log, run, until) for run in runs[absent // 2 : WATCHERS]]
    walkers = [walk(address, log, seed, until) for seed in range(absent - absent // 2, WALKERS)]
    drawers = [draw(address, log, 100 + seed, until) for seed in range(DRAWERS)]
    await asyncio.gather(*watchers, *walkers, *drawers)


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


def name_busy(server: psutil.Process, before: dict[str, float], since: float) -> str:
    """The processors that each of `count_busy` has taken since then, by time.perf_counter, in words."""
    seconds = time.perf_counter() - since
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
    entering = Log()
    await warm_up(address, entering)
    figures = await fill_queue(address, runs, entering)
    entering.print()
    following = asyncio.create_task(training.follow())
    while training.look() < 20:
        await asyncio.sleep(0.5)
    log = Log()
    figures += await measure_class(address, server, training, runs, arguments.seconds, log)
    errors = entering.errors
    if arguments.browsers:
        errors += await measure_browsers(address, runs, arguments.seconds, arguments.browsers)
    if arguments.minutes:
        figures += await measure_soak(address, server, runs, arguments.minutes, log)
    following.cancel()
    training.look()
    errors += log.errors
    for error in sorted(set(errors)):
        print(f"    {errors.count(error)} × {error}")
    return [*figures, ("errors", len(errors), 0, max), ("lost epochs", training.lost, 0, max)]


async def warm_up(address: str, log: Log) -> None:
    """One visitor on each screen, who trains one short round on each worker."""
    session = await open_session(address, log)
    for path in ("compare", "findings", "leaderboard", "draw"):
        await session.visit(path)
    await session.visit("train", "seed=4900&max_epochs=5&rounds=2")
    await session.rerun("start, workers cold", press="Start training")
    await session.dwell(PATIENCE, lambda: session.epoch == "5")
    await session.socket.close()


async def measure_class(
    address: str, server: psutil.Process, training: Training, runs: list[RunSettings], seconds: float, log: Log
) -> list[Any]:
    """The class for `seconds`, with nobody there before and after. Prints what the processors did."""
    before, since = count_busy(server), time.perf_counter()
    alone = await training.rate(seconds)
    print(f"    processors with nobody there: {name_busy(server, before, since)}")
    memory: list[tuple[float, float]] = []
    before, since = count_busy(server), time.perf_counter()
    with sample_memory(server, memory):
        watched = await with_rate(training, seconds, attend(address, log, runs, seconds))
    print(f"    processors: {name_busy(server, before, since)}")
    print(f"    {1000 * (count_busy(server)['server'] - before['server']) / len(log.all()):.0f} ms of it a rerun")
    log.print()
    print(f"    {log.received / seconds / 2**20:.1f} MB/s to the sessions")
    alone = (alone + await training.rate(seconds)) / 2  # before and after, since a machine drifts
    print(f"    {alone:.1f} epochs/s with nobody there, {watched:.1f} beside the class")
    return [
        ("a rerun, p50, s", quantile(log.all(), 50), 1, max),
        ("a rerun, p95, s", quantile(log.all(), 95), 1, max),
        ("a drawing's verdict, p50, s", quantile(log.all("verdict"), 50), 0.6, max),
        ("a drawing's verdict, p95, s", quantile(log.all("verdict"), 95), 0.6, max),
        ("training beside the class, of alone", watched / alone, 0.7, min),
        ("server's memory with 30 sessions, MB", max(mb for _, mb in memory), 600, max),
    ]


async def measure_browsers(address: str, runs: list[RunSettings], seconds: float, count: int) -> list[str]:
    """The class with `count` of it in Chromium: prints the times, and gives the errors that were seen."""
    log = Log()
    try:
        await browse_together(address, log, runs, seconds, count)
    except PlaywrightError as error:
        log.errors.append(f"Chromium: {str(error).splitlines()[0]}")
    log.print()
    return log.errors


async def measure_soak(
    address: str, server: psutil.Process, runs: list[RunSettings], minutes: float, log: Log
) -> list[Any]:
    """The class for so many minutes: how the server's memory grows over the last two thirds. Errors go to `log`."""
    soaked, samples = Log(), list[tuple[float, float]]()
    with sample_memory(server, samples):
        await attend(address, soaked, runs, 60 * minutes)
    log.errors += soaked.errors
    times, megabytes = zip(*samples[len(samples) // 3 :], strict=True)
    slope = statistics.linear_regression(times, megabytes).slope
    print(f"    memory: {samples[0][1]:.0f} MB, {max(megabytes):.0f} MB at most, {samples[-1][1]:.0f} MB at the end")
    return [
        (f"memory's slope over {minutes:g} minutes, MB/min", slope, 1, max),
        ("a rerun in that time, p95, s", quantile(soaked.all(), 95), 1, max),
    ]


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
