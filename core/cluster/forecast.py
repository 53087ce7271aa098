"""How long the queue takes: an estimate from what finished runs took, and from the pace of those that train now."""

import statistics
from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace
from typing import Any, NamedTuple, Protocol

import pandas as pd

from core.runs.settings import RunSettings


class Queued(Protocol):
    """What the estimate needs of a queued run: the epoch that it has `reached`, and its own `pace`, seconds an epoch
    while a worker trains it; None as long as that is unknown."""

    settings: RunSettings
    reached: int
    pace: float | None


class Pace(NamedTuple):
    """What finished runs took: model -> seconds an epoch with 1,000 training pairs; cell -> mean epochs."""

    seconds: dict[str, float]
    epochs: dict[str, float]


class Expectation(NamedTuple):
    """Seconds from now until a run starts and until it ends."""

    start: float
    end: float


SOON = 15.0  # seconds; below it, a screen says no number
LARGEST_STEP = 1 / 3  # by which an estimate moves from one look to the next


class Forecast:
    """Estimates that do not jump: a pace measured over one short slice is noisy, and people watch the number."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, Expectation]] = {}  # run -> when it was looked at, and what was said

    def look(
        self, queue: Sequence[Queued], pace: Pace, workers: int, places: int, now: float
    ) -> list[Expectation] | None:
        """What `expect_ends` gives, each figure at most a third from what it said before, less the time since.

        `now`: seconds of a clock that only goes forward.
        """
        expected = expect_ends(queue, pace, workers, places)
        names = [job.settings.run_id for job in queue]
        steady = [self._steady(name, new, now) for name, new in zip(names, expected or [], strict=bool(expected))]
        self._last = {name: (now, said) for name, said in zip(names, steady, strict=False)}
        return steady if expected is not None else None

    def _steady(self, name: str, new: Expectation, now: float) -> Expectation:
        if name not in self._last:
            return new
        when, said = self._last[name]
        due = [max(before - (now - when), SOON) for before in said]
        low, high = 1 - LARGEST_STEP, 1 + LARGEST_STEP
        return Expectation(*(min(max(value, low * left), high * left) for value, left in zip(new, due, strict=True)))


class _Rest(NamedTuple):
    """What is left of a run: its place in the queue, and the seconds of a worker that it takes."""

    place: int
    seconds: float


def measure_pace(runs: pd.DataFrame) -> Pace:
    """The pace of the finished ones of `runs` (core.analysis.tables.load_runs)."""
    done = runs[(runs["state"] == "finished") & (runs["epochs"] > 0) & (runs["seconds"] > 0)]
    an_epoch = 1_000 * done["seconds"].astype(float) / (done["epochs"] * done["training_pairs"]).astype(float)
    settings: list[Any] = done[list(RunSettings.model_fields)].to_dict("records")
    epochs = done["epochs"].astype(float).groupby([RunSettings.parse(values).cell() for values in settings]).mean()
    seconds = an_epoch.groupby(done["model"]).mean()
    return Pace({str(model): value for model, value in seconds.items()}, {str(k): v for k, v in epochs.items()})


def expect_ends(queue: Sequence[Queued], pace: Pace, workers: int, places: int) -> list[Expectation] | None:
    """When each run of the queue, in its order, starts and ends; None if nothing finished or trains to tell from.

    Up to `places` runs take turns on the `workers`, each for the same time. Those that train show how much slower than
    in the stored runs this machine is now.
    """
    rests = _measure_rests(queue, pace)
    if rests is None:
        return None
    now, starts, ends = 0.0, [0.0] * len(rests), [0.0] * len(rests)
    served = 0.0  # seconds of a worker that each of those that take turns has had, had it been there from the start
    turns = [(rest.seconds, rest.place) for rest in rests[:places]]  # how much each has had when it ends
    waiting = iter(rests[places:])
    heapify(turns)
    while turns:
        due, place = turns[0]
        now += (due - served) * max(1, len(turns) / workers)
        served, ends[place] = due, now
        if following := next(waiting, None):
            starts[following.place] = now
            heapreplace(turns, (served + following.seconds, following.place))
        else:
            heappop(turns)
    return [Expectation(start, end) for start, end in zip(starts, ends, strict=True)]


def _measure_rests(queue: Sequence[Queued], pace: Pace) -> list[_Rest] | None:
    stored = [_stored_seconds(job, pace) for job in queue]
    stretches = [job.pace / known for job, known in zip(queue, stored, strict=True) if job.pace and known]
    stretch = statistics.fmean(stretches) if stretches else 1.0
    rests = []
    for place, (job, known) in enumerate(zip(queue, stored, strict=True)):
        an_epoch = job.pace or (known and known * stretch)
        if an_epoch is None:
            return None
        epochs = pace.epochs.get(job.settings.cell(), job.settings.max_epochs)
        rests.append(_Rest(place, an_epoch * max(epochs - job.reached, 1)))
    return rests


def _stored_seconds(job: Queued, pace: Pace) -> float | None:
    """Seconds an epoch of this run takes, going by the finished ones of its architecture."""
    known = pace.seconds.get(job.settings.model)
    return known and known * job.settings.training_pairs / 1_000
