"""How many classes a server holds at once, and for how long; read from the environment.

PAIR_MAX_ROOMS      rooms that are open at once
PAIR_MAX_STUDENTS   students in one room
PAIR_ROOM_MINUTES   after so long without a sign from anybody in it, a room ends
PAIR_ADDRESS        the address at which students' devices reach this server, if the teacher's browser uses another
"""

from typing import Annotated

from pydantic import Field

from core.runs.environment import FromEnvironment

_ADDRESS = Field(pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$", examples=["http://192.168.0.10:8501"])


class RoomLimits(FromEnvironment):
    """The limits of one server's rooms."""

    rooms: Annotated[int, Field(ge=1, le=1_000, alias="PAIR_MAX_ROOMS")] = 20
    students: Annotated[int, Field(ge=1, le=1_000, alias="PAIR_MAX_STUDENTS")] = 200
    minutes: Annotated[int, Field(ge=1, le=1_440, alias="PAIR_ROOM_MINUTES")] = 120
    address: Annotated[str, _ADDRESS, Field(alias="PAIR_ADDRESS")] = ""
