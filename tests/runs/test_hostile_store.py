"""What somebody, or bad luck, has put into the store: the rest is shown, what is wrong is named, nothing waits."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.tables import load_histories, load_runs
from core.runs.records import MOST_BYTES, MOST_TEXT
from core.runs.settings import RunSettings
from core.runs.store import RunStore, StoreError
from pages.app import shared
from support.fake_runs import write_run
from support.servers import ROOT

GOOD, BAD = RunSettings(model="TwoChannelsModel").rounds(2)
PATIENCE = 60  # seconds; a bound for what takes one
SCREENS = ["home", *sorted(file.stem for file in (ROOT / "pages").glob("*.py") if file.stem != "home")]


@pytest.fixture
def store(tmp_path) -> RunStore:
    store = RunStore(tmp_path / "runs")
    for settings in (GOOD, BAD):
        write_run(store, settings, 0.75)
    return store


def spoil(store: RunStore, kind: str) -> None:
    """Do something to the run BAD."""
    path = store.path(BAD.run_id)
    where, _, what = kind.partition(" is ")
    target = path if where == "the folder" else path / where
    if target.is_dir():
        for file in target.iterdir():
            file.unlink()
        target.rmdir()
    else:
        target.unlink()
    match what:
        case "a loop":
            target.symlink_to(target)
        case "a pipe":
            os.mkfifo(target)
        case "a folder":
            target.mkdir()
        case "endless":
            target.symlink_to("/dev/zero")
        case "a file":
            target.write_text("in the way")
        case "large":
            target.write_bytes(b" " * (MOST_BYTES[where] + 1))


ASIDE = {
    "the folder is a loop": "its folder cannot be read (Too many levels of symbolic links)",
    "the folder is a file": "its folder cannot be read (Not a directory)",
    "settings.json is a loop": "its folder cannot be read (Too many levels of symbolic links)",
    "settings.json is a pipe": "settings.json cannot be read (Not a plain file)",
    "settings.json is endless": "settings.json cannot be read (Not a plain file)",
    "settings.json is a folder": "settings.json cannot be read (Is a directory)",
    "settings.json is large": "settings.json cannot be read (Larger than 64 kB)",
    "result.json is a pipe": "result.json cannot be read (Not a plain file)",
    "result.json is large": "result.json cannot be read (Larger than 64 kB)",
    "history.jsonl is a loop": "history.jsonl cannot be read (Too many levels of symbolic links)",
    "history.jsonl is a pipe": "history.jsonl cannot be read (Not a plain file)",
    "history.jsonl is endless": "history.jsonl cannot be read (Not a plain file)",
    "history.jsonl is a folder": "history.jsonl cannot be read (Is a directory)",
}


@pytest.mark.parametrize("kind", ASIDE)
def test_a_run_that_cannot_be_read_is_set_aside_and_the_others_stay(store, kind):
    spoil(store, kind)
    bad, good = sorted(store, key=lambda run: run.run_id == GOOD.run_id)
    assert (bad.state, bad.problem) == ("damaged", f"The run {BAD.run_id} is set aside: {ASIDE[kind]}.")
    assert good.state == "finished"
    assert bool(bad.history) == bool(bad.columns.size) == kind.startswith(("settings", "result"))
    assert bad.has_weights == (not kind.startswith("the folder"))
    assert load_runs(store)["state"].value_counts().to_dict() == {"finished": 1, "damaged": 1}
    assert set(load_histories(store, store.names())["run_id"]) == {GOOD.run_id}
    assert store.signature() == store.signature()
    if "folder" in kind or "history" in kind:
        with pytest.raises(StoreError, match="cannot be written"):
            store.claim(BAD)
    else:
        store.claim(BAD).close()  # it can be trained again


@pytest.mark.parametrize("name", ["weights.safetensors", "predictions.safetensors"])
@pytest.mark.parametrize("what", ["a loop", "a pipe", "a folder", "endless", "large"])
def test_arrays_that_cannot_be_read_are_one_sentence(store, name, what):
    spoil(store, f"{name} is {what}")
    run = store.read(BAD.run_id)
    with pytest.raises(StoreError, match=rf"^The file {name} of the run {BAD.run_id} cannot be read \(.+\)\.$"):
        run.weights() if name.startswith("weights") else run.predictions()


@pytest.mark.parametrize("what", ["a loop", "a pipe", "a folder"])
def test_a_lock_that_is_no_plain_file_keeps_nobody_waiting(store, what):
    spoil(store, f".lock is {what}")
    assert not store.is_locked(BAD.run_id)
    with pytest.raises(StoreError, match=r"cannot be written: |\.lock cannot be read"):
        store.claim(BAD)


@pytest.mark.process
def test_fifty_megabytes_of_newlines_cost_no_memory(store):
    """In a process of its own, whose memory is measured and bounded."""
    (store.path(BAD.run_id) / "history.jsonl").write_bytes(b"\n" * 50_000_000)
    script = (
        "import resource, sys\nfrom pathlib import Path\nfrom core.runs.store import RunStore\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\nruns = list(RunStore(Path(sys.argv[1])))\n"
        "print(sum(len(run.history) for run in runs), peak() - before)\n"
    )
    command = [sys.executable, "-c", script, store.root]
    limit = lambda: resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))  # noqa: E731
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=limit, timeout=PATIENCE)
    epochs, megabytes = map(int, done.stdout.split())
    assert epochs == 12
    assert megabytes < 20


@pytest.mark.parametrize("error", ["\ud800", 7, ["x"], None])
def test_an_error_that_is_no_text_sets_its_run_aside(store, error):
    path = store.path(BAD.run_id) / "result.json"
    summary = {"state": "failed", "epochs": 3, "ended": "2026-01-01T00:00:00+00:00", "error": error}
    path.write_text(json.dumps(summary))
    run = store.read(BAD.run_id)
    assert run.state == "damaged"
    assert run.problem.endswith(("result.json is not JSON.", "error in result.json is wrong."))
    load_runs(store).to_parquet()  # which a lone surrogate would break


def test_an_error_of_any_text_is_kept_as_one_line_that_can_be_read_again(store):
    writer = store.claim(BAD)
    writer.fail("first\n\n second \ud800 " + "long " * 100_000)
    writer.close()
    run = store.read(BAD.run_id)
    assert run.state == "failed"
    assert run.problem.startswith("first second ? long long")
    assert len(run.problem) == MOST_TEXT + 1


def test_names_of_any_bytes_in_the_stores_folder_can_be_shown(store):
    os.mkdir(os.fsencode(store.root) + b"/\xff\xfe")
    assert store.foreign() == ["\N{REPLACEMENT CHARACTER}" * 2]


@pytest.mark.screen
@pytest.mark.usefixtures("screens_alone")
@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_stands_beside_a_run_that_cannot_be_read(store, monkeypatch, screen):
    for kind in ("the folder is a loop",):
        spoil(store, kind)
    monkeypatch.setattr(shared.STORE, "root", store.root)
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60).run()
    if screen != "home":
        app.switch_page(f"pages/{screen}.py").run()
    assert not app.exception
    assert len(app.title) == 1


# --- a user without rights --------------------------------------------------------------------------------------------


def run_without_rights(script: str, *arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a script, or "" for the command line, in a process for which the permissions of files hold, also as root."""
    command = [sys.executable, "-B", *(["-c", script] if script else ["-m", "core"]), *map(str, arguments)]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("Root needs setpriv to do without its rights.")
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
    values = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    return subprocess.run(command, cwd=cwd, env=values, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture
def closing(store):
    """Gives back, at the end, the rights to what a test has closed, so that it can be removed."""
    yield store
    for folder in (store.root, store.path(BAD.run_id)):
        folder.chmod(0o755)


THREE_COMMANDS = """
import json, sys
from typer.testing import CliRunner
from core.cli import app

commands = [["runs", "--json"], ["table", "--json"], ["runs", "check"]]
done = [CliRunner().invoke(app, [*command, "--store", sys.argv[1]]) for command in commands]
print(json.dumps([(each.exit_code, each.stdout, each.stderr) for each in done]))
"""


@pytest.mark.process
@pytest.mark.parametrize("what", ["", "history.jsonl", "settings.json", "result.json"])
def test_the_shell_shows_the_rest_and_names_a_run_that_may_not_be_read(closing, what):
    (closing.path(BAD.run_id) / what).chmod(0)
    part = what or "its folder"
    sentence = f"The run {BAD.run_id} is set aside: {part} cannot be read (Permission denied)."
    listed, table, checked = json.loads(run_without_rights(THREE_COMMANDS, closing.root).stdout)
    rows = [(row["run_id"], row["state"]) for row in json.loads(listed[1])]
    assert rows == [(run_id, "damaged" if run_id == BAD.run_id else "finished") for run_id in closing.names()]
    assert json.loads(table[1])[0]["rounds"] == 1
    for status, _, stderr in (listed, table):
        assert (status, stderr.splitlines()) == (0, [sentence])
    assert (checked[0], sentence in checked[1], "Traceback" in checked[2]) == (1, True, False)


@pytest.mark.process
def test_a_store_that_may_not_be_read_is_one_sentence(closing):
    closing.root.chmod(0)
    for command in (("runs",), ("table",), ("export", "/tmp/none")):
        done = run_without_rights("", *command, "--store", closing.root)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f"Error: Invalid value for '--store': path '{closing.root}' is not readable.\n")


@pytest.mark.process
def test_health_says_that_a_store_may_not_be_read(closing):
    closing.root.chmod(0)
    script = "\n".join(
        [
            "import json, sys",
            "from pathlib import Path",
            "from core.cluster.engine import Engine",
            "from core.cluster.health import check_health",
            "from core.runs.store import RunStore",
            "print(json.dumps(check_health(Engine(RunStore(Path(sys.argv[1]))))))",
        ]
    )
    health = json.loads(run_without_rights(script, closing.root).stdout)
    problem = f"The store {closing.root} cannot be read: Permission denied."
    assert (health["healthy"], health["store"]) == (False, {"runs": 0, "writable": False, "problem": problem})


@pytest.mark.process
def test_a_run_is_refused_in_one_sentence_where_nothing_can_be_written(closing):
    closing.root.chmod(0o555)
    done = run_without_rights("", "train", "--nb_rounds", 1, "--store", closing.root, cwd=closing.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Error: The store {closing.root} cannot be written: Permission denied." in done.stderr
    assert "Traceback" not in done.stderr
