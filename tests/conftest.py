"""What several tests share: a store of real runs, the dashboard as a real server, and a real browser."""

import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.servers import CHROMIUM

# The same examples each time; others with --hypothesis-profile=default.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("same")

# Whoever starts the tests in a shell's background has them ignore Ctrl-C, and so would every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

STARTED_BY = {  # a marker -> the fixtures that start what it tells
    "browser": {"browser", "open_page"},
    "cluster": {"engine", "cluster", "scheduler", "shell_trained"},
    "process": {"server"},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests by what they start, which their fixtures tell, and those of the screens by where they stand."""
    for item in items:
        if item.path.parent.name == "pages":
            item.add_marker("screen")
        fixtures = set(getattr(item, "fixturenames", ()))
        for marker, starting in STARTED_BY.items():
            if fixtures & starting:
                item.add_marker(marker)


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


@pytest.fixture(scope="session")
def browser():
    """Chromium; the tests fail with a sentence if there is none."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # a bound for a busy machine; a condition that holds is seen at once
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        with playwright.chromium.launch(executable_path=CHROMIUM, args=options) as chromium:
            yield chromium


@pytest.fixture(scope="session")
def idle_contexts() -> dict[tuple[int, bool], list]:
    """Contexts that no test uses, by width and darkness: one that has loaded the scripts opens a page sooner."""
    return defaultdict(list)


@pytest.fixture
def open_page(browser, idle_contexts) -> Iterator[Callable]:
    """Opens an address as a visitor of its own: `open_page(address, width=1440, dark=False)`."""
    taken = []

    def open_address(address: str, width: int = 1440, dark: bool = False):
        idle = idle_contexts[width, dark]
        context = idle.pop() if idle else new_context(browser, width, dark)
        taken.append((idle, context))
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        return page

    yield open_address
    for idle, context in taken:
        for page in context.pages:
            page.close()
        context.set_offline(False)
        context.clear_cookies()
        idle.append(context)


def new_context(browser, width: int, dark: bool):
    return browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        has_touch=width < 500,
        is_mobile=width < 500,
    )


@pytest.fixture(autouse=True)
def _no_engine_a_moment_later(monkeypatch) -> None:
    """A screen's engine would start when its test is over, and keep two workers with a gigabyte each."""
    monkeypatch.setattr("pages.app.shared.FIRST_SCREEN", 1e6)
