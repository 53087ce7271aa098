"""The classes of this server, and who hears of them; in no cache, which any browser can have emptied for everybody."""

from core.analysis.lesson import BALLOTS
from core.classroom.limits import RoomLimits
from core.classroom.rooms import Rooms
from pages.app.moves import HUB


def name_subject(code: str, steers: bool) -> str:
    """What a page of a room listens to: whoever steers hears of every guess, the others of the lesson's moves alone."""
    return f"room {code} {'all' if steers else 'moves'}"


def _announce(code: str, moved: bool) -> None:
    HUB.announce(name_subject(code, steers=True))
    if moved:
        HUB.announce(name_subject(code, steers=False))


ROOMS = Rooms(BALLOTS, RoomLimits.from_environment(), on_change=_announce)
