"""When a start counts as lost, and when as failed; and that closing needs no cancellation."""

import asyncio
import queue
from collections.abc import Iterator

import pytest

from core.cluster import keeper
from core.cluster.connection import EngineError
from core.cluster.keeper import TRIES, Cluster, Failed, Lost, Opened


class FakeConnection:
    """Opens or fails as `failures` says, one after the other, and then stays as it is."""

    failures: Iterator[bool]

    def __init__(self, *_: object) -> None:
        pass

    async def open(self) -> None:
        if next(self.failures):
            raise EngineError("It did not start.")

    async def watch(self) -> str:
        while True:  # as Dask does, it swallows what would cancel it
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if asyncio.current_task().cancelling() > 1:
                    raise

    async def shut(self) -> None:
        pass


@pytest.mark.parametrize(
    ("scheduler", "failures", "events"),
    [
        (None, [True, True, False], [Lost, Lost, Opened]),  # killed while it started, twice
        (None, [True] * TRIES, [Lost, Lost, Failed]),
        ("tcp://127.0.0.1:9", [True], [Failed]),  # somebody else's cluster is asked again later
    ],
)
def test_a_local_cluster_that_does_not_start_is_started_again_some_times(monkeypatch, scheduler, failures, events):
    monkeypatch.setattr(keeper, "Connection", FakeConnection)
    monkeypatch.setattr(FakeConnection, "failures", iter(failures), raising=False)
    told: queue.SimpleQueue = queue.SimpleQueue()
    cluster = Cluster(scheduler, 1, told.put)
    cluster.start()
    found = [told.get(timeout=60) for _ in events]
    cluster.close()  # although the watch goes on
    assert [type(event) for event in found] == events
    assert all(event == Opened() or event.sentence == "It did not start." for event in found)
