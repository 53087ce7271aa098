"""Processes that end with the test: the dashboard as a real server, above all."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


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
    """As `serve`, on this port; gives the address and the server's process, whose `log` is kept if one is named."""
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
    """Return when the server answers; fails with what it printed if it ends or takes too long."""
    ended = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < ended:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
            return
    raise AssertionError(f"The server did not answer: {log.read_text()}")
