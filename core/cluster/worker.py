"""What runs on a worker: a few epochs of one run at a time, with the live trainings of many runs kept in between.

Dask must import these functions from here: one that it sends by value carries a copy of LIVE, where nothing stays.
"""

import dataclasses
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from core.runs.settings import RunSettings
from core.runs.writer import RunResult

if TYPE_CHECKING:
    from core.training.procedure import Training

LIVE: "OrderedDict[str, Training]" = OrderedDict()  # by token; the one that was used last stands at the end


class Slice(NamedTuple):
    """What a worker is to do for a run: train it on for at most `epochs` epochs or some `seconds`, at least one epoch.

    `token` names the live training; the store has the first `stored` epochs.
    """

    token: str
    settings_json: str
    stored: int
    epochs: int
    seconds: float


class Progress(NamedTuple):
    """What a slice of a run reports: the `records` that the store lacked, the epoch that the live training has
    `reached`, by how many epochs it `advanced` in how many `seconds` on the clock, and the `result` if it has ended."""

    records: list[dict[str, Any]]
    reached: int
    advanced: int
    seconds: float
    result: RunResult | None


def train_slices(slices: list[Slice], states: list[dict[str, Any] | None], most: int) -> list[Progress | str]:
    """Train each slice's run on, and keep at most `most` live trainings for later; the one that has waited longest for
    its next slice is forgotten first.

    A training that is not here goes on from its state, which `hand_over` gave on another worker, or else from the
    beginning: training is deterministic, so it walks through the same epochs again. Gives each slice's progress, or
    what went wrong in words.
    """
    import torch

    torch.set_num_threads(1)
    answers: list[Progress | str] = []
    for part, state in zip(slices, states, strict=True):
        try:
            answers.append(_train_slice(part, state))
        except Exception as error:  # whatever training raises is told about this run, and spares the others
            answers.append(str(error) or type(error).__name__)
    while len(LIVE) > most:
        LIVE.popitem(last=False)
    return answers


def _train_slice(part: Slice, state: dict[str, Any] | None) -> Progress:
    from core.training.procedure import Training

    training = LIVE.pop(part.token, None)
    if training is None or state is not None:
        training = Training(RunSettings.model_validate_json(part.settings_json))
    if state is not None:
        training.restore(state)
    began, before = time.monotonic(), len(training.history)
    while not training.ended:
        training.step()
        done, passed = len(training.history) - before, time.monotonic() - began
        if done >= part.epochs or passed + passed / done / 2 >= part.seconds:  # another would end farther from the time
            break
    seconds, reached = time.monotonic() - began, len(training.history)
    if not training.ended:
        LIVE[part.token] = training
    records = [dataclasses.asdict(record) for record in training.history[part.stored :]]
    return Progress(records, reached, reached - before, seconds, training.finish() if training.ended else None)


def hand_over(token: str) -> dict[str, Any] | None:
    """Let go of a live training, for another worker that goes on with it; None if it is not here."""
    training = LIVE.pop(token, None)
    return None if training is None else training.state()


def warm_up() -> None:
    """Import PyTorch, load MNIST and take the first, slow steps, so that the first run starts at once."""
    import torch

    from core.training.procedure import Training

    torch.set_num_threads(1)
    Training(RunSettings(training_pairs=100, max_epochs=1)).step()
