"""A plan of runs, trained with a progress bar until all have ended or Ctrl-C is pressed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.cluster.engine import Engine
from core.runs.settings import RunSettings
from core.runs.store import RunStore

UNWATCHED = (
    2  # runs for each worker that take turns; nobody watches, and while one waits for a message, the other trains
)


@contextmanager
def notice_ctrl_c() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one interrupts as usual.

    Raised as an exception, a Ctrl-C can be lost in whatever callback the interpreter happens to be in.
    """
    pressed = threading.Event()

    def note(*_: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, previous)


def follow(
    store: RunStore, plan: list[RunSettings], scheduler: str | None, workers: int | None, console: Console
) -> bool:
    """Train the runs with a progress bar; False if Ctrl-C stopped them. What has finished is kept."""
    engine = Engine(store, scheduler, workers, live=UNWATCHED)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"))
    progress = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)
    with notice_ctrl_c() as pressed, progress, closing(engine):
        bar = progress.add_task("Starting the workers", total=len(plan))
        engine.start(warm=True)
        elsewhere: set[str] = set()
        for settings in plan:
            if not pressed.is_set() and engine.submit(settings, "command line") == "elsewhere":
                elsewhere.add(settings.run_id)
        waiting = {settings.run_id for settings in plan}
        while waiting and not pressed.is_set():
            with engine.changed:
                engine.changed.wait(timeout=0.2)
                waiting = {run_id for run_id in waiting if run_id in engine.jobs}
                running = sum(job.running for job in engine.jobs.values())
            while engine.notices:
                progress.console.print(engine.notices.pop(0), markup=False)
            elsewhere = {run_id for run_id in elsewhere if engine.store.read(run_id).state == "active"}
            waiting |= elsewhere
            text = f"Training {running} at once" if running or not waiting else "Waiting for a worker"
            progress.update(bar, completed=len(plan) - len(waiting), description=text)
        for problem in dict.fromkeys(engine.problems.values()):
            progress.console.print(problem, markup=False)
        if pressed.is_set():
            progress.update(bar, description="Stopping after this epoch")
    return not pressed.is_set()
