"""What the commands share: their common options, where they print, and how an error becomes one sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.cluster.connection import EngineError
from core.runs.settings import SettingsError
from core.runs.store import RunStore, StoreError

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)  # a pipe has no width
messages = Console(stderr=True, highlight=False, soft_wrap=True)

StoreOption = Annotated[Path, typer.Option("--store", help="The folder of the run store.")]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler", help="Address of a running Dask scheduler, such as tcp://host:8786 or tls://host:8786."
    ),
]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Local workers; default: one per core.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn the project's errors into one sentence on stderr: status 2 for bad usage, 1 for a failure."""
    try:
        yield
    except SettingsError as error:
        messages.print(f"Error: {error}", markup=False)
        raise typer.Exit(2) from None
    except (EngineError, StoreError, ValueError) as error:
        messages.print(f"Error: {error}", markup=False)
        raise typer.Exit(1) from None
    except OSError as error:
        if error.filename is None:  # of a stream or a disk: core/__main__.py says so
            raise
        messages.print(f"Error: {error.filename} cannot be used: {error.strerror}.", markup=False)
        raise typer.Exit(1) from None


def open_store(path: Path) -> RunStore:
    """The store to read, with a sentence if there is none yet; raises StoreError if it is no folder."""
    store = RunStore(path)
    if store.problem:
        raise StoreError(store.problem)
    if not path.exists():
        messages.print(f"There is no run store at {path} yet; python -m core train makes one.", markup=False)
    return store


def name_what_is_left_out(store: RunStore) -> None:
    """Say, beside what the other runs give, which runs are set aside and what is no run, one sentence each."""
    for run in store:
        if run.state == "damaged":
            messages.print(run.problem, markup=False)
    name_foreign(store)


def name_foreign(store: RunStore) -> None:
    """Say what in the store's folder is no run, one sentence each."""
    for name in store.foreign():
        messages.print(f"{name} in {store.root} is no run and is passed over.", markup=False)
