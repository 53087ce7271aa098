"""The engine for real: a local Dask cluster, runs that end, are stopped, or lose their worker."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from core.engine import ROOT, Engine, EngineError
from core.limits import LimitError, Limits
from core.runs import RunStore
from core.settings import MODEL_NAMES, RunSettings

SHORT = RunSettings(training_pairs=200, max_epochs=4)
LONG = RunSettings(training_pairs=1000, max_epochs=500, patience=500)
PATIENCE = 60  # seconds; a bound for what takes one or two


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = Engine(RunStore(tmp_path_factory.mktemp("store")), workers=2)
    engine.start()
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
        "import sys\nfrom pathlib import Path\nfrom core.engine import Engine\nfrom core.runs import RunStore\n"
        "from core.settings import RunSettings\n"
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


def test_a_waiting_run_stops_at_once(engine):
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


def test_an_owners_second_run_waits_behind_others_first(engine):
    greedy = RunSettings(model="TwoBranchesModel", seed=50, max_epochs=500, patience=500).rounds(4)
    other = RunSettings(model="TwoChannelsModel", seed=60, max_epochs=2)
    engine.request(greedy, "greedy")
    jobs = dict(engine.jobs)
    wait_until(engine, lambda: all(jobs[run.run_id].running for run in greedy[:2]))
    engine.request([other], "other")
    assert [job.settings for job in engine.queue()][2:] == [other, *greedy[2:]]
    engine.stop([greedy[0].run_id])
    assert engine.wait([other.run_id], PATIENCE)  # whichever worker is free, it takes the other's first
    wait_until(engine, lambda: jobs[greedy[2].run_id].running)
    assert engine.store.read(other.run_id).state == "finished"
    assert not any(jobs[run.run_id].running for run in greedy[3:])
    engine.stop([settings.run_id for settings in greedy])
    assert engine.wait([settings.run_id for settings in greedy], PATIENCE)


class Line(Engine):
    """An engine whose runs begin and end when the test says so."""

    def start(self) -> None:
        pass

    def _send(self, job) -> None:
        pass

    def begin(self, *run_ids: str) -> None:
        for run_id in run_ids:
            self.jobs[run_id].future = SimpleNamespace(key=f"train-{run_id}-mine")
            self._on_event((0.0, {"run_id": run_id, "attempt": "mine", "records": []}))

    def end(self, run_id: str) -> None:
        self.jobs.pop(run_id).writer.close()

    def order(self) -> list[str]:
        return ["".join(sorted(job.owners)) + str(job.settings.seed) for job in self.queue() if not job.running]


@pytest.fixture
def line(tmp_path):
    line = Line(RunStore(tmp_path / "runs"))
    yield line
    for run_id in list(line.jobs):
        line.end(run_id)


def test_turns_stay_fair_as_runs_end_and_come(line):
    a, b, c = (RunSettings(model=model).rounds(6) for model in MODEL_NAMES[:3])
    line.request(a[:4], "a")
    line.request(b[:2], "b")
    assert line.order() == ["a0", "b0", "a1", "b1", "a2", "a3"]
    line.begin(a[0].run_id, b[0].run_id)
    line.end(a[0].run_id)
    line.begin(a[1].run_id)
    line.request(c[:2], "c")  # a newcomer does not have to wait for what the others asked for at length
    assert line.order() == ["b1", "c0", "a2", "c1", "a3"]
    line.request(a[4:], "a")  # nor does the first get ahead by what has ended
    assert line.order() == ["b1", "c0", "a2", "c1", "a3", "a4", "a5"]


def test_a_limit_queues_nothing_at_all_and_what_is_queued_already_does_not_count_twice(line):
    rounds = RunSettings(max_epochs=10).rounds(5)
    line.limits = Limits(PAIR_MAX_RUNS=3)
    with pytest.raises(LimitError, match="You may have 3 runs queued at once"):
        line.request(rounds, "a")
    assert line.jobs == {}
    assert line.request(rounds[:3], "a") == {"submitted"}
    assert line.request(rounds[:3], "a") == {"joined"}
    with pytest.raises(LimitError, match="asks for 1 beside 3 you have"):
        line.request(rounds[3:4], "a")
    assert line.request(rounds[2:5], "b") == {"joined", "submitted"}
    assert len(line.jobs) == 5


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
        "import sys\nfrom pathlib import Path\nfrom core.engine import Engine\nfrom core.runs import RunStore\n"
        "from core.settings import RunSettings\nengine = Engine(RunStore(Path(sys.argv[1])), workers=1)\n"
        "settings = RunSettings(max_epochs=500, patience=500)\nengine.submit(settings)\n"
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
    engine.submit(bad)
    job = engine.jobs[bad.run_id]

    def fail(record):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(job.writer, "append", fail)
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
    monkeypatch.setattr("core.engine.CONNECT_SECONDS", 1)
    with pytest.raises(EngineError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        Engine(RunStore(Path(tmp_path)), scheduler="tcp://127.0.0.1:9").start()
