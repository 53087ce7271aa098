"""The command line's streams and signals: full, closed, without some letters, interrupted."""

import os
import re
import signal
import subprocess
import sys

import pytest

from support.servers import ROOT

pytestmark = pytest.mark.process

TINY = ("--training-pairs", "100", "--max-epochs", "2")

PATIENCE = 120  # seconds; a bound for what takes a few


def run_shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell, in which $CORE is the command line."""
    values = {**os.environ, "CORE": f"{sys.executable} -m core", **environment}
    return subprocess.run(["sh", "-c", line], cwd=ROOT, env=values, capture_output=True, text=True, timeout=PATIENCE)


@pytest.mark.parametrize("command", ["table", "table --json", "runs", "--help"])
@pytest.mark.parametrize(("stream", "reason"), [("> /dev/full", "No space left on device"), (">&-", "Bad file descr")])
def test_what_cannot_be_printed_is_one_sentence(trained_store, command, stream, reason):
    store = "" if command == "--help" else f"--store {trained_store}"
    done = run_shell(f"$CORE {command} {store} {stream}")
    assert done.returncode == 1
    assert re.fullmatch(rf"Error: The disk or standard output cannot be written: {reason}\w*\.\n", done.stderr)


@pytest.mark.parametrize("stream", ["2> /dev/full", "2>&-"])
def test_messages_that_cannot_be_printed_change_nothing(trained_store, stream):
    done = run_shell(f"$CORE runs --store {trained_store} {stream}")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 5)
    assert run_shell(f"$CORE table --nonsense {stream}").returncode == 2


def test_whoever_reads_may_leave_early(trained_store):
    done = run_shell(f"$CORE runs --store {trained_store} | head -n 1")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_signs_that_the_locale_lacks_are_spelled(trained_store, locale):
    done = run_shell(f"$CORE table --store {trained_store}", **locale)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "0.798 +/- 0.011" in done.stdout


HOLD = """
import builtins, os, signal, sys
real = builtins.__import__
def load(name, *rest, **named):  # Ctrl-C, as an import begins
    if name == "typer":
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest, **named)
builtins.__import__ = load
"""


def test_ctrl_c_during_the_imports_ends_without_a_word(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(HOLD)
    values = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "core", "table"], cwd=ROOT, env=values, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_at_work_ends_without_a_word(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(HOLD.replace('"typer"', '"core.analysis.statistics"'))
    values = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "core", "table"], cwd=ROOT, env=values, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
