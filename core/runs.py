"""The run store: one folder a run below `cached_runs/`, written by one writer, read by anyone at any time.

    settings.json             what the run is
    history.jsonl             a record an epoch, appended as it comes
    weights.safetensors       the trained parameters (finished runs)
    predictions.safetensors   every test pair's probability (finished runs)
    result.json               how it ended; written last, so its presence is the commit mark
    .lock                     held by whoever writes, and let go by the system when that process dies

Readers forgive a torn last line, and set a damaged run aside with a sentence instead of failing.
"""

import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.numpy
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from core.mnist import TEST_COUNT
from core.settings import RunSettings, SettingsError, check_run_id, is_run_id

STORE = Path(os.environ.get("PAIR_RUNS", Path(__file__).parent.parent / "cached_runs"))
TEMPORARY = ".new-"  # how the names of files begin that are being written
EPOCH_FIELDS = {  # every record's fields; those that may be null are the parts that not every architecture has
    "epoch": int,
    "training_loss": float,
    "comparison_loss": float | None,
    "digits_loss": float | None,
    "training_accuracy": float,
    "validation_loss": float,
    "validation_accuracy": float,
    "digit_accuracy": float | None,
    "seconds": float,
}
SUMMARY_FIELDS = {  # those of a finished run, beside its test accuracy, that somebody reads
    "epochs": int,
    "seconds": float,
    "stop_reason": str,
    "mean": float,
    "deviation": float,
    "training_accuracy": float,
    "test_digit_accuracy": float | None,
}
PREDICTION_SHAPES: dict[str, tuple[str | int, ...]] = {
    "indices": ("pairs", 2),
    "classes": ("pairs", 2),
    "digits": ("pairs", 2),
    "probability": ("pairs",),
    "decision": ("pairs",),
    "trace_epochs": ("epochs",),
    "trace": ("epochs", "pairs"),
}

PREDICTION_LIMITS = {"indices": TEST_COUNT - 1, "classes": 9, "digits": 9, "probability": 1}

MOST_COLUMNS = 2_000  # histories kept as arrays, some 4 kB each
_COLUMNS: dict[Path, tuple[tuple[int, int], NDArray[np.float64]]] = {}  # time and size of the file, what it held


class StoreError(ValueError):
    """Something in the store is missing, damaged or cannot be written; the message is one sentence."""


@dataclass(frozen=True)
class RunResult:
    """A finished run: `summary` for people, and two safetensors files as bytes.

    `weights` holds each distinct parameter once, in half precision where that leaves the test accuracy as it is.
    `predictions` holds the test pairs' `indices` (1000, 2) in MNIST's test half, their `classes` (1000, 2), the
    final `probability` (1000,) that first <= second, the `decision` (1000,), and the same probability during
    training, `trace` (T, 1000) in 256 steps, at the epochs `trace_epochs` (T,); `digits` (1000, 2)
    are the classes read.
    """

    summary: dict[str, Any]
    history: list[dict[str, Any]]
    weights: bytes
    predictions: bytes


@dataclass(frozen=True)
class RunFolder:
    """What a run's folder holds, whether or not it can be told which settings the run has."""

    run_id: str
    path: Path

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """The epochs' records in order, up to the first line that is torn."""
        return read_history(self.path / "history.jsonl")[0]

    @property
    def columns(self) -> NDArray[np.float64]:
        """The history as an array (EPOCH_FIELDS, epochs), NaN for what a record lacks; parsed once while the file stays
        as it is, since a class looks at the same curves many times a second."""
        path = self.path / "history.jsonl"
        try:
            status = path.stat()
        except OSError:
            return np.empty((len(EPOCH_FIELDS), 0))
        stamp = status.st_mtime_ns, status.st_size
        known = _COLUMNS.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        records = read_history(path)[0]  # not self.history, which may be older than the stamp
        columns = np.array([[record.get(name) for record in records] for name in EPOCH_FIELDS], dtype=float)
        if len(_COLUMNS) >= MOST_COLUMNS:
            _COLUMNS.clear()
        _COLUMNS[path] = stamp, columns
        return columns

    @property
    def has_weights(self) -> bool:
        """Whether the weights are kept; runs of side experiments are shipped without."""
        return (self.path / "weights.safetensors").is_file()


@dataclass(frozen=True)
class UnreadableRun(RunFolder):
    """A run that is missing, or whose settings cannot be read: `problem` says why."""

    state: Literal["missing", "damaged"]
    problem: str


@dataclass(frozen=True)
class Run(RunFolder):
    """A run as the store has it. `summary` is empty before the end; `problem` says what is wrong, if anything."""

    state: Literal["active", "finished", "stopped", "failed", "interrupted", "damaged"]
    settings: RunSettings
    summary: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def history_problem(self) -> str:
        """What is wrong with a finished run's history, in a sentence; empty: nothing, or not finished."""
        expected, found = self.summary.get("epochs"), self.columns.shape[1]
        if self.state != "finished" or found == expected:
            return ""
        return f"The history of {self.run_id} has {found} of {expected} epochs."

    def weights(self) -> dict[str, np.ndarray]:
        """Parameter name -> array (float16 or float32); raises StoreError."""
        return self._arrays("weights.safetensors")

    def predictions(self) -> dict[str, np.ndarray]:
        """The test pairs' predictions (RunResult says which arrays), `trace` as float32 probabilities again; raises
        StoreError."""
        arrays = self._arrays("predictions.safetensors")
        wrong = _find_wrong_array(arrays)
        if wrong:
            raise StoreError(
                f"The file predictions.safetensors of the run {self.run_id} is damaged ({wrong} is wrong)."
            )
        if "trace" in arrays:
            arrays["trace"] = (arrays["trace"].astype(np.float32) + 0.5) / 256  # the middle of each step
        return arrays

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        path = self.path / name
        if not path.is_file():
            raise StoreError(f"The run {self.run_id} has no {name}; train it again to get one.")
        try:
            return safetensors.numpy.load_file(path)
        except (OSError, safetensors.SafetensorError, KeyError, ValueError) as error:  # KeyError: no type of NumPy's
            raise StoreError(f"The file {name} of the run {self.run_id} is damaged ({error}).") from None


def read_history(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The whole records of a history file and the length in bytes of the lines that hold them.

    Reading ends at the first line that is torn, is no record, or is out of order.
    """
    if not path.is_file():
        return [], 0
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    whole = _parse_all(lines)
    if whole is not None:
        return whole, len(content)
    records: list[dict[str, Any]] = []
    length = 0
    for line in lines:
        record = _parse_record(line)
        if record is None or record["epoch"] != len(records) + 1:
            break
        records.append(record)
        length += len(line)
    return records, length


def _parse_all(lines: list[bytes]) -> list[dict[str, Any]] | None:
    """All records at once, which takes half the time; None where any line is not the record that belongs there."""
    if not all(line.endswith(b"\n") for line in lines):
        return None
    try:
        records: list[dict[str, Any]] = json.loads(b"[%s]" % b",".join(lines))
    except (ValueError, RecursionError):
        return None
    in_place = len(records) == len(lines) and all(
        _is_record(record) and record["epoch"] == epoch for epoch, record in enumerate(records, start=1)
    )
    return records if in_place else None


def _parse_record(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if _is_record(record) else None


def _is_record(record: Any) -> bool:
    if not isinstance(record, dict) or record.keys() != EPOCH_FIELDS.keys():
        return False
    return all(_is_a(record[name], kind) for name, kind in EPOCH_FIELDS.items())


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value out of JSON is of a kind; whole numbers are floats too, and truth values are no numbers."""
    if type(value) is int:
        return kind is not str and abs(value) < 2**53
    return isinstance(value, kind) and value is not True and value is not False


class RunStore:
    """The runs below one folder. Reading never writes; a store that does not exist is empty."""

    def __init__(self, root: Path = STORE) -> None:
        self.root = Path(root)

    def path(self, run_id: str) -> Path:
        """The folder of a run; raises ValueError for what cannot be a run's identity."""
        return self.root / check_run_id(run_id)

    def __iter__(self) -> Iterator[Run | UnreadableRun]:
        """Every run, by identity; folders that are no runs are passed over."""
        for name in self.names():
            yield self.read(name)

    def names(self) -> list[str]:
        """The identities of all runs, sorted."""
        return sorted(entry.name for entry in self._entries())

    def _entries(self) -> list[os.DirEntry[str]]:
        try:
            return [entry for entry in os.scandir(self.root) if is_run_id(entry.name) and entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def foreign(self) -> list[str]:
        """Names in the store's folder that are no runs (files the store keeps for itself start with a dot)."""
        if not self.root.is_dir():
            return []
        return sorted(e.name for e in os.scandir(self.root) if not e.name.startswith(".") and not is_run_id(e.name))

    def signature(self, run_ids: Container[str] | None = None) -> int:
        """Changes whenever a run (one of `run_ids`) is added, ends or is removed: a key for caching in this process."""
        entries = [entry for entry in self._entries() if run_ids is None or entry.name in run_ids]
        return hash(frozenset((entry.name, _modified(entry)) for entry in entries))

    def read(self, run_id: str) -> Run | UnreadableRun:
        """One run; whatever is wrong with it is said in `problem`, not raised. Raises ValueError for a bad identity."""
        path = self.path(run_id)
        if not any((path / name).exists() for name in ("settings.json", "history.jsonl", "result.json")):
            # A folder without them is what a process leaves that died, or had no space, before it wrote anything.
            return UnreadableRun(run_id, path, "missing", f"The run {run_id} is not in the store.")
        try:
            settings = RunSettings.parse(_read_object(path / "settings.json"))
            if settings.run_id != run_id:
                raise StoreError(f"the settings belong to the run {settings.run_id}")
            summary = _read_object(path / "result.json") if (path / "result.json").is_file() else None
        except (OSError, StoreError, SettingsError) as error:
            problem = f"The run {run_id} is set aside: {error}"
            return UnreadableRun(run_id, path, "damaged", problem.rstrip(".") + ".")
        if summary is None:
            return self._read_unfinished(run_id, path, settings)
        return _judge_result(run_id, path, settings, summary)

    def open(self, run_id: str) -> Run:
        """One run, as `read` gives it; raises StoreError where it is unreadable, and ValueError for a bad identity."""
        run = self.read(run_id)
        if isinstance(run, UnreadableRun):
            raise StoreError(run.problem)
        return run

    def _read_unfinished(self, run_id: str, path: Path, settings: RunSettings) -> Run:
        if self.is_locked(run_id):
            return Run(run_id, path, "active", settings)
        return Run(run_id, path, "interrupted", settings, problem="The run was interrupted; it can be started again.")

    def drop_weights(self, run_id: str) -> None:
        """Forget a run's weights; everything else about it stays."""
        (self.path(run_id) / "weights.safetensors").unlink(missing_ok=True)

    def reopen(self, run_id: str) -> None:
        """Forget how a run ended, so that it can be trained again; its history stays. Raises StoreError."""
        try:
            (self.path(run_id) / "result.json").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The store {self.root} cannot be written: {error.strerror}.") from None

    def is_locked(self, run_id: str) -> bool:
        """Whether some process is writing this run now."""
        try:
            with (self.path(run_id) / ".lock").open("rb") as lock:
                # Shared, so that two readers never take each other for a writer, and a read-only store will do.
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # mostly that there is no such file
            return False
        return False

    def check_writable(self) -> None:
        """Raises StoreError where the store's folder, or the one that it would be made in, cannot be written."""
        place = next(path for path in (self.root, *self.root.parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise StoreError(f"The store {self.root} cannot be written: {error.strerror}.") from None

    def claim(self, settings: RunSettings) -> "RunWriter | None":
        """Become the writer of a run, or None where another process is; raises StoreError where it can't be written."""
        path = self.path(settings.run_id)
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path / ".lock", timeout=0.2, is_singleton=False)
            lock.acquire()
        except Timeout:
            return None
        except OSError as error:
            raise StoreError(f"The store {self.root} cannot be written: {error.strerror}.") from None
        try:
            return RunWriter(settings, path, lock)
        except OSError as error:
            lock.release()
            raise StoreError(f"The store {self.root} cannot be written: {error.strerror}.") from None


class RunWriter:
    """The one writer of a run; holds the run's lock until closed.

    Records that are already there are skipped: training is deterministic, so a run that is started again, or tried
    again after its worker died, walks through the same epochs and goes on where the history ends.
    """

    def __init__(self, settings: RunSettings, path: Path, lock: FileLock) -> None:
        self.run_id = settings.run_id
        self.path = path
        self._lock = lock
        for torn in path.glob(f"{TEMPORARY}*"):  # of a writer that was killed
            torn.unlink()
        with suppress(FileNotFoundError):
            (path / "result.json").unlink()
        write_atomically(path / "settings.json", settings.model_dump_json(indent=1).encode())
        self._file = path / "history.jsonl"
        records, length = read_history(self._file)
        self.epochs = len(records)
        with self._file.open("ab") as file:
            file.truncate(length)

    def append(self, record: dict[str, Any]) -> bool:
        """Add the next epoch's record; False where that epoch is there already. Raises OSError."""
        if record["epoch"] != self.epochs + 1:
            return False
        line = json.dumps(record).encode() + b"\n"
        with self._file.open("ab", buffering=0) as file:
            start = file.tell()
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                file.truncate(start)  # a torn line would hide every later one
                raise
        self.epochs += 1
        return True

    def finish(self, result: RunResult) -> None:
        """Keep a trained run: its authoritative history, weights and predictions, and last the commit mark."""
        lines = b"".join(json.dumps(record).encode() + b"\n" for record in result.history)
        write_atomically(self._file, lines)
        write_atomically(self.path / "weights.safetensors", result.weights)
        write_atomically(self.path / "predictions.safetensors", result.predictions)
        self._end({"state": "finished", **result.summary})

    def stop(self) -> None:
        """Mark the run as stopped by somebody; its history stays."""
        self._end({"state": "stopped", "epochs": self.epochs})

    def fail(self, message: str) -> None:
        """Mark the run as failed, with one sentence."""
        self._end({"state": "failed", "epochs": self.epochs, "error": message})

    def _end(self, summary: dict[str, Any]) -> None:
        summary["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
        write_atomically(self.path / "result.json", json.dumps(summary, indent=1).encode())

    def close(self) -> None:
        """Let go of the run: without a result it counts as interrupted from here on."""
        self._lock.release()
        with suppress(OSError):  # a store that has become read-only keeps its time
            os.utime(self.path)  # the folder's time is part of the store's signature


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one, never a part; raises OSError and leaves no trace."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path.name} is missing") from None
    except (ValueError, RecursionError):
        raise StoreError(f"{path.name} is not JSON") from None
    if not isinstance(value, dict):
        raise StoreError(f"{path.name} is not a JSON object")
    return value


def _judge_result(run_id: str, path: Path, settings: RunSettings, summary: dict[str, Any]) -> Run:
    state = summary.get("state")
    accuracy = summary.get("test_accuracy")
    if state == "finished" and isinstance(accuracy, float) and 0 <= accuracy <= 1:
        wrong = [name for name, kind in SUMMARY_FIELDS.items() if not _is_a(summary.get(name), kind)]
        if not wrong:
            return Run(run_id, path, "finished", settings, summary)
        problem = f"The run {run_id} is set aside: {wrong[0]} in result.json is wrong."
        return Run(run_id, path, "damaged", settings, problem=problem)
    if state == "stopped":
        return Run(run_id, path, "stopped", settings, summary, "The run was stopped; it can be started again.")
    if state == "failed":
        return Run(run_id, path, "failed", settings, summary, str(summary.get("error", "The run failed.")))
    problem = f"The run {run_id} is set aside: result.json lacks a state or a test accuracy from 0 to 1."
    return Run(run_id, path, "damaged", settings, problem=problem)


def _find_wrong_array(arrays: dict[str, np.ndarray]) -> str:
    """The name of an array of predictions that does not fit the others, or holds what it cannot; empty: none."""
    sizes: dict[str | int, int] = {2: 2}
    for name, shape in PREDICTION_SHAPES.items():
        if name in arrays:
            values = arrays[name]
            fits = values.ndim == len(shape) and all(
                map(lambda axis, n: sizes.setdefault(axis, n) == n, shape, values.shape)
            )
            if not fits or not np.all(np.isfinite(values) & (values >= 0)):
                return name
            if name in PREDICTION_LIMITS and not np.all(values <= PREDICTION_LIMITS[name]):
                return name
    return ""


def _modified(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_mtime_ns
    except OSError:
        return 0
