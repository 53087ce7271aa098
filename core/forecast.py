"""How long the queue takes: an estimate from what finished runs took, and from the pace of those that train now."""

import heapq
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import pandas as pd

from core.settings import RunSettings


class Queued(Protocol):
    """What the estimate needs of a queued run: `started` on the clock that `expect_ends` is given, None while it
    waits; `reached` is the epoch it is at, counted from its start."""

    settings: RunSettings
    started: float | None
    reached: int


class Pace(NamedTuple):
    """What finished runs took: model -> seconds an epoch with 1,000 training pairs; cell -> mean epochs."""

    seconds: dict[str, float]
    epochs: dict[str, float]


class Expectation(NamedTuple):
    """Seconds from now until a run starts and until it ends."""

    start: float
    end: float


def measure_pace(runs: pd.DataFrame) -> Pace:
    """The pace of the finished ones of `runs` (core.results.load_runs)."""
    done = runs[(runs["state"] == "finished") & (runs["epochs"] > 0) & (runs["seconds"] > 0)]
    an_epoch = 1_000 * done["seconds"].astype(float) / (done["epochs"] * done["training_pairs"]).astype(float)
    settings: list[Any] = done[list(RunSettings.model_fields)].to_dict("records")
    epochs = done["epochs"].astype(float).groupby([RunSettings.parse(values).cell() for values in settings]).mean()
    seconds = an_epoch.groupby(done["model"]).mean()
    return Pace({str(model): value for model, value in seconds.items()}, {str(k): v for k, v in epochs.items()})


def expect_ends(queue: Sequence[Queued], pace: Pace, now: float) -> list[Expectation] | None:
    """When each run of the queue, in its order, starts and ends; None where nothing finished or trains to tell from.

    Those that train show how many run at once and how much slower than the stored ones this machine is now.
    """
    stretches = []
    for job in queue:
        stored = _stored_seconds(job, pace)
        if job.started is not None and job.reached and stored:
            stretches.append((now - job.started) / job.reached / stored)
    stretch = statistics.fmean(stretches) if stretches else 1.0
    free: list[float] = []  # when each worker is free
    expected = []
    for job in queue:
        seconds = _remaining_seconds(job, pace, stretch, now)
        if seconds is None:
            return None
        start = 0.0 if job.started is not None or not free else heapq.heappop(free)
        heapq.heappush(free, start + seconds)
        expected.append(Expectation(start, start + seconds))
    return expected


def _stored_seconds(job: Queued, pace: Pace) -> float | None:
    """Seconds an epoch of this run takes, going by the finished ones of its architecture."""
    known = pace.seconds.get(job.settings.model)
    return known and known * job.settings.training_pairs / 1_000


def _remaining_seconds(job: Queued, pace: Pace, stretch: float, now: float) -> float | None:
    stored = _stored_seconds(job, pace)
    an_epoch = stored and stored * stretch
    if job.started is not None and job.reached:
        an_epoch = (now - job.started) / job.reached
    epochs = pace.epochs.get(job.settings.cell(), job.settings.max_epochs)
    return an_epoch and an_epoch * max(epochs - job.reached, 1)
