"""The one writer of a run: appends what training reports, and says last how it ended."""

import errno
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from core.runs.files import TEMPORARY, write_atomically
from core.runs.records import as_sentence, read_history
from core.runs.settings import RunSettings


@dataclass(frozen=True)
class RunResult:
    """A finished run: `summary` for people, and two safetensors files as bytes.

    `weights` holds each distinct parameter once, in half precision if that leaves the test accuracy as it is.
    `predictions` holds the test pairs' `indices` (1000, 2) in MNIST's test half, their `classes` (1000, 2), the
    final `probability` (1000,) that first <= second, the `decision` (1000,), and the same probability during
    training, `trace` (T, 1000) in 256 steps, at the epochs `trace_epochs` (T,); `digits` (1000, 2)
    are the classes read.
    """

    summary: dict[str, Any]
    history: list[dict[str, Any]]
    weights: bytes
    predictions: bytes


class RunWriter:
    """The one writer of a run; holds the run's lock until closed.

    Records that are already there are skipped: training is deterministic, so a run that is started again, or tried
    again after its worker died, repeats the same epochs and goes on where the history ends.
    """

    def __init__(self, settings: RunSettings, path: Path, lock: FileLock) -> None:
        self.run_id = settings.run_id
        self.path = path
        self._lock = lock
        for torn in path.glob(f"{TEMPORARY}*"):  # left by a writer that was killed
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
        """Add the next epoch's record; False if that epoch is there already. Raises OSError."""
        if record["epoch"] != self.epochs + 1:
            return False
        line = json.dumps(record).encode() + b"\n"
        with self._file.open("ab", buffering=0) as file:
            start = file.tell()
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                file.truncate(start)  # an unfinished line would hide every later one
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
        self._end({"state": "failed", "epochs": self.epochs, "error": as_sentence(message)})

    def _end(self, summary: dict[str, Any]) -> None:
        summary["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
        write_atomically(self.path / "result.json", json.dumps(summary, indent=1).encode())

    def close(self) -> None:
        """Let go of the run: without a result it counts as interrupted from here on."""
        self._lock.release()
        with suppress(OSError):  # not possible if the store has become read-only
            os.utime(self.path)  # the folder's time is part of the store's signature
