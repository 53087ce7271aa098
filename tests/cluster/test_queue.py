"""Whose turn it is: the queue alone, without any process; the tests train by saying how far each slice got."""

from collections.abc import Iterator
from itertools import islice
from types import SimpleNamespace

import pytest

from core.cluster.queue import CATCH_UP, LEAD, LONE_SECONDS, Job, Queue
from core.runs.settings import MODEL_NAMES, RunSettings

WORKERS = ("a", "b")


@pytest.fixture
def queue() -> Queue:
    return Queue(live=4)


def add(queue: Queue, owner: str, count: int = 1, race: int | None = None) -> list[Job]:
    """Queue runs of an owner that were not there yet; each is a race of its own unless a race is named."""
    jobs = []
    for _ in range(count):
        number = queue._arrivals + 1
        settings = RunSettings(model=MODEL_NAMES[number % 7], seed=number)
        jobs.append(Job(settings, SimpleNamespace(epochs=0), {owner}, f"token {number}", race or number))
        queue.add(jobs[-1])
    return jobs


def advance(job: Job, epochs: int) -> None:
    """The slice that is under way has ended."""
    job.part, job.reached, job.turn = None, job.reached + epochs, job.turn + 1


def train(queue: Queue, speed: dict[str, int]) -> Iterator[list[Job]]:
    """Have the workers answer in the order of asking, each by its speed in epochs a slice; gives batch after batch."""
    pending: list[list[Job]] = []
    while True:
        pending += queue.next_batches(WORKERS)
        batch = pending.pop(0)
        for job in batch:
            advance(job, min(job.part.epochs, speed[job.part.worker]))
        yield batch


def names(jobs: list[Job]) -> list[str]:
    return ["".join(sorted(job.owners)) for job in jobs]


def test_an_owners_second_run_waits_behind_others_first(queue):
    greedy, other = add(queue, "greedy", 4), add(queue, "other", 2)
    assert queue.order() == [greedy[0], other[0], greedy[1], other[1], *greedy[2:]]


def test_turns_stay_fair_as_runs_end_and_come(queue):
    a, b = add(queue, "a", 3), add(queue, "b", 1)
    queue.remove(a[0])
    assert names(queue.order()) == ["a", "b", "a"]
    [c] = add(queue, "c")  # a newcomer does not have to wait for what another asked for at length
    assert queue.order() == [a[1], b[0], c, a[2]]
    a[2].owners.add("d")  # whoever shares a run shares its place
    assert queue.order() == [a[1], a[2], b[0], c]


def test_as_many_runs_take_turns_as_the_workers_keep_and_a_newcomer_takes_the_place_of_a_second_run(queue):
    a = add(queue, "a", 9)
    queue.next_batches(WORKERS)
    assert [job.running for job in a] == [True] * 8 + [False]
    [b] = add(queue, "b")
    queue.next_batches(WORKERS)
    assert b.running
    assert [job.running for job in a] == [True] * 7 + [False] * 2


def test_the_first_slice_is_one_epoch_and_comes_before_what_others_go_on_with(queue):
    [first] = add(queue, "a")
    [[job]] = queue.next_batches(WORKERS)
    assert (job, job.part.epochs, job.part.seconds) == (first, 1, LONE_SECONDS)
    advance(first, 1)
    queue.next_batches(WORKERS)
    assert first.part.epochs == first.settings.max_epochs  # alone in its race, as many as fit into the time
    late = add(queue, "b", 6)
    batches = queue.next_batches(WORKERS)
    assert {job for batch in batches for job in batch} <= set(late)
    assert all(job.part.epochs == 1 for batch in batches for job in batch)


def test_many_runs_share_a_cycle_and_a_message(queue):
    queue.live = 16
    jobs = add(queue, "a", 30)
    for job in jobs:
        job.reached = 5
    batches = queue.next_batches(WORKERS)
    assert [len(batch) for batch in batches] == [3, 3, 3, 3]
    assert batches[0][0].part.seconds == pytest.approx(1.5 / 15)
    assert [batch[0].part.worker for batch in batches] == ["a", "b", "a", "b"]
    assert queue.next_batches(WORKERS) == []  # two batches are enough for a worker


def test_every_run_gets_on_before_any_gets_on_twice(queue):
    queue.live = 16
    jobs = add(queue, "a", 12)
    batches = islice(train(queue, {"a": 1, "b": 1}), 12)
    first = [job for batch in batches for job in batch][:12]
    assert set(first) == set(jobs)


@pytest.mark.parametrize("speed", [{"a": 1, "b": 1}, {"a": 1, "b": 3}])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_runs_of_a_race_are_never_more_than_ten_epochs_apart(queue, count, speed):
    jobs = add(queue, "a", count, race=99)
    for _ in islice(train(queue, speed), 60 * count):
        reached = [job.reached for job in jobs]
        assert max(reached) - min(reached) <= LEAD
    assert min(reached) > 40  # nobody is held up for ever


def test_runs_that_do_not_race_are_not_held_back(queue):
    one, other = add(queue, "a", 2)
    one.worker, other.worker, one.reached, other.reached = "a", "b", 80, 1
    queue.next_batches(WORKERS)
    assert one.part.epochs == one.settings.max_epochs


def test_an_idle_worker_takes_over_from_a_busy_one(queue):
    one, other = add(queue, "a", 2)
    for job in (one, other):
        job.worker, job.reached = "a", 5
    queue.next_batches(WORKERS)
    assert sorted((job.part.worker, job.part.origin) for job in (one, other)) == [("a", None), ("b", "a")]


def test_a_run_that_lags_in_its_race_changes_to_the_worker_of_those_ahead(queue):
    jobs = add(queue, "a", 4, race=99)
    for job, worker, reached in zip(jobs, "aabb", (20, 21, 20 + CATCH_UP, 25), strict=True):
        job.worker, job.reached, job.turn = worker, reached, 9
    jobs[2].part = jobs[3].part = None
    jobs[0].turn = 8
    queue.next_batches(("b", "a"))
    assert (jobs[0].part.worker, jobs[0].part.origin) == ("b", "a")


def test_a_training_whose_worker_is_gone_begins_on_another_without_asking_the_dead(queue):
    [job] = add(queue, "a")
    job.worker, job.reached = "gone", 30
    [[sent]] = queue.next_batches(WORKERS)
    assert (sent.part.worker, sent.part.origin) == ("a", None)


def test_whoever_begins_again_neither_stops_the_others_nor_waits_for_them(queue):
    jobs = add(queue, "a", 3)
    [*islice(train(queue, {"a": 2, "b": 2}), 30)]
    queue.lose_training(jobs[0])
    assert (jobs[0].reached, jobs[0].worker) == (0, None)
    assert jobs[0].turn == min(job.turn for job in jobs[1:])


def test_a_run_that_may_have_killed_its_worker_goes_alone(queue):
    queue.live = 16
    jobs = add(queue, "a", 20)
    jobs[1].losses = 1
    batches = queue.next_batches(WORKERS)
    assert [batch for batch in batches if jobs[1] in batch] in ([], [[jobs[1]]])


def test_runs_that_are_to_stop_get_no_more_slices(queue):
    stopping, ended, other = add(queue, "a", 3)
    stopping.stopping = ended.ended = True
    assert queue.next_batches(WORKERS) == [[other]]


def test_without_workers_nothing_is_sent_and_nobody_loses_a_place(queue):
    jobs = add(queue, "a", 2)
    queue.next_batches(WORKERS)
    assert queue.next_batches(()) == []
    assert all(job.running for job in jobs)
