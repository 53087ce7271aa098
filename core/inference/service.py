"""The trained networks in a process of their own: it alone loads PyTorch, and the server that asks it stays small.

The server holds some pipes to it, with a thread at the other end of each; a request that finds all of them busy waits
for one. When the server ends, however it does, the pipes close, and the process ends with it.
"""

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.drawing.ink import Grid, Steps
from core.networks.verdicts import Attribution, Method, Perturbation, Resemblance, Verdict, Walk
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore

if TYPE_CHECKING:
    from core.networks.ensemble import Ensemble


class RunSelection(NamedTuple):
    """Which runs answer: the folder of their store, and their identities."""

    root: Path
    run_ids: tuple[str, ...]


class InferenceService:
    """What the process does. Its methods are asked for through `Networks.ask` and run there; they raise ValueError."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(os.cpu_count(), "ensemble")
        self._loading = threading.Lock()
        self._load_model = lru_cache(maxsize=4 * len(MODEL_NAMES))(_load_model)

    def load(self, trained: RunSelection) -> tuple[list[list[RunSettings]], list[str]]:
        """The settings of each cell's rounds, in the order of the verdicts, and a sentence for each run that cannot
        answer."""
        loaded = self._load(trained)
        cells = [
            [ensemble.settings[row] for row in rows]
            for ensembles, _ in loaded
            for ensemble in ensembles
            for rows in ensemble.cells
        ]
        return cells, [problem for _, problems in loaded for problem in problems]

    def answer(self, trained: RunSelection, frames: Grid) -> list[Verdict]:
        """Every cell's verdict on one pair of grey levels (2, 14, 14) in 0 to 255."""
        ensembles = [ensemble for ensembles, _ in self._load(trained) for ensemble in ensembles]
        answers = self._pool.map(lambda ensemble: ensemble.answer(frames), ensembles)
        return [verdict for verdicts in answers for verdict in verdicts]

    def attribute(
        self, trained: RunSelection, cell: str, seed: int | None, frames: Grid, method: Method
    ) -> Attribution:
        """core.networks.attribution.attribute for a cell's rounds, or for that of one seed."""
        from core.networks.attribution import attribute

        return attribute(*self._find(trained, cell, seed), frames, method)

    def change_minds(
        self, trained: RunSelection, cell: str, seed: int | None, steps: tuple[Steps, Steps]
    ) -> list[Perturbation]:
        """core.networks.attribution.change_minds for a cell's rounds, or for that of one seed."""
        from core.networks.attribution import change_minds

        return change_minds(*self._find(trained, cell, seed), steps)

    def walk_through(self, root: Path, run_id: str, frames: Grid) -> Walk:
        """core.networks.trace.walk_through for one run of a store."""
        from core.networks.trace import walk_through

        return walk_through(RunStore(root).open(run_id), frames)

    def find_neighbours(self, root: Path, run_id: str, frames: Grid) -> list[Resemblance]:
        """core.networks.neighbours.find_neighbours for one run of a store."""
        from core.networks.neighbours import find_neighbours

        return find_neighbours(RunStore(root).open(run_id), frames)

    def draw_test_pairs(self, settings: RunSettings) -> dict[str, NDArray[np.int64]]:
        """`indices` (N, 2) and `classes` (N, 2) of the test pairs that a run with these settings meets."""
        from core.mnist.pairs import draw_round

        test = draw_round(settings.seed, settings.training_pairs).test
        return {"indices": test.indices.numpy(), "classes": test.classes.numpy()}

    def _load(self, trained: RunSelection) -> "list[tuple[list[Ensemble], list[str]]]":
        """What `load_ensembles` gives for each architecture; only one that has a new run is loaded anew."""
        groups: dict[str, list[str]] = {name: [] for name in MODEL_NAMES}
        for run_id in trained.run_ids:
            groups[run_id.split("-")[0]].append(run_id)
        with self._loading:
            return [self._load_model(trained.root, tuple(run_ids)) for run_ids in groups.values() if run_ids]

    def _find(self, trained: RunSelection, cell: str, seed: int | None) -> "tuple[Ensemble, list[int]]":
        for ensembles, _ in self._load(trained):
            for ensemble in ensembles:
                rows = [
                    row
                    for row, settings in enumerate(ensemble.settings)
                    if settings.cell() == cell and seed in (None, settings.seed)
                ]
                if rows:
                    return ensemble, rows
        raise ValueError("This network is no longer in the store; choose another one.")


def _load_model(root: Path, run_ids: tuple[str, ...]) -> "tuple[list[Ensemble], list[str]]":
    from core.networks.ensemble import load_ensembles

    store = RunStore(root)
    return load_ensembles(store.read(run_id) for run_id in run_ids)


def serve(connection: Connection, answerer: InferenceService) -> None:
    """In the process: answer what comes through a pipe, until it closes."""
    while True:
        try:
            name, arguments, named = connection.recv()
        except (EOFError, OSError):
            return
        try:
            reply = True, getattr(answerer, name)(*arguments, **named)
        except ValueError as error:  # any other one is a defect: it is printed, the pipe closes, and the asker is told
            reply = False, error
        with suppress(BrokenPipeError):  # nobody waits for it any more
            connection.send(reply)


def main(numbers: Sequence[str]) -> None:
    """Serve the pipes of these file descriptors, each in a thread of its own, until all of them are closed."""
    import torch

    import core.networks.ensemble  # noqa: F401 - before the first request, which would otherwise import it in every thread

    torch.set_num_threads(1)  # the architectures share the processors, and a layer is too small to be shared
    answerer = InferenceService()
    threads = [threading.Thread(target=serve, args=[Connection(int(number)), answerer]) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1:])
