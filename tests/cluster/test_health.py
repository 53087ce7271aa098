"""The health endpoint, for whoever watches the server: in words of JSON, without a browser."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from core.cluster.engine import Engine
from core.cluster.health import LOW_DISK, check_health
from core.cluster.limits import Limits
from core.runs.settings import RunSettings
from core.runs.store import RunStore, StoreError
from support.servers import ROOT, serve
from support.visitor import connected


@pytest.fixture
def idle_engine(tmp_path):
    return Engine(RunStore(tmp_path / "runs"))


def test_a_new_server_is_healthy_before_its_store_and_its_engine_exist(idle_engine):
    health = check_health(idle_engine)
    assert health["healthy"]
    expected = {"state": "not started", "problem": "", "heard_seconds_ago": None, "runs_training_or_waiting": 0}
    assert health["engine"] == expected
    assert health["store"] == {"runs": 0, "writable": True, "problem": ""}
    assert health["digits"] == {"problem": ""}
    assert health["disk"]["free_bytes"] > 0


@pytest.mark.parametrize(
    ("target", "value", "part"),
    [
        ("core.cluster.health.shutil.disk_usage", lambda path: (0, 0, LOW_DISK - 1), ("disk", "low", True)),
        ("core.cluster.engine.Engine.state", "lost", ("engine", "state", "lost")),
    ],
)
def test_what_needs_somebody_is_named_unless_nothing_is_trained_here(idle_engine, monkeypatch, target, value, part):
    import shutil

    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(target, (lambda path: usage(*value(path))) if "disk_usage" in target else value)
    health = check_health(idle_engine)
    assert not health["healthy"]
    assert health[part[0]][part[1]] == part[2]
    idle_engine.limits = Limits.from_environment({"PAIR_TRAINING": "off"})
    assert check_health(idle_engine)["healthy"]


def in_place_of_the_folder(root, kind: str) -> None:
    """Put something in the way of a store, or of a folder on the way to it."""
    match kind:
        case "a file":
            root.write_text("in the way")
        case "a file on the way":
            root.parent.mkdir()
            (root.parent / "above").write_text("in the way")
        case "a link to nothing":
            root.symlink_to(root.parent / "nothing")
        case "a loop of links":
            root.symlink_to(root)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("a folder to come", "runs"),
        ("a folder to come", "one/two/three/runs"),
        ("a file", "runs"),
        ("a file on the way", "way/above/runs"),
        ("a link to nothing", "runs"),
        ("a loop of links", "runs"),
    ],
)
def test_health_agrees_with_what_claiming_a_run_does(tmp_path, kind, path):
    root = tmp_path / path
    in_place_of_the_folder(root if kind != "a file on the way" else root.parent.parent / "runs", kind)
    health = check_health(Engine(RunStore(root)))
    try:
        RunStore(root).claim(RunSettings()).close()
        claimed = True
    except StoreError as error:
        claimed, sentence = False, str(error)
    assert health["store"]["writable"] == health["healthy"] == claimed
    if claimed:
        assert health["disk"]["free_bytes"] > LOW_DISK
    else:
        assert health["store"]["problem"].startswith(f"The store {root} ")
        assert sentence.startswith(f"The store {root} cannot be written: ")


def test_a_server_without_digits_is_not_healthy_and_says_which_are_missing(idle_engine, monkeypatch):
    sentence = "MNIST lacks t10k-labels-idx1-ubyte in data/MNIST; restore data/MNIST from the repository."
    monkeypatch.setattr("core.cluster.health.find_missing", lambda: sentence)
    assert check_health(idle_engine)["digits"] == {"problem": sentence}
    assert not check_health(idle_engine)["healthy"]


def test_the_endpoint_answers_without_a_session_and_browsers_are_told_apart(tmp_path, trained_store):
    with serve(ROOT / "streamlit_app.py", trained_store, PAIR_TRAINING="off") as address:
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
            health = json.load(answer)
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "no-store"
        assert health["healthy"]
        assert health["store"]["runs"] == 4
        assert health["engine"]["state"] == "off"
        with urllib.request.urlopen(address, timeout=10) as answer:
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("pair_visitor=")
        assert "HttpOnly; SameSite=Lax" in cookie
        again = urllib.request.Request(address, headers={"Cookie": cookie.split(";")[0]})
        with urllib.request.urlopen(again, timeout=10) as answer:
            assert answer.headers["Set-Cookie"] is None


@pytest.mark.cluster
def test_the_engine_gets_ready_behind_a_first_screen_that_trains_nothing(tmp_path):
    def ask_state() -> str:
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
            return json.load(answer)["engine"]["state"]

    with serve(ROOT / "streamlit_app.py", tmp_path / "runs") as address:
        assert ask_state() == "not started"  # whoever asks for its health does not start it
        with connected(address):
            while ask_state() == "not started":
                time.sleep(0.1)


@pytest.mark.process
def test_a_server_with_a_wrong_limit_does_not_start_and_says_why():
    command = [sys.executable, "-c", "import streamlit_app"]
    environment = {"PATH": "", "PAIR_MAX_RUNS": "many", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.endswith("Error: PAIR_MAX_RUNS is 'many', but must be a whole number from 1 to 1,000.\n")


def test_connections_send_small_messages_at_once():
    from pages.app.server import _send_without_delay

    with socket.create_server(("127.0.0.1", 0)) as listening:
        _send_without_delay()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
