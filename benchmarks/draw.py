"""How long a drawing waits for its verdicts: `python -m benchmarks.draw`.

Runs the dashboard as a server of its own on the shipped runs, and Chromium on the same machine (CHROMIUM names
another than the one on the path), and draws digits with the mouse. Measured in the browser, from each pen-up to the
frame in which the answer to just that message is painted; beside it the same for a page of the pads alone, whose
answer is one number. Then, in this process and without any browser, the server's own work on the same drawings:
reading the message, both frames, all networks, the element's HTML. Last, the nearest
training digits of a pair. Exit status 1 if a bar is missed.
"""

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import streamlit
import torch
from playwright.sync_api import Page, sync_playwright

from core.drawing.samples import read_sample
from core.drawing.strokes import parse_strokes, steps_from_strokes
from core.inference.service import InferenceService
from core.mnist.pairs import load_digits
from core.networks.ensemble import load_ensembles
from core.runs.store import RunStore
from pages.components.draw.verdicts import verdicts_html

ROOT = Path(__file__).parent.parent
BARE = """
import streamlit as st
from pages.components.pad import read_pads, show_pads

answers = st.components.v2.component(
    "answers",
    html="<p></p>",
    js="export default ({ parentElement, data }) => {"
    " const p = parentElement.querySelector('p'); p.dataset.answers = p.textContent = data }",
)

@st.fragment
def show():
    pads = read_pads("pads")
    show_pads("pads", (None, None))
    answers(data=pads.sequence, key="answers")

show()
"""
# Notes each pen-up with the message it sent, and each answer, when the frame that shows it has been painted.
WATCH = """() => {
  const find = (selector, root = document) => root.querySelector(selector) ??
    [...root.querySelectorAll("*")].reduce((found, e) => found ?? (e.shadowRoot && find(selector, e.shadowRoot)), null)
  const log = (window.log = { ups: [], answers: [], gaps: [] })
  const pads = find("[data-sent]")
  addEventListener("pointerup", (event) => {
    if (!event.composedPath()[0].matches(".pen")) return  // a button's
    setTimeout(() => log.ups.push([event.timeStamp, Number(pads.dataset.sent)]))
  }, true)
  let last = null, before = null, shown = null
  const look = (now) => {
    if (before !== null) log.gaps.push(now - before)
    before = now
    if (!shown?.isConnected) shown = find("[data-answers]")
    const answered = shown?.dataset.answers
    if (answered !== last) {
      last = answered
      const channel = new MessageChannel()  // its message comes after this frame's paint
      channel.port1.onmessage = () => log.answers.push([performance.now(), Number(answered)])
      channel.port2.postMessage(0)
    }
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}"""
DIGITS: dict[int, list[list[tuple[float, float]]]] = {  # as people draw them, in shares of the pad
    0: [[(0.5, 0.15), (0.35, 0.25), (0.28, 0.5), (0.35, 0.75), (0.5, 0.85), (0.65, 0.75), (0.72, 0.5), (0.65, 0.25),
         (0.5, 0.15)]],
    1: [[(0.5, 0.12), (0.5, 0.88)]],
    2: [[(0.3, 0.3), (0.4, 0.17), (0.57, 0.15), (0.68, 0.28), (0.62, 0.45), (0.3, 0.82), (0.72, 0.82)]],
    3: [[(0.3, 0.2), (0.5, 0.14), (0.67, 0.25), (0.62, 0.42), (0.45, 0.48), (0.65, 0.55), (0.7, 0.72), (0.52, 0.86),
         (0.3, 0.8)]],
    4: [[(0.38, 0.15), (0.3, 0.5), (0.7, 0.5)], [(0.65, 0.15), (0.6, 0.88)]],
    5: [[(0.68, 0.15), (0.36, 0.15), (0.34, 0.45), (0.52, 0.42), (0.67, 0.55), (0.65, 0.75), (0.5, 0.86), (0.3, 0.8)]],
    6: [[(0.6, 0.13), (0.4, 0.35), (0.33, 0.65), (0.42, 0.84), (0.58, 0.84), (0.66, 0.7), (0.58, 0.56), (0.42, 0.58),
         (0.35, 0.68)]],
    7: [[(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]],
    8: [[(0.65, 0.22), (0.48, 0.14), (0.36, 0.26), (0.45, 0.42), (0.6, 0.55), (0.66, 0.73), (0.5, 0.86), (0.35, 0.74),
         (0.42, 0.55), (0.58, 0.42), (0.65, 0.24)]],
    9: [[(0.64, 0.3), (0.52, 0.15), (0.37, 0.22), (0.36, 0.4), (0.5, 0.47), (0.63, 0.32), (0.62, 0.55), (0.55, 0.88)]],
}  # fmt: skip


@contextmanager
def serve(script: Path) -> Iterator[str]:
    """The address of a server of this script."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    command += ["--server.headless=true", "--server.fileWatcherType=none", "--runner.postScriptGC=false"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=script.parent, env=environment, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def draw_digit(page: Page, index: int, digit: int, pace: float = 0) -> float:
    """Draw with the mouse, resting `pace` ms after each of some 40 moves; the seconds that the pen was down."""
    box = page.locator("canvas.pen").nth(index).bounding_box()
    assert box is not None
    seconds = 0.0
    for stroke in DIGITS[digit]:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        started = time.perf_counter()
        for (x, y), (to_x, to_y) in pairwise(points):
            steps = max(40 // len(points), 2) if pace else 4
            for step in range(1, steps + 1):
                page.mouse.move(x + (to_x - x) * step / steps, y + (to_y - y) * step / steps)
                if pace:
                    page.wait_for_timeout(pace)
        page.mouse.up()
        seconds += time.perf_counter() - started
    return seconds


def time_strokes(page: Page, count: int) -> tuple[list[float], float, list[float]]:
    """Milliseconds from each pen-up to its painted answer, answers a second while the pen moved, frame intervals."""
    moving = answers = 0.0
    generator = np.random.default_rng(0)
    draw_digit(page, 0, 3)
    draw_digit(page, 1, 7)
    page.evaluate(WATCH)
    for number in range(count):
        page.get_by_role("button", name=f"Clear the {('first', 'second')[number % 2]} digit").click()
        page.wait_for_timeout(200)
        before = len(page.evaluate("log.answers"))
        moving += draw_digit(page, number % 2, int(generator.integers(10)), pace=12)
        answers += len(page.evaluate("log.answers")) - before
        page.wait_for_function("log.ups.length && log.answers.at(-1)?.[1] >= log.ups.at(-1)[1]")
        page.wait_for_timeout(200)
    log = page.evaluate("log")
    waits = [
        min(at for at, answered in log["answers"] if answered and answered >= sent) - up for up, sent in log["ups"]
    ]
    return waits, answers / moving, log["gaps"]


def time_server(count: int) -> tuple[list[float], list[float], int]:
    """Milliseconds that the server's own work on each of `count` messages takes, those of them on the processor, and
    how many networks answer."""
    ensembles, _ = load_ensembles(RunStore())
    generator = np.random.default_rng(0)
    times, work = [], []
    for _ in range(count + 5):
        strokes = [
            [
                {"width": 18, "points": (280 * np.repeat(np.array(stroke), 8, 0).clip(0, 1)).ravel().tolist()}
                for stroke in DIGITS[digit]
            ]
            for digit in generator.integers(10, size=2)
        ]
        message = json.dumps(strokes)
        started, busy = time.perf_counter(), time.thread_time()
        frames = np.stack([steps_from_strokes(parse_strokes(each)).frame for each in json.loads(message)])
        verdicts = [verdict for ensemble in ensembles for verdict in ensemble.answer(frames)]
        verdicts_html(verdicts, (None, None))
        times.append(1000 * (time.perf_counter() - started))
        work.append(1000 * (time.thread_time() - busy))
    return times[5:], work[5:], sum(len(ensemble.settings) for ensemble in ensembles)


def time_neighbours() -> tuple[list[float], list[float]]:
    """Milliseconds until one network's nearest training digits of a pair are found: at its first question, for which
    its round is drawn and embedded, and at its second."""
    store, service = RunStore(), InferenceService()
    frames = np.stack([read_sample(number).steps.frame for number in (2, 8)])
    load_digits(True)  # once per process
    times: tuple[list[float], list[float]] = [], []
    for ensemble in load_ensembles(store)[0]:
        for settings in ensemble.settings[:10]:
            for kept in times:
                started = time.perf_counter()
                service.find_neighbours(store.root, settings.run_id, frames)
                kept.append(1000 * (time.perf_counter() - started))
    return times


def print_times(name: str, times: list[float], bars: tuple[float, float] | None = None) -> bool:
    """One line; whether the bars (p50, p95), if any, are met."""
    p50, p95 = statistics.median(times), float(np.quantile(times, 0.95))
    met = bars is None or (p50 <= bars[0] and p95 <= bars[1])
    verdict = "" if bars is None else f"   at most {bars[0]:g} and {bars[1]:g}: {'met' if met else 'MISSED'}"
    print(f"{name:44} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   n = {len(times)}{verdict}", flush=True)
    return met


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40, help="how many digits are drawn on each page")
    count = parser.parse_args().count
    torch.set_num_threads(1)
    times, work, networks = time_server(5 * count)
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, Streamlit {streamlit.__version__}, "
        f"torch {torch.__version__}"
    )
    met = print_times(f"server work, {networks} networks", times, (35, 35))
    print_times("of it on the processor", work)
    first, again = time_neighbours()
    met &= print_times("nearest training digits, a new network", first, (500, 500))
    met &= print_times("nearest training digits, the same network", again, (500, 500))
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "bare.py").write_text(BARE)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, script, path in (
            ("the bare pad", Path(folder) / "bare.py", ""),
            ("all verdicts", ROOT / "streamlit_app.py", "/draw"),
        ):
            with serve(script) as address:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(address + path)
                page.locator("canvas.pen").nth(1).wait_for(timeout=60_000)
                waits, rate, gaps = time_strokes(page, count)
                page.close()
            bare = name == "the bare pad"
            met &= print_times(f"pen-up to painted, {name}", waits, None if bare else (80, 150))
            print(f"{'while the pen moves':44} {rate:.1f} answers a second{'' if bare else '   at least 5'}")
            print_times("from one painted frame to the next", gaps)
            met &= bare or rate >= 5
        browser.close()
    sys.exit(not met)


if __name__ == "__main__":
    main()
