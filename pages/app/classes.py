"""The classes of this server; not in a cache, which any browser can have emptied for everybody."""

from core.analysis.lesson import BALLOTS
from core.classroom.limits import RoomLimits
from core.classroom.rooms import Rooms

ROOMS = Rooms(BALLOTS, RoomLimits.from_environment())
