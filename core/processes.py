"""Child processes of the program: found from anywhere, and ended with everything that they have started."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def start_child(module: str, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Run `python -m module arguments` with what subprocess.Popen takes as `options`.

    It runs in the folder of the program, so that it finds the program's modules, and in a session of its own: a Ctrl-C
    in the shell is for its parent, which then ends it in order.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, **options.pop("env", {})}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **options)


def end_child(process: "subprocess.Popen[bytes]") -> None:
    """End a child and all that it has started, at once, even if it is frozen; wait until the child is gone."""
    with suppress(ProcessLookupError):  # it happens if all of them are gone already
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
