"""How long people wait: the server's start, each screen cold and warm, the first point of a curve, and its delay.

    python -m benchmarks.screens

Runs the dashboard as a server of its own on a copy of the shipped runs, and Chromium on the same machine (CHROMIUM
names another than the one on the path). Prints each figure with its bound; exit status 1 if one is missed.
"""

import math
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
from contextlib import suppress
from pathlib import Path

import streamlit
from playwright.sync_api import Browser, Page, sync_playwright

from core.runs.palette import PALETTE
from core.runs.settings import RunSettings
from core.runs.store import STORE, read_history

ROOT = Path(__file__).parent.parent
WARM_LOADS = 5
LAG_SECONDS = 8
POINTS = (
    "Math.max(0, ...[...document.querySelectorAll('.mark-line path')]"
    ".map(path => ((path.getAttribute('d') ?? '').match(/[ML]/g) || []).length))"
)
COMPLETE = (
    "selector => document.querySelector('h1') && document.querySelector(selector)"
    " && !document.querySelector('[data-testid=stStatusWidget]') && !document.querySelector('[data-stale=true]')"
)
SCREENS = {  # path -> what shows that the screen is complete
    "": ".glance tr",
    "train": ".mark-line path",
    "compare": ".js-plotly-plot .scatterlayer",
    "mistakes": ".st-key-distance .main-svg",
    "architectures": "[data-testid=stImage] img",
    "walk": ".js-plotly-plot .scatterlayer",
    "draw": ".st-key-draw_vote [data-testid]",
}
WITH_NETWORKS = ("walk", "draw")  # whose first visitor waits for the process of the networks
BOUNDS = {"mistakes": 1.5, "architectures": 1.5, "walk": 1.5}  # seconds to a complete screen, warm; others: 1


def start_server(store: Path) -> tuple["subprocess.Popen[bytes]", str, float]:
    """The server's process, its address, and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", f"--server.port={address.split(':')[-1]}"]
    environment = {**os.environ, "PAIR_RUNS": str(store)}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
            return process, address, time.perf_counter() - started
    raise SystemExit("The server ended before it answered.")


def load_screen(page: Page, address: str, path: str) -> float:
    """Seconds until a screen is complete; the first load in a browser context also fetches Streamlit's scripts."""
    page.goto("about:blank")
    started = time.perf_counter()
    page.goto(f"{address}/{path}", wait_until="commit")
    page.wait_for_function(COMPLETE, arg=SCREENS[path], polling=10)
    return time.perf_counter() - started


def open_page(browser: Browser) -> Page:
    """A page in a browser context of its own, with nothing cached."""
    return browser.new_context(viewport={"width": 1440, "height": 900}).new_page()


def imports_torch(process: "subprocess.Popen[bytes]") -> bool:
    """Whether the server has loaded PyTorch's library (Linux)."""
    return "libtorch" in Path(f"/proc/{process.pid}/maps").read_text()


def time_training(browser: Browser, address: str, store: Path) -> tuple[float, list[float]]:
    """Seconds from the click to the first point, and each later epoch's delay from the store to the screen.

    The run takes minutes, so that it is under way as long as somebody looks.
    """
    settings = RunSettings(model="TwoBranchesModel", seed=1234, training_pairs=5_000, max_epochs=500, patience=500)
    page = open_page(browser)
    link = "&".join(f"{name}={value}" for name, value in settings.model_dump(exclude_defaults=True).items())
    page.goto(f"{address}/train?{link}&rounds=1")
    button = page.get_by_role("button", name="Start training")
    button.wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    started = time.perf_counter()
    button.click()
    page.wait_for_function(f"{POINTS} > 0", polling=10)
    first = time.perf_counter() - started
    history, written, shown = store / settings.run_id / "history.jsonl", {}, {}
    while time.perf_counter() - started < LAG_SECONDS:
        now = time.perf_counter()
        for counts, reached in ((written, len(read_history(history)[0])), (shown, page.evaluate(POINTS))):
            for epoch in range(len(counts) + 1, reached + 1):
                counts[epoch] = now
        page.wait_for_timeout(10)
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("1 stopped").wait_for()
    return first, [shown[epoch] - written[epoch] for epoch in shown if epoch > 1]


def time_view(browser: Browser, address: str) -> float:
    """Seconds from the choice of another view of *Compare* to its complete figure."""
    page = open_page(browser)
    load_screen(page, address, "compare")
    times = []
    for view, figure in (("What each idea adds", "ladder"), ("All against all", "matrix"), ("Curves", "curves")) * 2:
        started = time.perf_counter()
        page.get_by_role("radio", name=view).click()
        page.wait_for_function(
            "key => document.querySelector(`.st-key-${key} .scatterlayer, .st-key-${key} .heatmaplayer`)"
            " && !document.querySelector('[data-stale=true]')",
            arg=figure,
            polling=10,
        )
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def time_cell(browser: Browser, address: str) -> float:
    """Seconds from a click on a pair of digits to its wrong pairs."""
    page = open_page(browser)
    load_screen(page, address, "mistakes")
    times = []
    for digit in range(2, 9):
        plot = page.locator(".st-key-heat .nsewdrag").bounding_box()
        started = time.perf_counter()
        page.mouse.click(plot["x"] + plot["width"] * (digit + 0.5) / 10, plot["y"] + plot["height"] * 0.45)
        page.get_by_text(f"First digit 4 and second digit {digit}:").wait_for()
        page.wait_for_function("!document.querySelector('[data-stale=true]')", polling=10)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def time_other_architecture(browser: Browser, address: str) -> float:
    """Seconds from the choice of another architecture to its complete diagram."""
    page = open_page(browser)
    load_screen(page, address, "architectures")
    times = []
    for label in (PALETTE[model].label for model in ("DirectClassificationModel", "TwoChannelsModel")):
        page.get_by_role("combobox", name="Another").click()
        option = page.get_by_role("option", name=label)
        option.wait_for()
        started = time.perf_counter()
        option.click()
        page.wait_for_function(
            "label => [...document.querySelectorAll('[data-testid=stImage] img')].some(e => e.alt.includes(label)"
            " && e.complete) && !document.querySelector('[data-stale=true]')",
            arg=f"of {label},",
            polling=10,
        )
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def time_stages(browser: Browser, address: str) -> float:
    """Seconds from a step of the slider to the complete pictures of that stage."""
    page = open_page(browser)
    load_screen(page, address, "walk")
    times = []
    for stage in range(2, 8):
        started = time.perf_counter()
        page.get_by_role("slider").press("ArrowRight")
        page.wait_for_function(
            "stage => [...document.querySelectorAll('h2')].some(e => e.textContent.startsWith(`${stage}. `))"
            " && [...document.querySelectorAll('.stage img')].every(e => e.complete)"
            " && !document.querySelector('[data-stale=true]')",
            arg=stage,
            polling=10,
        )
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def measure(browser: Browser, folder: Path) -> list[tuple[str, float, float]]:
    """What was measured, the seconds, and the bound."""
    store = folder / "runs"
    shutil.copytree(STORE, store)
    figures: list[tuple[str, float, float]] = []
    for path in SCREENS:
        name = path or "home"
        process, address, ready = start_server(store)
        try:
            if not path:
                figures.append(("server ready", ready, 3))
            page = open_page(browser)
            cold = load_screen(page, address, path)
            page.wait_for_timeout(12_000 if not path else 0)  # the engine warms up behind the first screen
            warm = [load_screen(page, address, path) for _ in range(WARM_LOADS)]
            if path not in WITH_NETWORKS:
                figures.append((f"{name}, cold", cold, 2.5))
            figures.append((f"{name}, warm (median of {WARM_LOADS})", statistics.median(warm), BOUNDS.get(path, 1)))
            if path == "compare":
                figures.append(("compare, another view", time_view(browser, address), 0.3))
            if path == "mistakes":
                figures.append(("mistakes, a click on a cell", time_cell(browser, address), 0.4))
            if path == "architectures":
                figures.append(("architectures, another chosen", time_other_architecture(browser, address), 0.4))
            if path == "walk":
                figures.append(("walk, a step of the slider", time_stages(browser, address), 0.4))
            if not path:
                first, delays = time_training(browser, address, store)
                figures.append(("first point after the click", first, 1))
                figures.append((f"an epoch's delay, median of {len(delays)}", median(delays), 1.5))
                figures.append(("an epoch's delay, longest", max(delays, default=math.nan), 1.5))
            figures.append((f"{name}, PyTorch in the server (1 = yes)", imports_torch(process), 0))
        finally:
            process.terminate()
            process.wait()
    return figures


def main() -> None:
    """Measure, print, and judge."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        figures = measure(browser, Path(folder))
        version = browser.version
        browser.close()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, Streamlit {streamlit.__version__}, {version}")
    for name, seconds, bound in figures:
        judged = "" if seconds <= bound else "   NOT MEASURED" if math.isnan(seconds) else "   MISSED"
        print(f"{name:45} {seconds:7.2f}   at most {bound:g}{judged}")
    sys.exit(not all(seconds <= bound for _, seconds, bound in figures))


def median(seconds: list[float]) -> float:
    """The median; not a number if nothing was measured."""
    return statistics.median(seconds) if seconds else math.nan


if __name__ == "__main__":
    main()
