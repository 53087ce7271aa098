"""The engine for real: a local Dask cluster, runs that end, are stopped, or lose their worker."""

import os
import subprocess
import sys
from contextlib import closing, suppress

import psutil
import pytest

from core.cluster.conductor import Conductor
from core.cluster.connection import EngineError
from core.cluster.engine import Engine
from core.cluster.limits import LimitError, Limits
from core.processes import ROOT
from core.runs.settings import RunSettings
from core.runs.store import RunStore, StoreError
from core.runs.writer import RunWriter

SHORT = RunSettings(training_pairs=200, max_epochs=4)
LONG = RunSettings(training_pairs=10_000, max_epochs=500, patience=500)  # some minutes
PATIENCE = 180  # seconds; a bound for what takes one or two

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = Engine(RunStore(tmp_path_factory.mktemp("store")), workers=2)
    engine.start(warm=True)
    yield engine
    engine.close()


def wait_until(engine: Engine, condition) -> None:
    with engine.changed:
        assert engine.changed.wait_for(condition, PATIENCE)


def test_runs_are_trained_once_and_land_in_the_store(engine):
    rounds = SHORT.rounds(3)
    assert [engine.submit(settings) for settings in rounds] == ["submitted"] * 3
    assert engine.submit(rounds[0]) == "joined"
    assert engine.wait([settings.run_id for settings in rounds], PATIENCE)
    for settings in rounds:
        run = engine.store.read(settings.run_id)
        assert (run.state, len(run.history)) == ("finished", 4)
        assert run.weights()
    assert engine.submit(rounds[0]) == "finished"


def test_the_process_that_submits_never_imports_torch(tmp_path):
    script = (
        "import sys\nfrom pathlib import Path\nfrom core.cluster.engine import Engine\n"
        "from core.runs.store import RunStore\n"
        "from core.runs.settings import RunSettings\n"
        "engine = Engine(RunStore(Path(sys.argv[1])), workers=1)\n"
        "settings = RunSettings(training_pairs=100, max_epochs=1)\n"
        "engine.submit(settings)\nassert engine.wait([settings.run_id], 60)\n"
        "print(engine.store.read(settings.run_id).state, 'torch' in sys.modules)\nengine.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["finished", "False"], done.stderr


def test_a_run_under_way_stops_after_its_epoch_and_keeps_its_history(engine):
    engine.submit(LONG)
    wait_until(engine, lambda: engine.epochs(LONG.run_id) >= 2)
    assert engine.store.read(LONG.run_id).state == "active"
    engine.stop([LONG.run_id])
    assert engine.wait([LONG.run_id], PATIENCE)
    run = engine.store.read(LONG.run_id)
    assert run.state == "stopped"
    assert len(run.history) >= 2


def test_a_waiting_run_stops_at_once(engine, monkeypatch):
    monkeypatch.setattr(engine.conductor.queue, "live", 1)
    busy, waiting = LONG.rounds(3)[1:], RunSettings(seed=99, max_epochs=1)
    for settings in [*busy, waiting]:
        engine.submit(settings)
    wait_until(engine, lambda: all(engine.epochs(settings.run_id) for settings in busy))
    engine.stop([waiting.run_id])
    assert engine.wait([waiting.run_id], PATIENCE)
    assert engine.store.read(waiting.run_id).state == "stopped"
    assert engine.store.read(waiting.run_id).history == []
    engine.stop([settings.run_id for settings in busy])
    assert engine.wait([settings.run_id for settings in busy], PATIENCE)


@pytest.fixture
def unstarted(tmp_path, monkeypatch):
    """An engine whose runs wait for ever."""
    monkeypatch.setattr(Conductor, "start", lambda conductor: None)
    engine = Engine(RunStore(tmp_path / "runs"))
    yield engine
    engine.conductor.close()


def test_a_limit_queues_nothing_at_all_and_what_is_queued_already_does_not_count_twice(unstarted):
    rounds = RunSettings(max_epochs=10).rounds(5)
    unstarted.limits = Limits(PAIR_MAX_RUNS=3)
    with pytest.raises(LimitError, match="You may have 3 runs queued at once"):
        unstarted.request(rounds, "a")
    assert unstarted.jobs == {}
    assert unstarted.request(rounds[:3], "a") == {"submitted"}
    assert unstarted.request(rounds[:3], "a") == {"joined"}
    with pytest.raises(LimitError, match="asks for 1 beside 3 you have"):
        unstarted.request(rounds[3:4], "a")
    assert unstarted.request(rounds[2:5], "b") == {"joined", "submitted"}
    assert len(unstarted.jobs) == 5


def test_a_request_that_fails_half_way_leaves_nothing_in_the_queue_and_no_lock(unstarted, monkeypatch):
    rounds, claim = SHORT.rounds(3), RunStore.claim

    def fail(store, settings):
        if settings == rounds[2]:
            raise StoreError("The store is full.")
        return claim(store, settings)

    monkeypatch.setattr(RunStore, "claim", fail)
    with pytest.raises(StoreError, match="The store is full"):
        unstarted.request(rounds, "a")
    assert unstarted.jobs == {}
    assert not any(unstarted.store.is_locked(settings.run_id) for settings in rounds)
    monkeypatch.undo()


def test_a_run_that_two_have_asked_for_ends_only_when_both_wish_it(engine):
    engine.request([LONG], "a")
    engine.request([LONG], "b")
    wait_until(engine, lambda: engine.epochs(LONG.run_id) >= 1)
    engine.stop([LONG.run_id], "stranger")
    engine.stop([LONG.run_id], "a")
    assert engine.jobs[LONG.run_id].owners == {"b"}
    assert not engine.jobs[LONG.run_id].stopping
    engine.stop([LONG.run_id], "b")
    assert engine.wait([LONG.run_id], PATIENCE)
    assert engine.store.read(LONG.run_id).state == "stopped"


def test_a_killed_process_leaves_no_worker_behind_and_its_run_interrupted(tmp_path):
    script = (
        "import sys\nfrom pathlib import Path\nfrom core.cluster.engine import Engine\n"
        "from core.runs.store import RunStore\n"
        "from core.runs.settings import RunSettings\nengine = Engine(RunStore(Path(sys.argv[1])), workers=1)\n"
        "settings = RunSettings(training_pairs=10_000, max_epochs=500, patience=500)\nengine.submit(settings)\n"
        "with engine.changed:\n    engine.changed.wait_for(lambda: engine.epochs(settings.run_id) > 1, 60)\n"
        "print('training', flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "training\n"
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2
        process.kill()
    assert len(psutil.wait_procs(family, 20)[0]) == len(family)
    [run] = RunStore(tmp_path)
    assert run.state == "interrupted"
    assert len(run.history) >= 2


def test_a_run_that_another_process_writes_is_left_to_it(engine):
    settings = RunSettings(seed=80, max_epochs=1)
    writer = engine.store.claim(settings)
    assert engine.submit(settings) == "elsewhere"
    writer.close()


def test_a_history_that_cannot_be_written_fails_with_a_sentence_and_spares_the_others(engine, monkeypatch):
    bad, good = RunSettings(seed=90, max_epochs=100), RunSettings(seed=91, max_epochs=3)
    append = RunWriter.append

    def fail(writer, record):
        if writer.run_id == bad.run_id:
            raise OSError(28, os.strerror(28))
        return append(writer, record)

    monkeypatch.setattr(RunWriter, "append", fail)
    engine.submit(bad)
    engine.submit(good)
    assert engine.wait([bad.run_id, good.run_id], PATIENCE)
    assert engine.store.read(good.run_id).state == "finished"
    assert engine.problems[bad.run_id] == "The history could not be written: No space left on device."
    assert engine.store.read(bad.run_id).state == "failed"


def test_an_interrupted_run_can_be_started_again(engine):
    settings = RunSettings(seed=95, training_pairs=200, max_epochs=3)
    engine.store.claim(settings).close()  # what a killed server leaves behind
    assert engine.store.read(settings.run_id).state == "interrupted"
    assert engine.submit(settings) == "submitted"
    assert engine.wait([settings.run_id], PATIENCE)
    assert engine.store.read(settings.run_id).state == "finished"


def test_an_address_without_a_scheduler_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("core.cluster.connection.CONNECT_SECONDS", 1)
    engine = Engine(RunStore(tmp_path), scheduler="tcp://127.0.0.1:9")
    with closing(engine), pytest.raises(EngineError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        engine.start(warm=True)


def test_a_program_ends_without_closing_its_engine(tmp_path):
    script = (
        "import sys\nfrom pathlib import Path\nfrom core.cluster.engine import Engine\n"
        "from core.runs.store import RunStore\n"
        "engine = Engine(RunStore(Path(sys.argv[1])), workers=1)\nengine.start(warm=True)\n"
        "print(engine.conductor.cluster.connection.host.pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(done.stdout)).wait(PATIENCE)
