"""`python -m core`: the command line, whose streams may be full, closed or without some letters."""

import codecs
import io
import os
import signal
import sys
from contextlib import suppress
from typing import Any, TextIO

PROGRAM = "python -m core"
SPELLED = {"±": "+/-", "–": "-", "−": "-", "≤": "<=", "≥": ">=", "×": "x", "…": "..."}  # for a locale without these
INTERRUPTED = 130  # the shell's status of what Ctrl-C has ended


class Lossy:
    """A stream whose writes cannot fail: a full disk under a log must not end a training."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def spell(error: UnicodeError) -> tuple[str, int]:
    """The error handler of both streams: a sign that the locale lacks as letters that it has."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(SPELLED.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def prepare_streams() -> None:
    """Open the standard streams that are closed, so that no file takes their place; let no sign end the program."""
    for number, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            # A closed stdout is opened for reading alone: what is printed is lost, and is to be told so.
            descriptor = os.open(os.devnull, flags)
            if descriptor != number:
                os.dup2(descriptor, number)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", closefd=False))
    codecs.register_error("spell", spell)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="spell")
    sys.stderr = Lossy(sys.stderr)


def run(interruptible: bool) -> int:
    """Run the command; gives the exit status."""
    try:
        from core.cli import app  # takes a second

        if interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            app(prog_name=PROGRAM)
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        print(f"Error: The disk or standard output cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def main() -> None:
    """Run the command and end. Ctrl-C during the imports ends the program without a word."""
    # Not if Ctrl-C is ignored, as in what a shell runs in the background.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare_streams()
    status = run(interruptible)
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the interpreter would try once more, and say so in its own words
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(status)


if __name__ == "__main__":
    main()
