"""How long the queue takes, worked out by hand for small queues."""

from dataclasses import dataclass

import pandas as pd
import pytest

from core.forecast import Pace, expect_ends, measure_pace
from core.settings import RunSettings

BRANCHES = RunSettings(model="TwoBranchesModel", max_epochs=50)
PACE = Pace({"TwoBranchesModel": 2.0}, {BRANCHES.cell(): 30.0})  # 60 s a run


@dataclass
class Job:
    settings: RunSettings = BRANCHES
    started: float | None = None
    reached: int = 0


def spans(queue: list[Job], pace: Pace = PACE, now: float = 100.0) -> list[tuple[float, float]]:
    return [(round(each.start, 6), round(each.end, 6)) for each in expect_ends(queue, pace, now)]


def test_pace_is_that_of_the_finished_runs():
    same = RunSettings(model="TwoBranchesModel", training_pairs=500)
    rows = [
        {**same.model_dump(), "seed": 0, "state": "finished", "epochs": 20, "seconds": 10.0},
        {**same.model_dump(), "seed": 1, "state": "finished", "epochs": 40, "seconds": 40.0},
        {**same.model_dump(), "seed": 2, "state": "stopped", "epochs": 2, "seconds": None},
    ]
    pace = measure_pace(pd.DataFrame(rows))
    assert pace.seconds == {"TwoBranchesModel": 1.5}  # 0.5 and 1 s an epoch with 500 pairs
    assert pace.epochs == {same.cell(): 30}
    assert measure_pace(pd.DataFrame(rows[2:])) == Pace({}, {})


def test_an_empty_queue_and_a_single_worker_that_has_not_begun():
    assert spans([]) == []
    assert spans([Job(), Job()]) == [(0, 60), (60, 120)]


def test_as_many_workers_as_runs_that_train_and_the_first_to_be_free_takes_the_next():
    # Both at 2 s an epoch: one has 10 of 30 epochs left, the other 20.
    queue = [Job(started=60.0, reached=20), Job(started=80.0, reached=10), Job(), Job(), Job()]
    assert spans(queue) == [(0, 20), (0, 40), (20, 80), (40, 100), (80, 140)]


def test_a_slower_machine_stretches_those_that_wait():
    assert spans([Job(started=40.0, reached=15), Job()]) == [(0, 60), (60, 180)]  # 4 s an epoch instead of 2


def test_settings_without_a_finished_run_go_to_their_last_epoch():
    assert spans([Job(RunSettings(model="TwoBranchesModel", max_epochs=10, training_pairs=2_000))]) == [(0, 40)]


def test_a_run_that_lasts_longer_than_its_like_has_one_more_epoch():
    assert spans([Job(started=20.0, reached=40)]) == [(0, 2)]


def test_nothing_to_tell_from_gives_no_estimate():
    assert expect_ends([Job()], Pace({}, {}), 0.0) is None
    assert expect_ends([Job(started=0.0, reached=0), Job()], Pace({}, {}), 5.0) is None
    assert spans([Job(started=90.0, reached=5)], Pace({}, {})) == [(0, pytest.approx(90))]  # its own pace tells
