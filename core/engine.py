"""Dask trains runs, here or on a cluster; this process alone writes what they report into the store.

Workers log events of their epochs; one subscriber feeds the store, and everybody else reads the store. Events are
hints, the store is the truth: a run's return value carries its whole history again.
"""

import asyncio
import dataclasses
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.limits import Limits
from core.runs import RunStore, StoreError
from core.settings import RunSettings
from core.versions import describe_versions, name_differences
from core.writer import RunResult, RunWriter

ROOT = Path(__file__).parent.parent
SCHEDULER = os.environ.get("PAIR_SCHEDULER")  # the address of a cluster's scheduler; none: a cluster of our own
EPOCHS, STOPS = "pair-epochs", "pair-stops"  # the topic of the workers' events, the prefix of the stop marks
# A training step frees and takes the same megabytes hundreds of times a second. Dask has its workers give them back to
# the system each time, at tens of thousands of page faults an epoch; these settings keep them.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**31),
    "MALLOC_TOP_PAD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # in huge pages, where the system has them
}
CONNECT_SECONDS = 20
LOSSES = 3  # times that a run is sent again after its engine was lost; the run itself may be what kills it
ASK_SECONDS = 0.5  # between two questions of a run whether somebody has stopped it
TELL_SECONDS = 0.1  # between two events of a run, some three epochs; an event costs the scheduler 2 ms
NICENESS = 5  # so that a screen never waits for a training step

Submission = Literal["submitted", "joined", "finished", "elsewhere"]


class EngineError(RuntimeError):
    """The engine cannot work; the message is one sentence."""


@dataclass
class Job:
    """A run that is queued or training, as this process knows it."""

    settings: RunSettings
    writer: RunWriter
    owners: set[str]
    turn: int
    future: Any = None
    started: float | None = None  # on time.monotonic's clock
    reached: int = 0  # the epoch it is at; a run that is started again walks through those that the store has
    stopping: bool = False
    problem: str = ""
    note: str = ""  # what has happened to the run on its way
    losses: int = 0

    @property
    def running(self) -> bool:
        """Whether it trains, rather than waits."""
        return self.started is not None

    @property
    def epochs(self) -> int:
        """Epochs in the store so far."""
        return self.writer.epochs


@dataclass
class Engine:
    """Submits runs, follows them into the store, stops them. Safe to share between threads.

    `scheduler` is the address of a running Dask scheduler; without one, a local cluster is started with one
    single-threaded worker a core, which ends with this process.
    """

    store: RunStore
    scheduler: str | None = SCHEDULER
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    jobs: dict[str, Job] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)  # what has happened to the engine or its workers, in sentences
    changed: threading.Condition = field(default_factory=threading.Condition)
    turn: int = 0  # the latest turn of which a run has started
    moves: int = 0  # grows whenever a run is queued, begins or ends
    _client: Any = None
    _lost_for: str = ""  # why it could not start again
    _host: "subprocess.Popen[str] | None" = None
    _started: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Connect and warm the workers; returns at once where that is done. Raises EngineError or StoreError."""
        if self._client is not None:  # not even while it is being replaced: whoever asks may hold what that waits for
            return
        with self._started:
            if self._client is None:
                self.store.check_writable()
                self._client = self._open()

    def _open(self) -> Any:
        client = self._connect(self.scheduler or self._start_host())
        client.subscribe_topic(EPOCHS, self._on_event)
        for worker in client.scheduler_info(n_workers=-1)["workers"]:
            client.submit(warm_worker, workers=[worker], allow_other_workers=True, pure=False, priority=100)
        return client

    def _connect(self, address: str) -> Any:
        from distributed import Client

        try:
            check_address(address)
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="pair-comparison")
        except (OSError, ValueError) as error:
            self._end_host()
            raise EngineError(f"No Dask scheduler answers at {address} ({error}).") from None
        strangers = find_strangers(client) if self.scheduler else {}
        if strangers:
            client.close()
            raise EngineError(" ".join(strangers.values()))
        return client

    @property
    def ready(self) -> bool:
        """Whether runs start at once, without first starting the engine."""
        return self._client is not None

    def state(self) -> Literal["not started", "ready", "lost"]:
        """Whether runs can be trained: an engine that has been started may lose its scheduler or all its workers."""
        if self._client is None:
            return "not started"
        alive = self._client.status == "running" and self._client.scheduler_info(n_workers=-1)["workers"]
        return "ready" if alive else "lost"

    def _start_host(self) -> str:
        # A process of its own: started from a Streamlit script, Dask's spawned children would execute that script.
        # Dask's own log would say again, with a traceback, what the store says in a sentence.
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "DASK_LOGGING__DISTRIBUTED": "critical"}
        command = [sys.executable, "-m", "core.engine", str(self.workers or os.cpu_count() or 1)]
        self._host = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process, which then stops the runs in order
        )
        assert self._host.stdout is not None
        address = self._host.stdout.readline().strip()
        if not address:
            self._end_host()
            raise EngineError("The local Dask cluster did not start; its messages are above.")
        return address

    def _end_host(self) -> None:
        if self._host is not None:
            self._host.__exit__(None, None, None)  # closes its input, at whose end the host ends, and waits for it
            self._host = None

    def request(self, rounds: Iterable[RunSettings], owner: str) -> set[Submission]:
        """Queue, for a visitor, what is not trained yet: all of it, or none of it where a limit forbids that.

        Raises LimitError, EngineError or StoreError.
        """
        wanted = [settings for settings in rounds if self.store.read(settings.run_id).state != "finished"]
        if not wanted:
            return {"finished"}
        self.limits.check(wanted, [], 0)  # before the engine is started
        self.start()
        with self.changed:
            held = [job.settings for job in self.jobs.values() if owner in job.owners]
            queued = len(self.jobs.keys() | {settings.run_id for settings in wanted})
            self.limits.check([settings for settings in wanted if settings not in held], held, queued)
            return {self.submit(settings, owner) for settings in wanted}

    def submit(self, settings: RunSettings, owner: str = "") -> Submission:
        """Queue a run unless it is there already; says which. Raises EngineError or StoreError.

        An owner's second queued run waits for the turn after the present one, behind the first ones of all others,
        the third for the turn after that.
        """
        if self.store.read(settings.run_id).state == "finished":
            return "finished"
        self.start()
        with self.changed:
            job = self.jobs.get(settings.run_id)
            if job is not None:
                job.owners.add(owner)
                return "joined"
            if self.store.read(settings.run_id).state == "finished":
                return "finished"
            writer = self.store.claim(settings)
            if writer is None:
                return "elsewhere"
            turn = self.turn + sum(owner in job.owners for job in self.jobs.values())
            job = Job(settings, writer, {owner}, turn)
            self.jobs[settings.run_id] = job
            self.moves += 1
            self.problems.pop(settings.run_id, None)
            self._send(job)
            return "submitted"

    def _send(self, job: Job) -> None:
        from dask._task_spec import Task

        job.started = None
        attempt = uuid.uuid4().hex[:8]
        key = f"train-{job.settings.run_id}-{attempt}"
        job.started, job.reached = None, 0
        # Dask keeps the tasks of large groups and marked ones at the scheduler, in the order of their priorities, until
        # a worker is free. Any other is put on some worker at once, and waits there while another worker is idle.
        arguments = (job.settings.model_dump_json(), attempt, describe_versions())
        task = Task(key, train_run, *arguments, _data_producer=True)
        [job.future] = self._client.get({key: task}, [key], sync=False, priority=-job.turn)
        job.future.add_done_callback(lambda future: self._on_done(job, future))

    def queue(self) -> list[Job]:
        """The jobs in the order in which they run: those that train, then those that wait."""
        with self.changed:
            return sorted(self.jobs.values(), key=lambda job: (not job.running, job.turn))

    def stop(self, run_ids: Iterable[str], owner: str | None = None) -> None:
        """Ask runs to end: those that wait at once, those that train after their epoch. Histories stay.

        With an `owner`, only that one's wish to have them is withdrawn: a run ends where nobody else has asked for it.
        """
        from distributed import Event

        for run_id in run_ids:
            with self.changed:
                job = self.jobs.get(run_id)
                if job is None or job.stopping:
                    continue
                if owner is not None and (owner not in job.owners or len(job.owners) > 1):
                    job.owners.discard(owner)
                    continue
                job.stopping = True
            with suppress(OSError):  # an engine that is lost now is told so when it is back
                # A run that seems to wait may have begun a moment ago, and then only the mark ends it.
                Event(f"{STOPS}-{job.future.key.rsplit('-', 1)[1]}", client=job.future.client).set()
                if not job.running:
                    job.future.cancel()

    def epochs(self, run_id: str) -> int:
        """How many epochs a queued or training run has in the store; 0 for any other."""
        job = self.jobs.get(run_id)
        return job.epochs if job else 0

    def wait(self, run_ids: Iterable[str], timeout: float | None = None) -> bool:
        """Wait until none of the runs is queued or training; False where the time (seconds) runs out first."""
        wanted = set(run_ids)
        with self.changed:
            return self.changed.wait_for(lambda: not wanted & self.jobs.keys(), timeout)

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        with self.changed:
            job = self.jobs.get(message["run_id"])
            if job is None or not job.future.key.endswith(message["attempt"]):
                return
            records = message["records"]
            if not records and job.running:
                job.note = f"its worker was lost; it trains again and goes on after epoch {job.epochs}"
            if job.started is None or not records:  # it begins, perhaps again on another worker
                job.started = time.monotonic()
                self.turn = max(self.turn, job.turn)
                self.moves += 1
            job.reached = records[-1]["epoch"] if records else 0
            try:
                for record in records if not job.problem else []:
                    job.writer.append(record)
            except OSError as error:
                job.problem = f"The history could not be written: {error.strerror}."
            self.changed.notify_all()
        if job.problem:  # not from here: this is the client's event loop, and stopping waits for an answer
            threading.Thread(target=self.stop, args=[[job.settings.run_id]], daemon=True).start()

    def _on_done(self, job: Job, future: Any) -> None:
        """Let go of a run that has ended, in Dask's callback thread; save one that the engine did not end."""
        values = None
        try:
            if future.status == "finished":
                values = future.result()
        except (OSError, CancelledError):  # lost on the way here
            lost = True
        else:
            lost = future.status not in ("finished", "error")
        doubtful = future.status == "error" and self.scheduler is not None
        if (lost or doubtful) and not job.stopping:
            threading.Thread(target=self._save if lost else self._doubt, args=[job, future], daemon=True).start()
        else:
            self._let_go(job, lambda: self._write_end(job, future, values))

    def _save(self, job: Job, future: Any) -> None:
        """Start the engine again where it was lost, and send the run again: it goes on where its history ends."""
        job.losses += 1
        try:
            if job.losses > LOSSES:
                raise EngineError(f"The engine was lost {job.losses} times during this run.")
            self._restart(future.client)
        except (EngineError, StoreError) as error:
            job.problem = f"{error} The run was interrupted; it can be started again."
            self._let_go(job, lambda: None)  # without a result the run counts as interrupted
        else:
            self._send_again(job, "the engine was lost and has started again")

    def _restart(self, lost: Any) -> None:
        with self._started:
            if self._client is None:
                raise EngineError(self._lost_for)
            if self._client is not lost:  # another run has seen to it
                return
            try:
                self._end_host()
                self._client = self._open()
            except EngineError as error:
                self._client, self._lost_for = None, str(error)
                raise
            finally:
                lost.close(timeout=1)
            self.notices.append("The engine was lost and has started again; the runs go on.")

    def _doubt(self, job: Job, future: Any) -> None:
        """Find out whether a run failed for its worker's versions; then that worker is sent away, and the run again."""
        job.losses += 1
        try:
            strangers = find_strangers(future.client)
            if strangers:
                future.client.retire_workers(list(strangers))
        except OSError:
            self._save(job, future)
            return
        self.notices += [f"{sentence} It was sent away." for sentence in strangers.values()]
        # An ImportError is how such a worker refuses; another run's doubts may have sent it away already.
        if (strangers or isinstance(future.exception(), ImportError)) and job.losses <= LOSSES:
            self._send_again(job, "its worker had other versions and was sent away")
        else:
            self._let_go(job, lambda: self._write_end(job, future, None))

    def _send_again(self, job: Job, note: str) -> None:
        with self.changed:
            stopped = job.stopping  # meanwhile
            if not stopped:
                job.note = f"{note}; it goes on after epoch {job.epochs}" if job.epochs else note
                self._send(job)
                self.changed.notify_all()
        if stopped:
            self._let_go(job, job.writer.stop)

    def _let_go(self, job: Job, write: Callable[[], None]) -> None:
        """Write how a run ended, and close it."""
        try:
            write()
        except OSError as error:
            job.problem = job.problem or f"The result could not be written: {error.strerror}."
        with self.changed:
            job.writer.close()
            del self.jobs[job.settings.run_id]
            self.moves += 1
            if job.problem:
                self.problems[job.settings.run_id] = job.problem
            self.changed.notify_all()

    def _write_end(self, job: Job, future: Any, values: dict[str, Any] | None) -> None:
        if job.problem:
            job.writer.fail(job.problem)
        elif future.status == "error":
            job.writer.fail(explain_failure(future.exception()))
        elif values is not None:
            job.writer.finish(RunResult(**values))
        else:
            job.writer.stop()

    def close(self) -> None:
        """Stop whatever runs and end the local cluster."""
        with self._started:
            if self._client is None:
                return
            self.stop(list(self.jobs))
            self.wait(list(self.jobs), timeout=20)
            self._client.close()
            self._client = None
            self._end_host()


def explain_failure(error: BaseException) -> str:
    """Why a run failed, in one sentence."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "Training failed: its worker died again and again; there may be too little memory for these settings."
    return f"Training failed: {str(error).rstrip('.')}."


def check_address(address: str) -> None:
    """Raises ValueError or OSError for an address that a client would take long to give up, or never could reach."""
    import dask
    from distributed import Security
    from distributed.comm import resolve_address

    resolve_address(address)
    if address.startswith("tls://"):
        if Security().get_connection_args("client")["ssl_context"] is None:
            raise ValueError("TLS needs certificates: name their files in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …")
    elif dask.config.get("distributed.comm.require-encryption"):
        raise ValueError("encryption is required, but this address is without TLS")


def find_strangers(client: Any) -> dict[str, str]:
    """Address -> a sentence about it, for the scheduler and each worker that differs in what must be equal."""
    answers = {**client.run(describe_versions, on_error="return"), **_ask_scheduler(client)}
    sentences = {}
    for address, answer in answers.items():
        if isinstance(answer, OSError):  # lost at this moment
            continue
        here = isinstance(answer, dict)
        wrong = name_differences(answer) if here else "no copy of this program that it can import"
        if wrong:
            who = "scheduler" if address == client.scheduler.address else "worker"
            sentences[address] = f"The {who} at {address} has {wrong}."
    return sentences


def _ask_scheduler(client: Any) -> dict[str, Any]:
    try:
        return {client.scheduler.address: client.run_on_scheduler(describe_versions)}
    except Exception as error:
        return {client.scheduler.address: error}


def train_run(settings_json: str, attempt: str, versions: dict[str, str]) -> dict[str, Any] | None:
    """On a worker: train one run, log events of its epochs; None where somebody asked it to stop.

    `versions` are those of whoever asks; raises ImportError where ours are others. Gives RunResult's fields as plain
    values, so that whoever receives them needs no torch.
    """
    if versions != describe_versions():
        raise ImportError("This worker has other versions than the process that submits the runs; start both anew.")
    import torch
    from distributed import Event, get_worker

    from core.training import Training

    torch.set_num_threads(1)
    settings = RunSettings.model_validate_json(settings_json)
    worker, stop = get_worker(), Event(f"{STOPS}-{attempt}")

    def tell(records: list[dict[str, Any]]) -> float:  # none: it begins
        worker.log_event(EPOCHS, {"run_id": settings.run_id, "attempt": attempt, "records": records})
        return time.monotonic()

    told = asked = tell([])
    training, records = Training(settings), []
    for record in training.epochs():
        records.append(dataclasses.asdict(record))
        if len(training.history) == 1 or time.monotonic() - told >= TELL_SECONDS:
            told, records = tell(records), []
        if time.monotonic() - asked >= ASK_SECONDS:  # each question is a round trip to the scheduler
            if stop.is_set():
                break
            asked = time.monotonic()
    else:
        return dataclasses.asdict(training.finish())
    if records:
        tell(records)
    return None


def warm_worker() -> None:
    """On a worker: import PyTorch, load MNIST and take the first, slow steps, so that the first run starts at once."""
    import torch

    from core.training import Training

    torch.set_num_threads(1)
    for _ in Training(RunSettings(training_pairs=100, max_epochs=1)).epochs():
        pass


async def host_cluster(workers: int) -> None:
    """Run a scheduler and its workers until standard input ends; prints the scheduler's address first."""
    import dask
    import psutil
    from distributed import LocalCluster

    dask.config.set(
        {
            "distributed.nanny.pre-spawn-environ": {**KEEP_MEMORY, "OMP_NUM_THREADS": 1},
            "distributed.scheduler.worker-saturation": 1.0,  # no run waits at one worker while another is idle
            "distributed.scheduler.worker-ttl": None,  # goes by the clock of the wall, which may jump
            # What Dask watches itself with would interrupt a training step a hundred times a second.
            "distributed.worker.profile.enabled": False,
            "distributed.admin.tick.interval": "1s",
        }
    )
    os.nice(NICENESS)
    cluster = await LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", memory_limit=0,
        dashboard_address="127.0.0.1:0", asynchronous=True,
    )  # fmt: skip
    with suppress(BrokenPipeError):  # whoever asked may have gone already
        os.write(sys.stdout.fileno(), f"{cluster.scheduler_address}\n".encode())
    await asyncio.to_thread(sys.stdin.read)
    # Whoever started this is gone, perhaps killed. A worker in the middle of a run would not close for minutes, and
    # nothing here is worth waiting for: what was reported is in the store.
    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(host_cluster(int(sys.argv[1])))
