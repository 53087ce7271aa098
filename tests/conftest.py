"""What several tests share: a store of real runs, the dashboard as a real server, and a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest
import torch

from core.runs.settings import RunSettings
from core.runs.store import RunStore

hypothesis.settings.register_profile(
    "same", derandomize=True
)  # the same examples each time; --hypothesis-profile=default
hypothesis.settings.load_profile("same")
ROOT = Path(__file__).parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


STARTS_A_BROWSER, STARTS_A_CLUSTER = {"browser", "open_page"}, {"engine", "cluster"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests by what they start, which their fixtures tell."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & STARTS_A_BROWSER:
            item.add_marker("browser")
        if fixtures & STARTS_A_CLUSTER:
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def trained_store(tmp_path_factory) -> Path:
    """A store with two short rounds of two architectures; copy it before writing to it."""
    from core.training.procedure import Training

    torch.set_num_threads(1)
    store = RunStore(tmp_path_factory.mktemp("trained") / "runs")
    for model in ("TwoChannelsModel", "DirectClassificationModel"):
        for settings in RunSettings(model=model, max_epochs=6).rounds(2):
            training = Training(settings)
            list(training.epochs())
            writer = store.claim(settings)
            writer.finish(training.finish())
            writer.close()
    return store.root


@pytest.fixture
def screens_alone(monkeypatch) -> None:
    """Screens without an engine, now or a moment later, and without what another test's store left in the caches."""
    import streamlit as st

    from core.cluster.conductor import Conductor
    from pages.app import shared

    monkeypatch.setattr(Conductor, "start", lambda conductor: None)
    monkeypatch.setattr(shared, "_ENGINE", [])
    st.cache_data.clear()
    st.cache_resource.clear()


@contextmanager
def start_process(command: list[str], **options: Any) -> Iterator[subprocess.Popen]:
    """A process that is ended with all that it has started, also if the test fails."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            family = [process, *find_family(process.pid)]
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()


def find_family(pid: int) -> list[psutil.Process]:
    """What a process has started, and what that has started."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


@contextmanager
def serve(script: Path, store: Path, **environment: str) -> Iterator[str]:
    """Run a Streamlit script as a server of its own on a free port, on the given store; gives its address."""
    with serve_on(find_port(), script, store, **environment) as (address, _):
        yield address


def find_port() -> int:
    """A free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def serve_on(
    port: int, script: Path, store: Path, log: Path | None = None, **environment: str
) -> Iterator[tuple[str, subprocess.Popen]]:
    """As `serve`, on this port; gives the address and the server's process, whose `log` is kept where one is named."""
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    command += ["--server.headless=true", "--browser.gatherUsageStats=false", "--runner.postScriptGC=false"]
    values = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PAIR_RUNS": str(store), **environment}
    kept = log  # a pipe that nobody reads would stop the server when it is full
    log = kept or Path(tempfile.mkstemp(suffix=".log")[1])
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=script.parent, env=values, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_served(port, process, log)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()
        if kept is None:
            log.unlink()


def wait_until_served(port: int, process: subprocess.Popen, log: Path, patience: float = 30) -> None:
    """Return when the server answers; fails with what it printed where it ends or takes too long."""
    ended = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < ended:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
            return
    raise AssertionError(f"The server did not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def browser():
    """Chromium; the tests fail with a sentence where there is none."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # a bound for a busy machine; a condition that holds is seen at once
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        with playwright.chromium.launch(executable_path=CHROMIUM, args=options) as chromium:
            yield chromium


@pytest.fixture
def open_page(browser) -> Iterator[Callable]:
    """Opens an address in a context of its own: `open_page(address, width=1440, dark=False)`."""
    contexts = []

    def open_address(address: str, width: int = 1440, dark: bool = False):
        contexts.append(
            browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
                has_touch=width < 500,
                is_mobile=width < 500,
            )
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        return page

    yield open_address
    for context in contexts:
        context.close()
