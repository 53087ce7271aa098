"""Where a visitor stands in the lesson, alone or in a room, and what can be done from there."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import streamlit as st

from core.analysis.lesson import CHAPTERS
from core.classroom.room import RoomError, View, Vote
from pages.app.classes import ROOMS, name_subject
from pages.app.shared import get_owner
from pages.components.link import check_link, keep_in_link
from pages.components.moves import listen

# In the session's state: `lesson_alone`, stage and guess of each chapter for a visitor on its own; `lesson_error`, the
# sentence of what was refused last, until the next step.
state = st.session_state


class Seat(NamedTuple):
    """`place` of the chapter, its `stage`, the visitor's own `vote`; `view` of the room, None for a visitor alone."""

    place: int
    stage: int
    vote: Vote | None
    view: View | None

    @property
    def own(self) -> int | None:
        """The visitor's own guess."""
        return self.vote.last if self.vote else None

    @property
    def votes(self) -> Sequence[Vote]:
        """Whatever was guessed, once it is revealed."""
        if self.view:
            return self.view.votes
        return [self.vote] if self.vote and self.stage else []

    @property
    def steers(self) -> bool:
        """Whether the visitor moves the lesson on."""
        return self.view is None or self.view.steers

    @property
    def guesses(self) -> bool:
        """Whether the visitor can guess now."""
        return not self.stage and not (self.view and self.view.steers)


def take_seat() -> Seat:
    """Where the visitor stands now: in the room of the link, in the one it is in already, or alone."""
    enter_linked_room()
    with suppress(RoomError):  # in no room, or it has just ended
        view = ROOMS.look(get_owner())
        listen("moves", [name_subject(view.code, view.steers)])
        view = ROOMS.look(get_owner())  # what moves from now on, the browser is told
        return Seat(view.chapter, view.stage, view.own, view)
    check_link("chapter", range(1, len(CHAPTERS) + 1))
    text = st.query_params.get("chapter", "1")
    numbers = {str(chapter.place + 1): chapter.place for chapter in CHAPTERS}
    place = numbers.get(text, 0)
    return Seat(place, *_alone().get(place, (0, None)), None)


def _alone() -> dict[int, tuple[int, Vote | None]]:
    kept: dict[int, tuple[int, Vote | None]] = state.setdefault("lesson_alone", {})
    return kept


def enter_linked_room() -> None:
    """Join the room of the link, once; what is wrong with it is told, and the visitor goes on alone."""
    code = st.query_params.get("room", "").strip().upper()
    held = ROOMS.find(get_owner())
    if held:
        keep_in_link("room", held)
    if code and code != held:
        join(code)


def join(code: str) -> None:
    """Bring the visitor into a room."""
    st.query_params.pop("room", None)
    _attempt(lambda: st.query_params.__setitem__("room", ROOMS.join(code, get_owner())))


def open_room() -> None:
    """Open a room at the chapter that is shown; the visitor then steers it."""
    place = take_seat().place
    _attempt(lambda: st.query_params.__setitem__("room", ROOMS.open(get_owner())))
    if place and ROOMS.find(get_owner()):
        _attempt(lambda: ROOMS.go(get_owner(), place))


def leave() -> None:
    """Out of the room; whoever steers it ends it."""
    seat = take_seat()
    if seat.view:
        _attempt(lambda: ROOMS.end(get_owner()) if seat.steers else ROOMS.leave(get_owner()))
    st.query_params.pop("room", None)


def go(place: int) -> None:
    """To another chapter."""
    if ROOMS.find(get_owner()):
        _attempt(lambda: ROOMS.go(get_owner(), place))
    else:
        state.lesson_error = ""
        st.query_params["chapter"] = str(min(max(place, 0), len(CHAPTERS) - 1) + 1)


def reveal(place: int, stage: int) -> None:
    """The next step of a chapter."""
    if ROOMS.find(get_owner()):
        _attempt(lambda: ROOMS.reveal(get_owner(), place, stage))
    else:
        _alone()[place] = stage, _alone().get(place, (0, None))[1]


def guess(place: int, value: int | None, note: str = "") -> None:
    """Count a guess, or change it; in a class it counts until the reveal. A note may come before any guess."""
    if value is None and not note:
        return
    if ROOMS.find(get_owner()):
        _attempt(lambda: ROOMS.vote(get_owner(), place, value, note))
    elif value is not None and value in CHAPTERS[place].ballot.values and not _alone().get(place, (0, None))[0]:
        _alone()[place] = 0, Vote(value, value, note)


def _attempt(act: Callable[[], object]) -> None:
    state.lesson_error = ""
    try:
        act()
    except RoomError as error:
        state.lesson_error = str(error)
