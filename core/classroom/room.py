"""One class: who is in it, where the lesson stands, and what everybody guessed. Knows no clock and no other room.

A chapter is asked, and then revealed in one step or more. Guesses can change until the first of them.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class RoomError(ValueError):
    """Something that a room does not allow; the message is one sentence for whoever asked for it."""


class Ballot(NamedTuple):
    """What a chapter lets people guess: a whole number among `values`. `steps`: in how many it is revealed.

    A vote may carry a `note`, a text that this pattern fits: the answers of a game, a drawing. Empty: no notes.
    """

    values: range
    steps: int = 1
    note: str = ""


class Vote(NamedTuple):
    """One person's guess: the `first`, as made alone, and the `last`, which counts; None of who sent a note alone."""

    first: int | None
    last: int | None
    note: str = ""


class View(NamedTuple):
    """A room as one person sees it. `people`: the students in it; `answered`: how many of them have guessed.

    `counts` has how many guessed each value of the ballot, and `votes` the guesses without who made them; both are
    empty until the chapter is revealed. `own` is the visitor's own guess.
    """

    code: str
    game: int
    chapter: int
    stage: int
    steers: bool
    people: int
    answered: int
    own: Vote | None
    counts: tuple[int, ...]
    votes: tuple[Vote, ...]


class Room:
    """A class. Students are known by the name that the server gave their browser, and by nothing else."""

    def __init__(self, code: str, teacher: str, ballots: Sequence[Ballot], game: int) -> None:
        self.code, self.teacher, self.game = code, teacher, game
        self.ballots = ballots
        self.chapter = 0
        self.stages = [0] * len(ballots)
        self.people: set[str] = set()
        self.votes: list[dict[str, Vote]] = [{} for _ in ballots]

    def leave(self, visitor: str) -> None:
        """Take a student and the guesses that nobody has seen yet out of the room; what is revealed stays as it was."""
        self.people.discard(visitor)
        for stage, votes in zip(self.stages, self.votes, strict=True):
            if not stage:
                votes.pop(visitor, None)

    def vote(self, visitor: str, chapter: object, value: object, note: object = "") -> None:
        """Count a guess for the chapter that is asked now; a student's new guess takes the place of the former. With
        None, its note alone counts: a game's answers, before anything is guessed."""
        if visitor not in self.people:
            raise RoomError(f"Join room {self.code} before you guess.")
        if chapter != self.chapter:
            raise RoomError(f"The class is at chapter {self.chapter + 1} now: your guess was for another.")
        ballot, votes = self.ballots[self.chapter], self.votes[self.chapter]
        if self.stages[self.chapter]:
            raise RoomError(f"Chapter {self.chapter + 1} is revealed already: guesses count until then.")
        former = votes.get(visitor, Vote(None, None))
        if value is None and note:
            value = former.last
        elif type(value) is not int or value not in ballot.values:
            low, high = ballot.values[0], ballot.values[-1]
            raise RoomError(f"A guess here is a whole number from {low} to {high}.".replace("-", "−"))
        if not isinstance(note, str) or not re.fullmatch(ballot.note, note):
            raise RoomError("What came with this guess is none of this chapter's.")
        votes[visitor] = Vote(value if former.first is None else former.first, value, note)

    def go(self, visitor: str, chapter: object) -> None:
        """Show a chapter, as far as it was revealed before; for the teacher alone."""
        self._check_teacher(visitor)
        if type(chapter) is not int or not 0 <= chapter < len(self.ballots):
            raise RoomError(f"A chapter is a whole number from 1 to {len(self.ballots)}.")
        self.chapter = chapter

    def reveal(self, visitor: str, chapter: object, stage: object) -> None:
        """Reveal a chapter up to this step; a second press of the same button does nothing. For the teacher alone."""
        self._check_teacher(visitor)
        if chapter != self.chapter:
            return  # a press that was under way when the chapter changed
        steps = self.ballots[self.chapter].steps
        if type(stage) is not int or not 1 <= stage <= steps:
            raise RoomError(f"Chapter {self.chapter + 1} is revealed in steps from 1 to {steps}.")
        self.stages[self.chapter] = max(self.stages[self.chapter], stage)

    def look(self, visitor: str) -> View:
        """The room as this person sees it: what others guessed, only once it is revealed."""
        votes, stage = self.votes[self.chapter], self.stages[self.chapter]
        values = self.ballots[self.chapter].values
        last = [vote.last for vote in votes.values()]
        counts = tuple(last.count(value) for value in values) if stage else ()
        seen = tuple(votes.values()) if stage else ()
        guessed = {who for who, vote in votes.items() if vote.last is not None}
        answered = len(guessed) if stage else len(guessed & self.people)
        return View(
            self.code, self.game, self.chapter, stage, visitor == self.teacher, max(len(self.people), answered),
            answered, votes.get(visitor), counts, seen,
        )  # fmt: skip

    def tally(self, visitor: str) -> list[list[Vote]]:
        """Every chapter's guesses that are revealed, without who made them; for the teacher alone."""
        self._check_teacher(visitor)
        return [list(votes.values()) if stage else [] for stage, votes in zip(self.stages, self.votes, strict=True)]

    def _check_teacher(self, visitor: str) -> None:
        if visitor != self.teacher:
            raise RoomError(f"Only the browser that opened room {self.code} steers it.")
