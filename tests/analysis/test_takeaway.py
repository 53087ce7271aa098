"""What a class takes home: every revealed guess counted once, in CSV and on one page."""

import csv
from io import StringIO

import pytest

from core.analysis.game import Pair
from core.analysis.lesson import CHAPTERS
from core.analysis.takeaway import FIELDS, list_results, write_csv, write_page
from core.classroom.room import Vote

PAIRS = [Pair(place, (0, 1), (3, 5 - place), "plain", (True,) * 7) for place in range(3)]
TRUTHS = [6, 1, None, 2, None, None, None, None]


@pytest.fixture
def lines():
    tally = [[] for _ in CHAPTERS]
    tally[0] = [Vote(6, 6, "110"), Vote(0, 6, "010"), Vote(0, 0, "1")]
    tally[3] = [Vote(-5, 2), Vote(2, 2)]
    tally[7] = [Vote(0, 3, "abc.def"), Vote(5, 5, "<b>.x")]
    return list_results(tally, TRUTHS, PAIRS)


def test_guesses_are_counted_before_and_after_and_the_game_pair_by_pair(lines):
    first = [line for line in lines if line.chapter == 1]
    assert [(line.what, line.first, line.last, line.right) for line in first if line.first or line.last] == [
        ("Two channels", 2, 1, "no"), ("Direct classification", 1, 2, "yes")
    ]  # fmt: skip
    pairs = [(line.what, line.right) for line in first if line.what.startswith("pair")]
    assert pairs == [("pair 1: 3 ≤ 5", "1 of 2"), ("pair 2: 3 ≤ 4", "2 of 2"), ("pair 3: 3 ≤ 3", "0 of 2")]
    points = [(line.what, line.first, line.last, line.right) for line in lines if line.chapter == 4]
    assert points == [("−5 points", 1, 0, ""), ("+2 points", 1, 2, "nearest")]


def test_the_best_foolers_come_first(lines):
    assert [(line.what, line.last) for line in lines if line.what.startswith("drawing")] == [
        ("drawing=<b>.x", 5), ("drawing=abc.def", 3)
    ]  # fmt: skip


def test_the_csv_has_a_head_and_one_row_per_line(lines):
    head, *rows = csv.reader(StringIO(write_csv(lines)))
    assert head == FIELDS
    assert rows == [[str(value) for value in line] for line in lines]


def test_the_page_has_the_chapters_that_were_revealed_and_shows_text_as_text(lines):
    page = write_page("KRPT", lines)
    assert [chapter.question in page for chapter in CHAPTERS] == [True, False, False, True, False, False, False, True]
    assert "<b>.x" not in page
    assert "&lt;b&gt;.x" in page
    assert "Nothing was revealed." in write_page("KRPT", [])
