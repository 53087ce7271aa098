"""Wrong codes, counted for each browser, so that no room is found by trying."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NoReturn

from core.classroom.room import RoomError

MOST = 10  # wrong codes that one browser may try within SECONDS
SECONDS = 600
REMEMBERED = 2_000  # browsers that tried wrong codes lately


class Attempts:
    """Who tried wrong codes, and when; `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, visitor: str) -> None:
        """Raise RoomError if this browser has tried too many wrong codes."""
        if len(self._recent(visitor)) >= MOST:
            raise RoomError(f"That were {MOST} wrong codes: wait ten minutes, and ask your teacher for the code.")

    def refuse(self, visitor: str, code: str) -> NoReturn:
        """Count a wrong code and raise RoomError."""
        self._wrong[visitor] = [*self._recent(visitor), self._clock()]
        self._wrong.move_to_end(visitor)
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)
        shown = code[:12] if code.isprintable() else "this"
        raise RoomError(f"There is no room {shown!r}: a code has four letters, such as KRPT.")

    def __len__(self) -> int:
        return len(self._wrong)

    def _recent(self, visitor: str) -> list[float]:
        return [moment for moment in self._wrong.get(visitor, []) if self._clock() - moment < SECONDS]
