"""A cluster without a shared disk: scheduler, workers and server are processes of their own, in working copies of
their own; histories and weights travel over Dask, and the server alone writes the store."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from core.cluster import connection
from core.cluster.connection import EngineError
from core.cluster.engine import Engine
from core.cluster.versions import describe_versions, name_differences
from core.runs.plan import plan_reproduction
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.servers import ROOT, find_port, serve

PATIENCE = 180  # seconds; a bound for what takes a few
ENDLESS = RunSettings(model="TwoChannelsModel", training_pairs=10_000, max_epochs=500, patience=500)  # some minutes
BRIEF = RunSettings(model="TwoChannelsModel", max_epochs=3, patience=30)

pytestmark = pytest.mark.cluster


@contextmanager
def started(kind: str, copy: Path, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """A `dask scheduler` or `dask worker` that runs in a working copy; gives its address and its process."""
    command = [sys.executable, "-m", "dask", kind, *arguments, "--no-dashboard"]
    log = (copy / f"{kind}.log").open("w+")
    values = {"PATH": "/usr/bin:/bin", "HOME": str(copy), "PAIR_RUNS": str(copy / "no-store"), **environment}
    with log, subprocess.Popen(command, cwd=copy, env=values, stderr=log) as process:
        try:
            yield wait_for_address(Path(log.name), process), process
        finally:
            kill_family(process)


def kill_family(process: subprocess.Popen) -> None:
    """End a process, if it has not ended, with its children."""
    if process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in family:
            child.kill()


def wait_for_address(log: Path, process: subprocess.Popen) -> str:
    """The address under which a Dask process says that it works."""
    while process.poll() is None:
        said = re.search(r"(?:Scheduler at: +|Start worker at: +(?=[\s\S]*Registered to))(\S+)", log.read_text())
        if said:
            return said[1]
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    raise AssertionError(log.read_text())


class Cluster:
    """A scheduler, and workers that come and go."""

    def __init__(
        self, folder: Path, stack: ExitStack, host: str = "127.0.0.1", port: str = "0", **environment: str
    ) -> None:
        self.folder, self.stack, self.environment = folder, stack, environment
        self.workers: dict[str, subprocess.Popen] = {}
        copy = self.copy("scheduler")
        self.address, self.scheduler = self._start("scheduler", copy, "--host", host, "--port", port)

    def copy(self, name: str) -> Path:
        """A working copy: the program and MNIST, and no store."""
        copy = self.folder / name
        shutil.copytree(ROOT / "core", copy / "core", ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "data").symlink_to(ROOT / "data")
        return copy

    def _start(self, kind: str, copy: Path, *arguments: str) -> tuple[str, subprocess.Popen]:
        return self.stack.enter_context(started(kind, copy, *arguments, **self.environment))

    def join(self, copy: Path) -> str:
        """A worker in this working copy; gives its address."""
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(copy / "scratch"))
        address, process = self._start("worker", copy, self.address, *options)
        self.workers[address] = process
        return address

    def kill_workers(self) -> None:
        """As if every machine but the scheduler's lost its power."""
        while self.workers:
            kill_family(self.workers.popitem()[1])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """With two workers to begin with."""
    with ExitStack() as stack:
        cluster = Cluster(tmp_path_factory.mktemp("cluster"), stack)
        for name in ("first", "second"):
            cluster.join(cluster.copy(name))
        yield cluster
        assert not list(cluster.folder.glob("*/no-store"))  # no worker ever wrote a store


@contextmanager
def engine_on(cluster: Cluster, root: Path) -> Iterator[Engine]:
    with closing(Engine(RunStore(root), scheduler=cluster.address)) as engine:
        yield engine


def wait_until(engine: Engine, condition) -> None:
    with engine.changed:
        assert engine.changed.wait_for(condition, PATIENCE)


def test_reproduce_and_the_dashboard_train_on_a_cluster(cluster, tmp_path, open_page):
    store = RunStore(tmp_path / "runs")
    command = [sys.executable, "-m", "core", "reproduce", "--scheduler", cluster.address, "--store", str(store.root)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        first, second = (store.read(settings.run_id) for settings in plan_reproduction()[:2])
        while "finished" not in (store.read(first.run_id).state, store.read(second.run_id).state):
            with pytest.raises(subprocess.TimeoutExpired):  # it must not end by itself
                process.wait(timeout=0.1)
        process.send_signal(2)
        messages = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1, messages
    assert "Traceback" not in messages
    finished = [run for run in store if run.state == "finished"]
    assert finished
    assert all(run.weights() and run.predictions() and not run.history_problem for run in finished)
    assert {run.state for run in store} == {"finished", "stopped"}
    with serve(ROOT / "streamlit_app.py", store.root, PAIR_SCHEDULER=cluster.address) as server:
        page = open_page(f"{server}/train?model=TwoChannelsModel&max_epochs=3&rounds=2")
        page.get_by_role("button", name="Start training", exact=True).click()
        expect(page.get_by_text("2 rounds: 2 finished.")).to_be_visible()


def has_epochs(engine: Engine, settings: RunSettings, epochs: int) -> bool:
    return engine.epochs(settings.run_id) >= epochs


def without_seconds(records: list[dict]) -> list[dict]:
    return [{**record, "seconds": 0} for record in records]


def test_a_worker_is_lost_and_late_ones_join(cluster, tmp_path):
    rounds = ENDLESS.rounds(2)
    with engine_on(cluster, tmp_path / "runs") as engine:
        engine.start(warm=True)
        for settings in rounds:
            engine.submit(settings)
        wait_until(engine, lambda: all(engine.epochs(settings.run_id) >= 3 for settings in rounds))
        jobs = list(engine.jobs.values())
        assert {job.worker for job in jobs} == cluster.workers.keys()
        cluster.kill_workers()  # nothing can go on before another comes
        wait_until(engine, lambda: all(job.note for job in jobs))
        kept = [engine.store.read(settings.run_id).history for settings in rounds]
        [note] = {re.sub(r"\d+", "N", job.note) for job in jobs}
        assert note == "its worker was lost; it trains again and goes on after epoch N"
        late = cluster.join(cluster.copy("late"))
        for settings, before in zip(rounds, kept, strict=True):
            wait_until(engine, partial(has_epochs, engine, settings, len(before) + 2))
            assert {job.worker for job in jobs} == {late}
        later = cluster.join(cluster.copy("later"))
        wait_until(engine, lambda: {job.worker for job in jobs} == {late, later})  # it takes one over
        reached = [engine.epochs(settings.run_id) for settings in rounds]
        wait_until(engine, lambda: all(job.epochs >= n + 2 for job, n in zip(jobs, reached, strict=True)))
        for settings, before in zip(rounds, kept, strict=True):
            history = engine.store.read(settings.run_id).history
            assert [record["epoch"] for record in history] == [*range(1, len(history) + 1)]
            assert without_seconds(history[: len(before)]) == without_seconds(before)
        engine.submit(BRIEF)
        assert engine.wait([BRIEF.run_id], PATIENCE)
        assert engine.store.read(BRIEF.run_id).weights()


def test_a_scheduler_that_vanishes_and_comes_back(tmp_path, monkeypatch):
    """The runs are let go with a sentence, and can be started again as soon as there is a scheduler at the address."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 5)
    port = str(find_port())
    with ExitStack() as stack:
        cluster = Cluster(tmp_path, stack, port=port)
        cluster.join(cluster.copy("first"))
        with engine_on(cluster, tmp_path / "runs") as engine:
            engine.submit(ENDLESS)
            wait_until(engine, lambda: engine.epochs(ENDLESS.run_id) >= 2)
            kill_family(cluster.scheduler)
            cluster.kill_workers()
            assert engine.wait([ENDLESS.run_id], PATIENCE)
            kept = engine.store.read(ENDLESS.run_id)
            assert kept.state == "interrupted"
            assert re.match("No Dask scheduler answers at .*The run was inter", engine.problems[ENDLESS.run_id])
            assert engine.state == "lost"
            assert "No Dask scheduler answers" in engine.sentence
            again = Cluster(tmp_path / "again", stack, port=port)
            again.join(again.copy("first"))
            while engine.epochs(ENDLESS.run_id) <= len(kept.history):  # the first tries may come too early
                engine.submit(ENDLESS)
                with engine.changed:
                    engine.changed.wait(timeout=1)


def test_a_scheduler_that_freezes_for_a_while(cluster, tmp_path, monkeypatch):
    """As a line that is silent without being closed: the loss is noticed, and the run goes on when it answers again."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 3)
    cluster.join(cluster.copy("spare"))
    with engine_on(cluster, tmp_path / "runs") as engine:
        engine.submit(ENDLESS)
        wait_until(engine, lambda: engine.epochs(ENDLESS.run_id) >= 2)
        cluster.scheduler.send_signal(signal.SIGSTOP)
        try:
            lost = engine.conductor.cluster
            with lost._changed:
                assert lost._changed.wait_for(lambda: lost.state == "lost", PATIENCE)
            kept = engine.epochs(ENDLESS.run_id)
            assert ENDLESS.run_id in engine.jobs
        finally:
            cluster.scheduler.send_signal(signal.SIGCONT)
        wait_until(engine, lambda: engine.epochs(ENDLESS.run_id) >= kept + 2)
        [job] = engine.jobs.values()
        assert job.note.startswith("the engine was lost and has started again; it goes on after epoch ")
        history = engine.store.read(ENDLESS.run_id).history
        assert [record["epoch"] for record in history] == [*range(1, len(history) + 1)]


def test_the_shells_scheduler_vanishes_in_mid_run(tmp_path):
    """The command ends with a sentence, what was trained is kept, and the same command goes on from there."""
    store = RunStore(tmp_path / "runs")
    options = "--model TwoChannelsModel --training-pairs 10000 --max-epochs 500 --patience 500 --nb_rounds 1"
    with ExitStack() as stack:
        cluster = Cluster(tmp_path, stack)
        cluster.join(cluster.copy("first"))
        where = ["--scheduler", cluster.address, "--store", str(store.root)]
        command = [sys.executable, "-m", "core", "train", *options.split(), *where]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            while len(store.read(ENDLESS.run_id).history) < 2:
                with pytest.raises(subprocess.TimeoutExpired):  # it must not end by itself
                    process.wait(timeout=0.1)
            kill_family(cluster.scheduler)
            said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1, said
    assert "Traceback" not in said
    assert f"No Dask scheduler answers at {cluster.address} (" in said
    run = store.read(ENDLESS.run_id)
    assert (run.state, run.history_problem) == ("interrupted", "")
    assert len(run.history) >= 2


def give_other_version(copy: Path, package: str, version: str) -> None:
    """Make a package look as if another version of it were installed, to whatever runs in this working copy."""
    folder = copy / f"{package}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")


def test_versions_that_do_not_match_are_named(cluster, tmp_path):
    cluster.kill_workers()
    ours, other, bare = describe_versions(), cluster.copy("other"), tmp_path / "bare"
    give_other_version(other, "torch", "1.13.1")
    changed = Path("core", "training", "procedure.py")
    (other / changed).write_text((ROOT / changed).read_text() + "\n# changed\n")
    bare.mkdir()

    def sentence(address: str) -> str:
        wrong = (
            rf"torch 1\.13\.1 instead of {ours['torch']}, this program [0-9a-f]{{8}} instead of {ours['this program']}"
        )
        return rf"The worker at {address} has {wrong}\."

    with engine_on(cluster, tmp_path / "runs") as engine:
        for copy, explain in ((other, sentence), (bare, "The worker at {} has no copy of this program".format)):
            engine.close()
            address = cluster.join(copy)
            with pytest.raises(EngineError, match=explain(address)):
                engine.start(warm=True)
            assert cluster.workers[address].wait(PATIENCE) is not None
            cluster.kill_workers()
        # One that comes while runs wait is found out before it is given any of them, and sent away.
        engine.notices.clear()
        engine.submit(BRIEF)
        address = cluster.join(other)
        wait_until(engine, lambda: engine.notices)
        [notice] = engine.notices
        assert re.fullmatch(sentence(address) + r" It was sent away\.", notice)
        assert cluster.workers[address].wait(PATIENCE) is not None
        assert engine.jobs[BRIEF.run_id].epochs == 0
        cluster.join(cluster.copy("good"))
        assert engine.wait([BRIEF.run_id], PATIENCE)
        assert engine.store.read(BRIEF.run_id).state == "finished"


def test_differences_are_said_in_words():
    ours = describe_versions()
    assert list(ours) == ["Python", "torch", "numba", "distributed", "this program"]
    assert name_differences(ours) == ""
    theirs = {**ours, "Python": "3.9", "distributed": "2020.1.0"}
    expected = f"Python 3.9 instead of {ours['Python']}, distributed 2020.1.0 instead of {ours['distributed']}"
    assert name_differences(theirs) == expected


@pytest.fixture
def certificate(tmp_path) -> dict[str, str]:
    """A self-made certificate, as the settings of Dask that a machine of the cluster has in its environment."""
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=pairs -keyout {key} -out {file}"
    subprocess.run(command.split(), check=True, capture_output=True)
    prefix = "DASK_DISTRIBUTED__COMM__TLS__"
    values = {f"{prefix}CA_FILE": str(file), "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        values |= {f"{prefix}{role}__KEY": str(key), f"{prefix}{role}__CERT": str(file)}
    return values


def train_once(address: str, store: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    options = f"--nb_rounds 1 --training-pairs 100 --max-epochs 2 --scheduler {address} --store {store}"
    command = [sys.executable, "-m", "core", "train", *options.split()]
    values = {"PATH": "/usr/bin:/bin", **environment}
    return subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, timeout=PATIENCE)


def test_a_cluster_with_tls(tmp_path, certificate):
    with ExitStack() as stack:
        cluster = Cluster(tmp_path, stack, "tls://127.0.0.1", **certificate)
        assert cluster.address.startswith("tls://")
        cluster.join(cluster.copy("first"))
        done = train_once(cluster.address, tmp_path / "runs", **certificate)
        assert done.returncode == 0, done.stderr
        [run] = RunStore(tmp_path / "runs")
        assert (run.state, len(run.history)) == ("finished", 2)
        refused = train_once(cluster.address, tmp_path / "other")  # who has no certificate
        assert refused.returncode == 1
        reason = "TLS needs certificates: name their files in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …"
        assert refused.stderr.splitlines()[-1] == f"Error: No Dask scheduler answers at {cluster.address} ({reason})."
        assert "Traceback" not in refused.stderr
