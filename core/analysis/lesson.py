"""The lesson: eight chapters, each with a question, a guess to make, the evidence from the store, and what it says.

What needs no number stands in lesson.toml. Every number is one of the store's, computed by the functions that the
other screens use, so that the lesson never says otherwise than they do.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from core.classroom.room import Ballot
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS, ModelName

ANSWERS = "[01]{0,10}"  # of the game, with the guess of its chapter: which of its pairs were right so far
_LINK = r"([A-Za-z0-9_-]{1,6000}\.[A-Za-z0-9_-]{1,6000})?"  # two drawings (core.drawing.links), with the last chapter's


class Chapter(NamedTuple):
    """A chapter; `place` counts from 0. `options` to choose from, or a number from `low` to `high` in `unit`.

    `steps`: in how many the evidence is revealed. `page` and `link` open the full screen with these settings. `notes`
    are the teacher's. `shows`: the architectures it is about.
    """

    place: int
    name: str
    question: str
    prompt: str
    wonder: str
    minutes: int
    page: str
    notes: tuple[str, ...]
    shows: tuple[ModelName, ...]
    options: tuple[str, ...] = ()
    steps: int = 1
    low: int = 0
    high: int = 0
    unit: str = ""
    link: Mapping[str, str] = MappingProxyType({})

    @property
    def ballot(self) -> Ballot:
        """What a room lets people guess."""
        values = range(len(self.options)) if self.options else range(self.low, self.high + 1)
        return Ballot(values, self.steps, {"game": ANSWERS, "fool": _LINK}.get(self.name, ""))

    def name_guess(self, value: int) -> str:
        """A guess in words: an option, or a number with its sign."""
        if self.options:
            return self.options[value]
        return f"{value:+d}".replace("-", "−").replace("+0", "0") if self.low < 0 else str(value)


def _read_chapters() -> tuple[Chapter, ...]:
    text = Path(__file__).with_name("lesson.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["chapters"]
    chapters = []
    for place, row in enumerate(rows):
        if row["name"] == "game":
            row["options"] = [PALETTE[model].label for model in REPORT_MODELS]
        row |= {name: tuple(row[name]) for name in ("notes", "options", "shows")}
        chapters.append(Chapter(place, **row))
    return tuple(chapters)


CHAPTERS = _read_chapters()
BALLOTS = tuple(chapter.ballot for chapter in CHAPTERS)
