"""Who is woken by what: the hub of the pages' event streams, without a browser."""

import asyncio
from types import SimpleNamespace

import pytest

from pages.app import moves
from pages.app.moves import Hub
from support.loops import run


@pytest.fixture
def hub(monkeypatch) -> Hub:
    """A hub whose engine has no runs and whose watching thread never starts: what wakes a page is the test alone."""
    monkeypatch.setattr(moves, "_engine", lambda: SimpleNamespace(jobs={}, moves=0))
    monkeypatch.setattr(moves, "PAUSE", 0)
    monkeypatch.setattr(Hub, "_watch", lambda self: None)
    return Hub()


async def read(stream) -> str:
    return await asyncio.wait_for(anext(stream), 30)


def test_an_announcement_wakes_those_that_listen_to_the_subject_and_nobody_else(hub):
    async def listen() -> tuple[str, bool]:
        room, other = (hub.stream(*hub.register([subject])) for subject in ("room A", "room B"))
        assert await read(room) == await read(other) == ": hello\n\n"
        hub.announce("room A")
        told = await read(room)
        silent = asyncio.ensure_future(anext(other))
        await asyncio.sleep(0)
        woken = silent.done()
        silent.cancel()
        return told, woken

    assert run(listen()) == ("data: moved\n\n", False)


def test_what_moved_before_the_browser_listens_is_told_at_once_and_many_moves_as_one(hub):
    async def listen() -> list[str]:
        topic, seen = hub.register(["room A"])
        hub.announce("room A")
        hub.announce("room A")
        stream = hub.stream(topic, seen)
        return [await read(stream), await read(stream)]

    assert run(listen()) == [": hello\n\n", "data: moved\n\n"]
    assert hub.register(["room A"])[1] == hub.register(["room A"])[1]


def test_a_page_that_has_left_is_dropped_and_a_server_with_too_many_says_so(hub, monkeypatch):
    monkeypatch.setattr(moves, "MOST_LISTENERS", 1)

    async def listen() -> tuple[bool, bool]:
        stream = hub.stream(*hub.register(["room A"]))
        await read(stream)
        full = hub.is_full
        await stream.aclose()
        return full, hub.is_full

    assert run(listen()) == (True, False)


def test_topics_and_announcements_are_bounded(hub, monkeypatch):
    monkeypatch.setattr(moves, "MOST_TOPICS", 2)
    first = hub.register(["room 0"])[0]
    for number in range(1, 4):
        hub.register([f"room {number}"])
        hub.announce(f"room {number}")
    assert not hub.know(first)
    assert len(hub._counts) == len(hub._topics) == 2
