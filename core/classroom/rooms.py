"""All classes of a server: which are open, who may come in, and when they end. In memory only; any thread may ask."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

from core.classroom.attempts import Attempts
from core.classroom.limits import RoomLimits
from core.classroom.room import Ballot, Room, RoomError, View, Vote

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: a code is never a word, and none of them looks like a digit
CODE_LENGTH = 4
REMEMBERED = 2_000  # rooms that have ended


def _draw_code(chance: random.Random, taken: Collection[str]) -> str:
    while (code := "".join(chance.choices(LETTERS, k=CODE_LENGTH))) in taken:
        pass
    return code


class Rooms:  # long: whatever changes a room does so under one lock
    """The rooms of a server. Every visitor is in one of them at most.

    `on_change(code, moved)` is called after each change of a room, when the lock is free again; `moved` says whether
    the lesson has moved, rather than somebody come, gone or guessed. `clock` counts seconds.
    """

    def __init__(
        self,
        ballots: Sequence[Ballot],
        limits: RoomLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
        on_change: Callable[[str, bool], None] = lambda code, moved: None,
    ) -> None:
        self.limits = limits or RoomLimits()
        self.on_change = on_change
        self._ballots, self._clock = ballots, clock
        self._chance = chance or random.SystemRandom()
        self._rooms: dict[str, Room] = {}
        self._signs: dict[str, float] = {}  # a room -> when somebody in it was last heard of
        self._whereabouts: dict[str, str] = {}  # a visitor -> the room
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self.attempts = Attempts(clock)
        self._lock = threading.RLock()

    def open(self, teacher: str) -> str:
        """A new room's code; raises RoomError if the visitor steers one already or the server has no more."""
        with self._lock:
            self._end_silent()
            if len(self._rooms) >= self.limits.rooms:
                raise RoomError(f"This server holds {self.limits.rooms} rooms at once, and all are taken: try later.")
            left = self._take_out(teacher, "open another")
            code = _draw_code(self._chance, {*self._rooms, *self._ended})
            self._rooms[code] = Room(code, teacher, self._ballots, self._chance.randrange(1, 1_000_000))
            self._whereabouts[teacher] = code
            self._signs[code] = self._clock()
        self._tell(left)
        return code

    def join(self, code: str, visitor: str) -> str:
        """Bring a visitor into a room, out of any other; the code as it is written. Raises RoomError."""
        with self._lock:
            room = self._find(code, visitor)
            if self._whereabouts.get(visitor) == room.code:
                return room.code
            if len(room.people) >= self.limits.students:
                raise RoomError(f"Room {room.code} is full: it takes {self.limits.students} students.")
            left = self._take_out(visitor, "join another")
            room.people.add(visitor)
            self._whereabouts[visitor] = room.code
        self._tell(left)
        self._tell(room.code)
        return room.code

    def leave(self, visitor: str) -> None:
        """Take a student out of the room; a teacher ends it instead."""
        with self._lock:
            left = self._take_out(visitor, "leave it")
        self._tell(left)

    def find(self, visitor: str) -> str:
        """The room that a visitor is in; empty if in none, or if it has ended."""
        with self._lock:
            self._end_silent()
            return self._whereabouts.get(visitor, "")

    def look(self, visitor: str) -> View:
        """The visitor's room as it sees it; raises RoomError if it is in none."""
        with self._lock:
            return self._own(visitor).look(visitor)

    def vote(self, visitor: str, chapter: object, value: object, note: object = "") -> None:
        """Count a student's guess in its room; raises RoomError."""
        self._change(visitor, lambda room: room.vote(visitor, chapter, value, note))

    def go(self, visitor: str, chapter: object) -> None:
        """Show another chapter to the visitor's room; raises RoomError."""
        self._change(visitor, lambda room: room.go(visitor, chapter), moved=True)

    def reveal(self, visitor: str, chapter: object, stage: object) -> None:
        """Reveal a chapter to the visitor's room, up to this step; raises RoomError."""
        self._change(visitor, lambda room: room.reveal(visitor, chapter, stage), moved=True)

    def tally(self, visitor: str) -> list[list[Vote]]:
        """The revealed guesses of the visitor's room, chapter by chapter; raises RoomError."""
        with self._lock:
            return self._own(visitor).tally(visitor)

    def end(self, visitor: str) -> None:
        """End the room that a visitor steers; nothing of it is kept. Raises RoomError."""
        with self._lock:
            room = self._own(visitor)
            room.tally(visitor)  # refuses whoever does not steer it
            self._forget(room)
        self._tell(room.code, moved=True)

    def _tell(self, code: str, moved: bool = False) -> None:
        if code:
            self.on_change(code, moved)

    def _change(self, visitor: str, change: Callable[[Room], None], moved: bool = False) -> None:
        with self._lock:
            room = self._own(visitor)
            change(room)
        self._tell(room.code, moved)

    def _own(self, visitor: str) -> Room:
        self._end_silent()
        room = self._rooms.get(self._whereabouts.get(visitor, ""))
        if room is None:
            raise RoomError("You are in no room, or yours has ended: join one with its code.")
        self._signs[room.code] = self._clock()
        return room

    def _find(self, text: str, visitor: str) -> Room:
        """The room of a code that somebody typed; wrong ones are counted, so that none is found by trying."""
        self._end_silent()
        code = text.strip().upper()
        self.attempts.check(visitor)
        if code in self._rooms:
            self._signs[code] = self._clock()
            return self._rooms[code]
        if code in self._ended:
            raise RoomError(f"Room {code} has ended.")
        self.attempts.refuse(visitor, code)

    def _take_out(self, visitor: str, wish: str) -> str:
        """Take a student out of the room it is in; that room's code, empty if it was in none. A teacher stays."""
        code = self._whereabouts.get(visitor, "")
        if code and self._rooms[code].teacher == visitor:
            raise RoomError(f"You steer room {code}: end it before you {wish}.")
        if code:
            del self._whereabouts[visitor]
            self._rooms[code].leave(visitor)
        return code

    def _end_silent(self) -> None:
        """End the rooms of which nobody has been heard for too long."""
        oldest = self._clock() - 60 * self.limits.minutes
        for code in [code for code, sign in self._signs.items() if sign < oldest]:
            self._forget(self._rooms[code])

    def _forget(self, room: Room) -> None:
        for visitor in (room.teacher, *room.people):
            if self._whereabouts.get(visitor) == room.code:
                del self._whereabouts[visitor]
        del self._rooms[room.code], self._signs[room.code]
        self._ended.append(room.code)
