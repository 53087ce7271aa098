"""The run store: one folder per run below `cached_runs/`, written by one writer, read by anyone at any time.

    settings.json             what the run is
    history.jsonl             one record per epoch, appended as it comes
    weights.safetensors       the trained parameters (finished runs)
    predictions.safetensors   every test pair's probability (finished runs)
    result.json               how it ended; written last, so its presence is the commit mark
    .lock                     held by whoever writes, and let go by the system when that process dies

Readers forgive a torn last line, and set a damaged run aside with a sentence instead of failing.
"""

# long: a run as it is read and the store that it lies in know each other

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.numpy
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from core.processes import ROOT
from core.runs.files import open_plain, read_plain, write_atomically
from core.runs.records import (
    EPOCH_FIELDS,
    MOST_BYTES,
    as_sentence,
    find_wrong_array,
    find_wrong_field,
    parse_object,
    read_history,
)
from core.runs.settings import RunSettings, SettingsError, check_run_id, is_run_id
from core.runs.writer import RunWriter

STORE = Path(os.environ.get("PAIR_RUNS", ROOT / "cached_runs"))
BEGUN = ("settings.json", "history.jsonl", "result.json")  # a folder with none of these is no run
TICK = 10**9  # ns; longer than a tick of any file system's clock
MOST_COLUMNS = 2_000  # histories that are kept in memory as arrays, of some 4 kB each
_COLUMNS: dict[Path, tuple[tuple[int, int], NDArray[np.float64]]] = {}  # file -> (its time and size, its content)


class StoreError(ValueError):
    """Something in the store is missing, damaged or cannot be written; the message is one sentence."""


@dataclass(frozen=True)
class RunFolder:
    """What a run's folder holds, whether or not it can be told which settings the run has."""

    run_id: str
    path: Path

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """The epochs' records in order, up to the first line that is torn; none if the file cannot be read."""
        try:
            return read_history(self.path / "history.jsonl")[0]
        except OSError:  # `problem` says so
            return []

    @property
    def columns(self) -> NDArray[np.float64]:
        """The history as an array (EPOCH_FIELDS, epochs), NaN for what a record lacks; parsed once while the file stays
        as it is, since thirty students look at the same curves many times a second."""
        path = self.path / "history.jsonl"
        try:
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size
            known = _COLUMNS.get(path)
            if known is not None and known[0] == stamp:
                return known[1]
            records = read_history(path)[0]  # not self.history, which may be older than the stamp
        except OSError:  # there is none yet, or `problem` says what is wrong with it
            return np.empty((len(EPOCH_FIELDS), 0))
        columns = np.array([[record.get(name) for record in records] for name in EPOCH_FIELDS], dtype=float)
        if len(_COLUMNS) >= MOST_COLUMNS:
            _COLUMNS.clear()
        _COLUMNS[path] = stamp, columns
        return columns

    @property
    def has_weights(self) -> bool:
        """Whether the weights are kept; runs of side experiments are shipped without."""
        return os.path.isfile(self.path / "weights.safetensors")


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
        if self.state != "finished" or found == expected or (self.is_result_alone and not found):
            return ""
        return f"The history of {self.run_id} has {found} of {expected} epochs."

    @property
    def is_result_alone(self) -> bool:
        """Whether nothing but the result is kept of the run, as of a study's."""
        return bool(self.summary.get("without_history"))

    def weights(self) -> dict[str, np.ndarray]:
        """Parameter name -> array (float16 or float32); raises StoreError."""
        return self._arrays("weights.safetensors")

    def predictions(self) -> dict[str, np.ndarray]:
        """The test pairs' predictions (RunResult says which arrays), `trace` as float32 probabilities again; raises
        StoreError."""
        arrays = self._arrays("predictions.safetensors")
        wrong = find_wrong_array(arrays)
        if wrong:
            raise StoreError(
                f"The file predictions.safetensors of the run {self.run_id} is damaged ({wrong} is wrong)."
            )
        if "trace" in arrays:
            arrays["trace"] = (arrays["trace"].astype(np.float32) + 0.5) / 256  # the middle of each step
        return arrays

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        try:
            return safetensors.numpy.load(read_plain(self.path / name, MOST_BYTES[name]))
        except FileNotFoundError:
            raise StoreError(f"The run {self.run_id} has no {name}; train it again to get one.") from None
        except OSError as error:
            raise StoreError(f"The file {name} of the run {self.run_id} cannot be read ({error.strerror}).") from None
        except (safetensors.SafetensorError, KeyError, ValueError) as error:  # KeyError: of a type that NumPy lacks
            raise StoreError(f"The file {name} of the run {self.run_id} is damaged ({error}).") from None


class RunStore:  # long: whatever is asked of the store's folder, of all runs or of one
    """The runs below one folder. Reading never writes; a store that does not exist is empty."""

    def __init__(self, root: Path = STORE) -> None:
        self.root = Path(root)
        self._ended: dict[str, tuple[list[int], Run]] = {}  # identity -> (the times of its files, the run)

    def path(self, run_id: str) -> Path:
        """The folder of a run; raises ValueError for what cannot be a run's identity."""
        return self.root / check_run_id(run_id)

    def __iter__(self) -> Iterator[Run | UnreadableRun]:
        """Every run, by identity; folders that are no runs are passed over.

        A run that has ended is read once, as long as its files stay as they are: while a class trains, runs come and go
        all the time, and reading all of a thousand takes 50 ms.
        """
        for name in self.names():
            times, known = _find_times(self.root, name), self._ended.get(name)
            if known is not None and known[0] == times:
                yield known[1]
                continue
            run = self.read(name)
            # What has just changed may change again within the same tick of the file system's clock.
            if isinstance(run, Run) and run.summary and max(times) < time.time_ns() - TICK:
                self._ended[name] = times, run
            yield run

    def names(self) -> list[str]:
        """The identities of all runs, sorted."""
        return sorted(entry.name for entry in self._entries())

    def _entries(self) -> list[os.DirEntry[str]]:
        """The entries of the store's folder that are named like a run, whether they can be read or not."""
        try:
            return [entry for entry in os.scandir(self.root) if is_run_id(entry.name)]
        except OSError:  # there is none yet, or `problem` says what is wrong with it
            return []

    @property
    def problem(self) -> str:
        """Why nothing can be read of the store, in a sentence; empty if it can, or if there is none yet."""
        try:
            os.scandir(self.root).close()
        except FileNotFoundError:
            return ""
        except NotADirectoryError:
            return f"The store {self.root} is no folder."
        except OSError as error:
            return f"The store {self.root} cannot be read: {error.strerror}."
        return ""

    def foreign(self) -> list[str]:
        """Names in the store's folder that are no runs (files the store keeps for itself start with a dot)."""
        try:
            names = os.listdir(self.root)
        except OSError:
            return []
        readable = (os.fsencode(name).decode(errors="replace") for name in names)  # a name may be any bytes
        return sorted(name for name in readable if not name.startswith(".") and not is_run_id(name))

    def signature(self, run_ids: Container[str] | None = None, without: Container[str] = ()) -> int:
        """Changes whenever a run (one of `run_ids`, or any, but for those `without`) is added, ends or is removed: a
        key for caching in this process."""
        entries = [each for each in self._entries() if run_ids is None or each.name in run_ids]
        return hash(frozenset((each.name, _modified(each)) for each in entries if each.name not in without))

    def read(self, run_id: str) -> Run | UnreadableRun:
        """One run; whatever is wrong with it is said in `problem`, not raised. Raises ValueError for a bad identity."""
        path = self.path(run_id)
        try:
            if not any(_exists(path / name) for name in BEGUN):
                # Such a folder is left by a process that died, or had no space, before it wrote any of these files.
                return UnreadableRun(run_id, path, "missing", f"The run {run_id} is not in the store.")
            settings = RunSettings.parse(_read_object(path / "settings.json"))
            if settings.run_id != run_id:
                raise StoreError(f"the settings belong to the run {settings.run_id}")
            _check_readable(path / "history.jsonl")
            summary = _read_object(path / "result.json") if _exists(path / "result.json") else None
        except OSError as error:
            problem = _set_aside(run_id, f"its folder cannot be read ({error.strerror})")
            return UnreadableRun(run_id, path, "damaged", problem)
        except (StoreError, SettingsError) as error:
            return UnreadableRun(run_id, path, "damaged", _set_aside(run_id, str(error)))
        if summary is None:
            return self._read_unfinished(run_id, path, settings)
        return _check_result(run_id, path, settings, summary)

    def open(self, run_id: str) -> Run:
        """One run, as `read` gives it; raises StoreError if it is unreadable, and ValueError for a bad identity."""
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

    def keep_result_alone(self, run_id: str) -> None:
        """Forget a finished run's history, weights and predictions; its result says so from then on."""
        path, kept = self.path(run_id), self.open(run_id).summary
        write_atomically(path / "result.json", json.dumps({**kept, "without_history": True}, indent=1).encode())
        for name in ("history.jsonl", "weights.safetensors", "predictions.safetensors"):
            (path / name).unlink(missing_ok=True)

    def reopen(self, run_id: str) -> None:
        """Forget how a run ended, so that it can be trained again; its history stays. Raises StoreError."""
        try:
            (self.path(run_id) / "result.json").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The store {self.root} cannot be written: {error.strerror}.") from None

    def is_locked(self, run_id: str) -> bool:
        """Whether some process is writing this run now."""
        try:
            with open_plain(self.path(run_id) / ".lock") as lock:
                # Shared, so that two readers never take each other for a writer, and a read-only store will do.
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # mostly that there is no such file
            return False
        return False

    @property
    def place(self) -> Path:
        """The store's folder; if it does not exist, the nearest folder above it that does."""
        return next(path for path in (self.root, *self.root.absolute().parents) if os.path.lexists(path))

    def check_writable(self) -> None:
        """Raises StoreError if the store's folder, or the one that it would be made in, cannot be written."""
        try:
            with tempfile.TemporaryFile(dir=self.place):
                pass
        except OSError as error:
            raise StoreError(f"The store {self.root} cannot be written: {error.strerror}.") from None

    def claim(self, settings: RunSettings) -> RunWriter | None:
        """Become the writer of a run, or None if another process is; raises StoreError if it can't be written."""
        path = self.path(settings.run_id)
        try:
            path.mkdir(parents=True, exist_ok=True)
            _check_readable(path / ".lock")
            # The lock belongs to the process: another thread than this one may release it.
            lock = FileLock(path / ".lock", timeout=0.2, is_singleton=False, thread_local=False)
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


def _read_object(path: Path) -> dict[str, Any]:
    try:
        return parse_object(read_plain(path, MOST_BYTES[path.name]))
    except FileNotFoundError:
        raise StoreError(f"{path.name} is missing") from None
    except OSError as error:
        raise StoreError(f"{path.name} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise StoreError(f"{path.name} {error}") from None


def _exists(path: Path) -> bool:
    """Whether there is such a file; raises OSError if that cannot be told."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _check_readable(path: Path) -> None:
    """Raises StoreError if there is such a file that cannot be read, or that is no plain one."""
    try:
        with open_plain(path):
            pass
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StoreError(f"{path.name} cannot be read ({error.strerror})") from None


def _set_aside(run_id: str, reason: str) -> str:
    return f"The run {run_id} is set aside: {reason.rstrip('.')}."


def _check_result(run_id: str, path: Path, settings: RunSettings, summary: dict[str, Any]) -> Run:
    wrong = find_wrong_field(summary)
    if wrong:
        problem = _set_aside(run_id, f"{wrong} in result.json is wrong")
        return Run(run_id, path, "damaged", settings, problem=problem)
    if summary["state"] == "finished":
        return Run(run_id, path, "finished", settings, summary)
    if summary["state"] == "stopped":
        return Run(run_id, path, "stopped", settings, summary, "The run was stopped; it can be started again.")
    return Run(run_id, path, "failed", settings, summary, as_sentence(summary["error"]))


def _find_times(root: Path, name: str) -> list[int]:
    """When a run's folder and the files that say what it is were changed, in ns since 1970; 0 for what is not there."""
    folder = f"{root}/{name}"  # as text: a Path takes longer to make than a file to ask
    return [_modified(path) for path in (folder, f"{folder}/settings.json", f"{folder}/result.json")]


def _modified(path: str | os.DirEntry[str]) -> int:
    try:
        return (os.stat(path) if isinstance(path, str) else path.stat()).st_mtime_ns
    except OSError:
        return 0
