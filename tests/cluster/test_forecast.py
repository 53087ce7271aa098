"""How long the queue takes, worked out by hand for small queues."""

from dataclasses import dataclass

import pandas as pd
import pytest

from core.cluster.forecast import Forecast, Pace, expect_ends, measure_pace
from core.runs.settings import RunSettings

BRANCHES = RunSettings(model="TwoBranchesModel", max_epochs=50)
PACE = Pace({"TwoBranchesModel": 2.0}, {BRANCHES.cell(): 30.0})  # 60 s a run


@dataclass
class Job:
    settings: RunSettings = BRANCHES
    pace: float | None = None
    reached: int = 0


def spans(queue: list[Job], pace: Pace = PACE, workers: int = 1, places: int = 1) -> list[tuple[float, float]]:
    return [(round(each.start, 6), round(each.end, 6)) for each in expect_ends(queue, pace, workers, places)]


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


def test_an_empty_queue_and_a_single_place():
    assert spans([]) == []
    assert spans([Job(), Job()]) == [(0, 60), (60, 120)]


def test_runs_that_take_turns_share_the_workers():
    # 20 and 40 s of work are left. Two on one worker: the first ends after 40 s, the other has 20 s left and is alone.
    queue = [Job(pace=2.0, reached=20), Job(pace=2.0, reached=10)]
    assert spans(queue, places=2) == [(0, 40), (0, 60)]
    assert spans(queue, workers=2, places=2) == [(0, 20), (0, 40)]
    assert spans(queue, workers=3, places=9) == [(0, 20), (0, 40)]  # a run is never on two workers


def test_whoever_waits_takes_the_place_of_the_first_to_end():
    # The third begins when the first is done, after 40 s: it and the second have 20 and 60 s left, then 40 s alone.
    queue = [Job(pace=2.0, reached=20), Job(pace=2.0, reached=10), Job()]
    assert spans(queue, places=2) == [(0, 40), (0, 80), (40, 120)]


def test_a_slower_machine_stretches_those_that_wait():
    assert spans([Job(pace=4.0, reached=15), Job()]) == [(0, 60), (60, 180)]  # 4 s an epoch instead of 2


def test_settings_without_a_finished_run_go_to_their_last_epoch():
    assert spans([Job(RunSettings(model="TwoBranchesModel", max_epochs=10, training_pairs=2_000))]) == [(0, 40)]


def test_a_run_that_lasts_longer_than_its_like_has_one_more_epoch():
    assert spans([Job(pace=2.0, reached=40)]) == [(0, 2)]


def test_nothing_to_tell_from_gives_no_estimate():
    nothing = Pace({}, {})
    assert expect_ends([Job()], nothing, 1, 1) is None
    assert expect_ends([Job(pace=2.0, reached=5), Job(RunSettings())], nothing, 1, 1) is None
    assert spans([Job(pace=2.0, reached=5)], nothing) == [(0, 90)]  # its own pace tells


def test_an_estimate_moves_by_at_most_a_third_from_look_to_look():
    forecast, jobs = Forecast(), [Job(pace=2.0), Job(BRANCHES.model_copy(update={"seed": 1}))]

    def look(now: float, queue: list[Job] = jobs) -> list[tuple[float, float]]:
        return [(round(a, 6), round(b, 6)) for a, b in forecast.look(queue, PACE, 1, 1, now)]

    assert look(0) == [(0, 60), (60, 120)]  # the first is said as it is
    jobs[0].pace = 20.0  # a slice that was held up: ten times slower
    assert look(12)[1] == (64, 144)  # a third more than the 48 and 108 seconds that were left
    jobs[0].pace = 2.0
    jobs[0].reached = 29  # all but over: 2 s are left, and 62
    assert look(16)[1] == (40, pytest.approx(93.333333))
    assert look(28)[1] == (pytest.approx(18.666667), 62)
    assert look(40, [jobs[1]]) == [(10, 60)]  # it leads now: 0 is meant, and a third of SOON is the most that goes
    assert forecast.look([], PACE, 1, 1, 41) == []
    assert look(42, [jobs[1]]) == [(0, 60)]  # what has left the queue is forgotten
