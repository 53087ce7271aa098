"""Things go wrong for real: processes are killed, the line is cut, the disk fills, files tear, the clock jumps.

After each, the finished epochs are still there, the run goes on or is marked, others are untouched, and the screen
says what has happened.
"""

# long: the faults share their clusters and what is looked for after each

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import psutil
import pytest
import streamlit as st
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from core.cluster.conductor import GIVEN_UP, LOSSES, Conductor
from core.cluster.engine import Engine
from core.runs.settings import RunSettings
from core.runs.store import RunStore, StoreError
from pages.app import shared
from support.fake_runs import write_run
from support.servers import ROOT, find_port, serve, serve_on, start_process

PATIENCE = 180  # seconds; a bound for what takes a few
ENDLESS = RunSettings(model="TwoChannelsModel", training_pairs=10_000, max_epochs=500, patience=500)  # some minutes
BRIEF = RunSettings(model="TwoChannelsModel", max_epochs=3, patience=30)


WITH_TWO_WORKERS = pytest.mark.parametrize("engine", [2], indirect=True, ids=["two workers"])


@pytest.fixture
def engine(request, tmp_path) -> Iterator[Engine]:
    """An engine with a local cluster of one worker, or as many as asked for, all ready."""
    with closing(Engine(RunStore(tmp_path / "runs"), workers=getattr(request, "param", 1))) as engine:
        engine.start(warm=True)
        yield engine


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Engine]:
    """The same with two, shared by tests that spare it; other engines may use its scheduler."""
    with closing(Engine(RunStore(tmp_path_factory.mktemp("faults") / "runs"), workers=2)) as engine:
        engine.start(warm=True)
        yield engine


@contextmanager
def engine_on(cluster: Engine, root: Path) -> Iterator[Engine]:
    """An engine with a store of its own that trains on the same workers."""
    with closing(Engine(RunStore(root), scheduler=scheduler_of(cluster))) as engine:
        engine.start(warm=True)
        yield engine


def scheduler_of(engine: Engine) -> str:
    return engine.conductor.cluster.connection._client.scheduler.address


def host_of(engine: Engine) -> int:
    return engine.conductor.cluster.connection.host.pid


def workers_of(engine: Engine) -> list[psutil.Process]:
    """The processes of a local cluster that train."""
    return [
        child
        for child in psutil.Process(host_of(engine)).children(recursive=True)
        if "spawn_main" in child.cmdline()[-2]
    ]


def wait_until(engine: Engine, condition) -> None:
    """Wait for something that the engine tells of."""
    with engine.changed:
        assert engine.changed.wait_for(condition, PATIENCE)


def wait_for_epochs(engine: Engine, settings: RunSettings, epochs: int) -> None:
    wait_until(engine, lambda: engine.epochs(settings.run_id) >= epochs)


def wait_for_note(engine: Engine, settings: RunSettings, note: str) -> None:
    wait_until(engine, lambda: note in engine.jobs[settings.run_id].note)


def epochs_of(store: RunStore, settings: RunSettings) -> list[int]:
    return [record["epoch"] for record in store.read(settings.run_id).history]


def check_that_it_goes_on(engine: Engine, settings: RunSettings, kept: list[int]) -> None:
    """The run has all that it had, trains beyond that, and stops when asked; another run is trained to its end."""
    wait_for_epochs(engine, settings, len(kept) + 2)
    assert epochs_of(engine.store, settings)[: len(kept)] == kept == [*range(1, len(kept) + 1)]
    brief = BRIEF.model_copy(update={"seed": settings.seed + 500})
    engine.submit(brief)
    assert engine.wait([brief.run_id], PATIENCE)
    assert (engine.store.read(brief.run_id).state, epochs_of(engine.store, brief)) == ("finished", [1, 2, 3])
    engine.stop([settings.run_id])
    assert engine.wait([settings.run_id], PATIENCE)
    assert engine.store.read(settings.run_id).state == "stopped"


@pytest.fixture
def look(monkeypatch):
    """What the screen Train says of these rounds: `look(engine, settings, rounds)`, all its words in one text."""

    def show(engine: Engine, settings: RunSettings, rounds: int = 1, press: str | None = None) -> str:
        monkeypatch.setattr(shared, "get_engine", lambda: engine)
        monkeypatch.setattr(shared.STORE, "root", engine.store.root)
        st.cache_data.clear()
        app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60).switch_page("pages/train.py")
        for name, value in {**settings.model_dump(exclude_defaults=True), "rounds": rounds}.items():
            app.query_params[name] = str(value)
        app.run()
        if press:
            next(button for button in app.button if button.label == press).click().run()
        assert not app.exception
        parts = [part.value for part in (*app.caption, *app.markdown, *app.error, *app.warning)]
        return "\n".join([*parts, *(unescape(part.proto.body) for part in app.get("html"))])

    return show


# --- processes that are killed ----------------------------------------------------------------------------------------


@WITH_TWO_WORKERS
def test_a_worker_killed_in_mid_run(engine, look):
    done = write_run(engine.store, ENDLESS.model_copy(update={"seed": 9}), 0.75)
    settings, other = ENDLESS.rounds(2)
    for run in (settings, other):
        engine.submit(run)
    for run in (settings, other):
        wait_for_epochs(engine, run, 3)
    workers_of(engine)[0].kill()
    wait_until(engine, lambda: any(job.note for job in engine.jobs.values()))
    [hit] = [job.settings for job in engine.jobs.values() if job.note]
    before = epochs_of(engine.store, hit)
    assert re.search(r"training; its worker was lost; it trains again and goes on after epoch \d+", look(engine, hit))
    for run in (settings, other):
        engine.stop([run.run_id]) if run != hit else check_that_it_goes_on(engine, hit, before)
    assert engine.wait([other.run_id, settings.run_id], PATIENCE)
    assert engine.store.read(done).state == "finished"


def test_a_run_that_kills_its_worker_again_and_again_is_given_up_and_spares_the_others(engine):
    killer, other = ENDLESS.rounds(2)
    engine.submit(killer)
    wait_for_epochs(engine, killer, 2)
    engine.jobs[killer.run_id].losses = LOSSES
    for worker in workers_of(engine):
        worker.kill()
    assert engine.wait([killer.run_id], PATIENCE)
    run = engine.store.read(killer.run_id)
    assert run.state == "failed"
    assert run.problem == GIVEN_UP == engine.problems[killer.run_id]
    engine.submit(other)
    wait_for_epochs(engine, other, 1)
    check_that_it_goes_on(engine, other, epochs_of(engine.store, other))


@WITH_TWO_WORKERS  # both runs are under way as the host is lost
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_host_of_the_cluster_lost_in_mid_run(engine, look, how):
    saved, given_up = (ENDLESS.model_copy(update={"seed": seed}) for seed in (20, 21))
    for settings in (saved, given_up):
        engine.submit(settings)
        wait_for_epochs(engine, settings, 3)
    with engine.changed:
        wait_until(engine, lambda: engine.jobs[given_up.run_id].part)
        engine.jobs[given_up.run_id].losses = LOSSES  # as if it had killed the engine that often
    family = psutil.Process(host_of(engine)).children(recursive=True)
    os.kill(host_of(engine), how)
    wait_until(engine, lambda: given_up.run_id not in engine.jobs)
    wait_for_note(engine, saved, "the engine was lost and has started again")
    assert len(psutil.wait_procs(family, PATIENCE)[0]) == len(family)
    text = look(engine, saved)
    assert re.search("the engine was lost and has started again; it goes on after epoch [0-9]+", text)
    assert "The engine was lost and has started again; the runs go on." in text
    text = look(engine, given_up)
    assert "1 round: 1 interrupted. *Start training* goes on with the rest." in text
    assert f"The engine was lost {LOSSES + 1} times during this run." in text
    kept = epochs_of(engine.store, given_up)
    assert len(kept) >= 3
    assert engine.submit(given_up) == "submitted"
    check_that_it_goes_on(engine, given_up, kept)
    engine.stop([saved.run_id])
    assert engine.wait([saved.run_id], PATIENCE)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_host_of_the_cluster_lost_while_nobody_trains(engine, how):
    lost = host_of(engine)
    os.kill(lost, how)
    wait_until(engine, lambda: engine.notices)
    assert engine.notices == ["The engine was lost and has started again."]
    assert not psutil.pid_exists(lost)
    engine.submit(ENDLESS)
    wait_for_epochs(engine, ENDLESS, 1)
    check_that_it_goes_on(engine, ENDLESS, epochs_of(engine.store, ENDLESS))


def test_a_run_can_be_submitted_joined_and_stopped_while_the_engine_is_away(engine):
    os.kill(host_of(engine), signal.SIGSTOP)  # nothing tells so for some seconds
    assert engine.submit(ENDLESS) == "submitted"
    assert engine.submit(ENDLESS) == "joined"
    assert engine.state in ("ready", "lost", "starting")
    other = ENDLESS.model_copy(update={"seed": 1})
    engine.submit(other)
    engine.stop([other.run_id])
    assert engine.wait([other.run_id], PATIENCE)
    assert engine.store.read(other.run_id).state == "stopped"
    wait_for_epochs(engine, ENDLESS, 1)
    check_that_it_goes_on(engine, ENDLESS, epochs_of(engine.store, ENDLESS))


def test_a_worker_frozen_in_mid_run_is_taken_for_lost(engine):
    settings = ENDLESS.model_copy(update={"seed": 25})
    engine.submit(settings)
    wait_for_epochs(engine, settings, 3)
    for worker in workers_of(engine):
        worker.suspend()
    wait_for_note(engine, settings, "the engine was lost and has started again")
    check_that_it_goes_on(engine, settings, epochs_of(engine.store, settings))


def test_nothing_is_left_after_an_engine_is_closed_in_the_midst_of_trouble(engine):
    engine.submit(ENDLESS)
    wait_for_epochs(engine, ENDLESS, 1)
    family = psutil.Process(host_of(engine)).children(recursive=True)
    os.kill(host_of(engine), signal.SIGSTOP)
    engine.close()
    assert psutil.wait_procs(family, PATIENCE)[1] == []
    assert not engine.store.is_locked(ENDLESS.run_id)
    assert engine.jobs == {}


def count_marks(page) -> int:
    return page.evaluate(
        "() => [...document.querySelectorAll('.mark-line path')]"
        ".reduce((sum, path) => sum + (path.getAttribute('d').match(/[ML]/g) || []).length, 0)"
    )


MORE_MARKS = (
    "seen => [...document.querySelectorAll('.mark-line path')]"
    ".reduce((sum, path) => sum + (path.getAttribute('d').match(/[ML]/g) || []).length, 0) > seen"
)


def wait_for_stored(page, store: RunStore, settings: RunSettings, epochs: int) -> None:
    """Wait until another process has stored so many epochs, while the browser lives on."""
    ended = time.monotonic() + PATIENCE
    while len(epochs_of(store, settings)) < epochs:
        assert time.monotonic() < ended
        page.wait_for_timeout(50)


def address_of(server: str, settings: RunSettings) -> str:
    choices = {**settings.model_dump(exclude_defaults=True), "rounds": 1}
    return f"{server}/train?" + "&".join(f"{name}={value}" for name, value in choices.items())


def test_the_line_is_cut_the_page_reloads_and_the_server_is_killed(cluster, browser, tmp_path):  # long: one story
    store, settings, port = RunStore(tmp_path / "runs"), ENDLESS.model_copy(update={"seed": 30}), find_port()
    other = write_run(store, ENDLESS.model_copy(update={"seed": 31}), 0.75)
    context, sockets = browser.new_context(), []
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.route_web_socket(
        re.compile("_stcore/stream"), lambda socket: sockets.append((socket, socket.connect_to_server()))
    )
    with serve_on(port, ROOT / "streamlit_app.py", store.root, PAIR_SCHEDULER=scheduler_of(cluster)) as (
        server,
        process,
    ):
        page.goto(address_of(server, settings))
        page.get_by_role("button", name="Start training", exact=True).click()
        page.locator(".mark-line path").first.wait_for()

        # The browser offers "offline" for new connections alone, so the open one is cut besides. What follows does not
        # depend on how long it lasts: here, until the browser says that it has lost the server and two epochs are over.
        context.set_offline(True)
        sockets[-1][0].close(code=1006)
        sockets[-1][1].close()
        expect(
            page.get_by_text("Streamlit server is not responding. Are you connected to the internet?")
        ).to_be_visible()
        before, seen = epochs_of(store, settings), count_marks(page)
        wait_for_stored(page, store, settings, len(before) + 2)
        assert count_marks(page) == seen
        context.set_offline(False)
        page.wait_for_function(MORE_MARKS, arg=seen)
        expect(page.get_by_role("dialog")).to_have_count(0)

        page.reload()
        page.wait_for_function(MORE_MARKS, arg=seen)
        expect(page.get_by_text("1 round: 1 training.")).to_be_visible()

        process.kill()
        process.wait()
        kept = epochs_of(store, settings)
        assert kept == [*range(1, len(kept) + 1)]
        assert store.read(settings.run_id).state == "interrupted"
        expect(
            page.get_by_text("Streamlit server is not responding. Are you connected to the internet?")
        ).to_be_visible()
    with serve_on(port, ROOT / "streamlit_app.py", store.root, PAIR_SCHEDULER=scheduler_of(cluster)):
        expect(page.get_by_text("1 round: 1 interrupted. Start training goes on with the rest.")).to_be_visible()
        page.get_by_role("button", name="Start training", exact=True).click()
        wait_for_stored(page, store, settings, len(kept) + 2)
        assert epochs_of(store, settings)[: len(kept)] == kept
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("1 round: 1 stopped.")).to_be_visible()
    context.close()
    assert store.read(other).state == "finished"


def test_two_servers_on_one_store(cluster, open_page):
    settings = ENDLESS.model_copy(update={"seed": 40})
    cluster.submit(settings)
    wait_for_epochs(cluster, settings, 1)
    with serve(ROOT / "streamlit_app.py", cluster.store.root, PAIR_SCHEDULER=scheduler_of(cluster)) as server:
        page = open_page(address_of(server, settings))
        expect(page.get_by_text("Another program on this store trains 1 of them")).to_be_visible()
        page.get_by_role("button", name="Start training", exact=True).click()  # it stays the other's run
        page.wait_for_function(MORE_MARKS, arg=count_marks(page))
        page.wait_for_function(MORE_MARKS, arg=count_marks(page))
        assert cluster.store.read(settings.run_id).state == "active"
        cluster.stop([settings.run_id])
        assert cluster.wait([settings.run_id], PATIENCE)
        expect(page.get_by_text("1 round: 1 stopped.")).to_be_visible()
    kept = epochs_of(cluster.store, settings)
    assert kept == [*range(1, len(kept) + 1)]


# --- the disk ---------------------------------------------------------------------------------------------------------


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[Path]:
    """Something mounted at a folder; the test is skipped where that is not allowed."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(place: Path) -> Path:
    """A file that takes all the space there is."""
    ballast = place / "ballast"
    done = subprocess.run(["dd", "if=/dev/zero", f"of={ballast}"], capture_output=True, text=True)
    assert "No space left on device" in done.stderr
    return ballast


def test_the_disk_fills(cluster, look, tmp_path):
    settings, new = ENDLESS.rounds(2)
    with (
        mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=512k", "tmpfs") as place,
        engine_on(cluster, place / "runs") as engine,
    ):
        other = write_run(engine.store, ENDLESS.model_copy(update={"seed": 51}), 0.75)
        engine.submit(settings)
        wait_for_epochs(engine, settings, 2)
        ballast = fill(place)
        assert engine.wait([settings.run_id], PATIENCE)
        kept = epochs_of(engine.store, settings)
        assert len(kept) >= 2
        text = look(engine, settings)
        assert "The history could not be written: No space left on device." in text
        assert "*Start training* goes on with the rest." in text
        assert f"The store {engine.store.root} cannot be written: No space left on device." in look(
            engine, new, press="Start training"
        )
        assert engine.store.read(new.run_id).state == "missing"
        assert engine.store.read(other).state == "finished"
        ballast.unlink()
        engine.submit(settings)
        wait_for_epochs(engine, settings, len(kept) + 2)
        engine.stop([settings.run_id])
        assert engine.wait([settings.run_id], PATIENCE)
        assert engine.store.read(settings.run_id).state == "stopped"
        assert epochs_of(engine.store, settings)[: len(kept)] == kept


def test_the_store_becomes_read_only(cluster, look, tmp_path):
    settings = ENDLESS.model_copy(update={"seed": 60})
    with engine_on(cluster, tmp_path / "runs") as engine:
        other = write_run(engine.store, ENDLESS.model_copy(update={"seed": 61}), 0.75)
        engine.submit(settings)
        wait_for_epochs(engine, settings, 2)
        root = engine.store.root
        with mounted(root, "--bind", root):
            subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)
            assert engine.wait([settings.run_id], PATIENCE)
            text = look(engine, settings)
            assert "1 interrupted" in text
            assert "The history could not be written: Read-only file system." in text
            assert f"The store {root} cannot be written: Read-only file system." in look(
                engine, settings, press="Start training"
            )
            assert engine.store.read(other).state == "finished"
            kept = epochs_of(engine.store, settings)
        assert len(kept) >= 2
        engine.submit(settings)
        wait_for_epochs(engine, settings, len(kept) + 1)
        engine.stop([settings.run_id])
        assert engine.wait([settings.run_id], PATIENCE)
        assert epochs_of(engine.store, settings)[: len(kept)] == kept


def test_an_unwritable_store_is_refused_before_the_engine_starts(tmp_path):
    (tmp_path / "file").write_text("in the way")
    engine = Engine(RunStore(tmp_path / "file" / "runs"))
    with pytest.raises(StoreError, match=r"The store .*/file/runs cannot be written: Not a directory\."):
        engine.submit(ENDLESS)
    assert engine.state == "not started"


# --- torn files -------------------------------------------------------------------------------------------------------


def cut_last_lines(path: Path) -> Iterator[bytes]:
    """The file's content cut at every byte offset of its last two lines; the file itself is left whole."""
    whole = path.read_bytes()
    for size in range(len(b"".join(whole.splitlines(keepends=True)[:-2])), len(whole)):
        yield whole[:size]


@pytest.mark.parametrize("name", ["settings.json", "result.json", "history.jsonl"])
def test_a_finished_runs_files_torn_at_every_byte(tmp_path, name):
    store = RunStore(tmp_path)
    run_id, other = (write_run(store, settings, 0.75, epochs=4) for settings in BRIEF.rounds(2))
    path = store.path(run_id) / name
    whole = path.read_bytes()
    for part in cut_last_lines(path):
        path.write_bytes(part)
        run = store.read(run_id)
        if name == "history.jsonl":
            lines = part.count(b"\n")
            assert [record["epoch"] for record in run.history] == [*range(1, lines + 1)]
            assert (run.state, run.history_problem) == ("finished", f"The history of {run_id} has {lines} of 4 epochs.")
        else:
            assert run.state == "damaged"
            assert run.problem == f"The run {run_id} is set aside: {name} is not JSON."
            assert len(run.history) == 4
        assert store.read(other).state == "finished"
    path.write_bytes(whole)
    assert store.read(run_id).state == "finished"


def test_an_unfinished_runs_files_torn_at_every_byte(tmp_path):
    store, settings = RunStore(tmp_path), BRIEF
    finished = store.read(write_run(store, settings.model_copy(update={"seed": 1}), 0.75, epochs=4))
    writer = store.claim(settings)
    for record in finished.history:
        writer.append(record)
    writer.close()
    for path in (writer.path / "settings.json", writer.path / "history.jsonl"):
        whole = path.read_bytes()
        for part in cut_last_lines(path):
            path.write_bytes(part)
            again = store.claim(settings)  # whoever starts it again mends it
            known = [record["epoch"] for record in store.read(settings.run_id).history]
            assert [again.append(record) for record in finished.history] == [n not in known for n in range(1, 5)]
            again.close()
            assert path.read_bytes() == whole
            assert store.read(settings.run_id).state == "interrupted"


def test_the_screen_says_which_file_is_torn(tmp_path, look, monkeypatch):
    monkeypatch.setattr(Conductor, "start", lambda conductor: None)
    engine = Engine(RunStore(tmp_path))
    rounds = BRIEF.rounds(3)
    for settings in rounds:
        write_run(engine.store, settings, 0.75, epochs=4)
    for settings, name in zip(rounds, ("settings.json", "result.json", "history.jsonl"), strict=True):
        path = engine.store.path(settings.run_id) / name
        path.write_bytes(path.read_bytes()[:-9])
    text = look(engine, BRIEF, rounds=3)
    assert "3 rounds: 2 set aside, 1 finished." in text
    assert f"The run {rounds[0].run_id} is set aside: settings.json is not JSON." in text
    assert f"The run {rounds[1].run_id} is set aside: result.json is not JSON." in text
    assert f"The history of {rounds[2].run_id} has 3 of 4 epochs." in text


def test_what_a_killed_writer_leaves_is_no_run_and_is_swept(tmp_path):
    store = RunStore(tmp_path)
    folder = store.path(BRIEF.run_id)
    folder.mkdir(parents=True)
    (folder / ".lock").touch()
    (folder / ".new-k3x").write_text("{")
    assert store.read(BRIEF.run_id).state == "missing"
    store.claim(BRIEF).close()
    assert store.read(BRIEF.run_id).state == "interrupted"
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "history.jsonl", "settings.json"]


# --- the clock --------------------------------------------------------------------------------------------------------

JUMPING = """import os, time
real = time.time
def jump():
    try:
        offset = float(open(os.environ["CLOCK"]).read() or 0)
    except OSError:
        return real()
    open(f'{os.environ["CLOCK"]}-{os.getpid()}', "w").close()
    return real() + offset
time.time = jump
"""


@pytest.mark.cluster
def test_the_clock_jumps(tmp_path, look, monkeypatch):
    """Every process of a training from the shell (submitting, scheduler, workers) sees a clock that we set."""
    (tmp_path / "sitecustomize.py").write_text(JUMPING)
    clock, store = tmp_path / "offset", RunStore(tmp_path / "runs")
    other = write_run(store, ENDLESS.model_copy(update={"seed": 71}), 0.75)
    settings = ENDLESS.model_copy(update={"seed": 70})
    arguments = "train --model TwoChannelsModel --training-pairs 10000 --max-epochs 500 --patience 500 --seed 70"
    command = [sys.executable, "-m", "core", *arguments.split(), "--nb_rounds", "1", "--workers", "1"]
    command += ["--store", str(store.root)]
    values = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "CLOCK": str(clock),
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "1s",
    }
    with start_process(command, cwd=ROOT, env=values, stderr=subprocess.PIPE, text=True) as process:
        for epochs, offset in ((3, 86_400), (10, -172_800)):  # a day ahead, then two days back
            wait_for_history(process, store, settings, epochs)
            clock.write_text(str(offset))
        reached = len(epochs_of(store, settings))
        wait_for_history(process, store, settings, reached + 10)  # it goes on, whatever the clock says
        process.send_signal(signal.SIGINT)
        messages = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1, messages
    assert store.read(settings.run_id).state == "stopped"
    kept = epochs_of(store, settings)
    assert kept == [*range(1, len(kept) + 1)]
    assert store.read(other).state == "finished"
    assert len(list(tmp_path.glob("offset-*"))) >= 3  # processes that saw it jump
    monkeypatch.setattr(Conductor, "start", lambda conductor: None)
    assert "2 rounds: 1 stopped, 1 finished." in look(Engine(store), settings, rounds=2)


def wait_for_history(process: subprocess.Popen, store: RunStore, settings: RunSettings, epochs: int) -> None:
    """Wait until a process that must not end by itself has stored so many epochs."""
    ended = time.monotonic() + PATIENCE
    while len(epochs_of(store, settings)) < epochs:
        assert time.monotonic() < ended
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)


def test_folders_from_the_future_are_read_anew_all_the_same(tmp_path):
    store = RunStore(tmp_path)
    writer = store.claim(BRIEF)
    os.utime(writer.path, (4e9, 4e9))
    before = store.signature()
    writer.stop()
    writer.close()
    assert store.signature() != before
    assert store.read(BRIEF.run_id).state == "stopped"
    shutil.rmtree(writer.path)
    assert store.signature() == RunStore(tmp_path / "none").signature()
