"""What a class takes home from its room: how it guessed, the game pair by pair, and its best foolers."""

import csv
from collections.abc import Sequence
from html import escape
from io import StringIO
from pathlib import Path
from string import Template
from typing import NamedTuple

from core.analysis.game import Pair
from core.analysis.lesson import CHAPTERS, Chapter
from core.classroom.room import Vote

FIELDS = ["chapter", "question", "what", "first guesses", "last guesses", "right"]
BEST = 10  # foolers that are listed


class Line(NamedTuple):
    """A row of the results. Of a guess: how many made it `first`, and `last`, and whether it is `right`, or the nearest
    to a number that was measured. Of a pair of the game: how many of the class were right. Of a fooler: how many
    networks it fooled."""

    chapter: int
    question: str
    what: str
    first: int | str
    last: int | str
    right: str


def list_results(tally: Sequence[Sequence[Vote]], truths: Sequence[int | None], pairs: Sequence[Pair]) -> list[Line]:
    """The rows of what a room revealed. `tally` and `truths` have one entry per chapter; `pairs` are the game's."""
    lines = []
    for chapter, votes, truth in zip(CHAPTERS, tally, truths, strict=True):
        if not votes:
            continue
        for value in chapter.ballot.values:
            first, last = (sum(vote[which] == value for vote in votes) for which in (0, 1))
            if chapter.options or first or last:
                words = ("yes", "no") if chapter.options else ("nearest", "")  # a measured number has an interval
                right = "" if truth is None else words[value != truth]
                lines.append(Line(chapter.place + 1, chapter.question, _name(chapter, value), first, last, right))
        lines += _list_notes(chapter, votes, pairs)
    return lines


def _name(chapter: Chapter, value: int) -> str:
    return chapter.name_guess(value) + (f" {chapter.unit}" if chapter.unit else "")


def _list_notes(chapter: Chapter, votes: Sequence[Vote], pairs: Sequence[Pair]) -> list[Line]:
    """The game pair by pair, or the drawings that fooled most."""
    start = chapter.place + 1, chapter.question
    if chapter.name == "game":
        whole = [vote.note for vote in votes if len(vote.note) == len(pairs)]
        return [
            Line(*start, f"pair {place + 1}: {pair.digits[0]} {'≤' if pair.truth else '>'} {pair.digits[1]}", "", "",
                 f"{sum(note[place] == '1' for note in whole)} of {len(whole)}")
            for place, pair in enumerate(pairs if whole else [])
        ]  # fmt: skip
    drawn = sorted(((vote.last or 0, vote.note) for vote in votes if vote.note), reverse=True)[:BEST]
    return [Line(*start, f"drawing={note}", "", fooled, "") for fooled, note in drawn]


def write_csv(lines: Sequence[Line]) -> str:
    """The results as CSV with a head."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(lines)
    return text.getvalue()


def write_page(code: str, lines: Sequence[Line]) -> str:
    """The results as one page of HTML that needs nothing else."""
    page = Template(Path(__file__).with_name("takeaway.html").read_text(encoding="utf-8"))
    sections = []
    for chapter in CHAPTERS:
        own = [line for line in lines if line.chapter == chapter.place + 1]
        rows = "".join(
            f"<tr{' class=right' if line.right in ('yes', 'nearest') else ''}>"
            f"{''.join(f'<td>{escape(str(value))}</td>' for value in line[2:])}</tr>"
            for line in own
        )
        if own:
            head = "".join(f"<th>{name}</th>" for name in ("", *FIELDS[3:]))
            sections.append(
                f"<h2>{chapter.place + 1}. {escape(chapter.question)}</h2><table><tr>{head}</tr>{rows}</table>"
            )
    return page.substitute(code=escape(code), sections="".join(sections) or "<p>Nothing was revealed.</p>")
