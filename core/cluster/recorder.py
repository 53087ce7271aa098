"""What one run reports, written into the store; the writing of one run never harms another."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from core.runs.writer import RunResult, RunWriter


class Recorder:
    """Writes one run, and ends it once: as finished, stopped, failed, or with `close` alone as interrupted.

    What cannot be written is said in `problem`, a sentence, instead of being raised.
    """

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self.problem = ""

    @property
    def epochs(self) -> int:
        """Epochs in the store so far."""
        return self._writer.epochs

    def record(self, records: Iterable[dict[str, Any]]) -> None:
        """Append the epochs that the store does not have yet."""
        for record in records if not self.problem else ():
            self._try("history", lambda record=record: self._writer.append(record))  # type: ignore[misc]

    def finish(self, result: RunResult) -> None:
        """Keep the whole run, and let it go."""
        self._try("result", lambda: self._writer.finish(result))
        self.close()

    def stop(self) -> None:
        """Mark the run as stopped by somebody, and let it go."""
        self._try("result", self._writer.stop)
        self.close()

    def fail(self, sentence: str) -> None:
        """Mark the run as failed, and let it go."""
        self.problem = sentence
        with suppress(OSError):  # without a result it counts as interrupted; the sentence is known here
            self._writer.fail(sentence)
        self.close()

    def interrupt(self, sentence: str) -> None:
        """Let go of the run without a result; it can be started again."""
        self.problem = sentence
        self.close()

    def close(self) -> None:
        """Let go of the run's folder."""
        self._writer.close()

    def _try(self, what: str, write: Callable[[], Any]) -> None:
        try:
            write()
        except OSError as error:
            self.problem = self.problem or f"The {what} could not be written: {error.strerror}."
