"""The lesson for a visitor alone: guess, reveal, next, through all eight chapters."""

import re

import pytest

from core.analysis.evidence import EVIDENCE
from core.analysis.lesson import CHAPTERS
from core.analysis.tables import load_runs
from core.cluster.engine import Engine
from pages.app import shared
from support.screens import press, send_drawings, show, text_of

pytestmark = pytest.mark.usefixtures("screens_alone", "shipped")


def guess(app, value):
    [widget] = [*app.button_group, *app.slider]
    widget.set_value(value).run()
    assert not app.exception


def labels(app):
    return [button.label for button in app.button]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_each_chapter_asks_then_reveals_in_steps_then_says(chapter):
    shown = EVIDENCE[chapter.name](shared.STORE, load_runs(shared.STORE))
    app = show("pages/lesson.py", chapter=str(chapter.place + 1))
    if chapter.name == "game":
        press(app, "Guess without playing")
    assert app.title[0].value == chapter.question
    assert chapter.prompt.split(".")[0].split("{")[0] in text_of(app)
    for sentence in shown.says:
        assert sentence not in text_of(app).replace("\u00a0", " ")
    if chapter.name == "fool":  # its guess is what is drawn
        assert "Draw a digit on each pad, and say above it which one it is." in text_of(app)
        press(app, "Reveal")
    else:
        guess(app, chapter.ballot.values[1])
        press(app, "Reveal")
        assert f"You guessed **{chapter.name_guess(chapter.ballot.values[1])}**" in text_of(app)
    for step in range(1, chapter.steps):
        assert [sentence in text_of(app).replace("\u00a0", " ") for sentence in shown.says[: step + 1]] == (
            [] if not shown.says else [True, False]
        )
        press(app, "Reveal more")
    said = text_of(app).replace("\u00a0", " ")
    assert all(sentence in said for sentence in shown.says)
    assert f"Wonder: {chapter.wonder[0].lower()}{chapter.wonder[1:]}" in said
    assert ("Next" in labels(app)) == (chapter.place < 7)


SEVEN = [{"width": 18, "points": [80, 60, 200, 60, 120, 230]}]
LINE = [{"width": 18, "points": [140, 40, 140, 240]}]


def count_wrong(said: str) -> int:
    """How many of the seven the last chapter says to be fooled, whose names it lists."""
    count, names = re.search(r"\*\*(\d) of 7\*\* are fooled: (.+)\.", said).groups()
    assert int(count) == (0 if names == "none" else len(names.split(", ")))
    return int(count)


def test_the_best_pair_is_the_guess_of_the_last_chapter():
    app = show("pages/lesson.py", chapter="8")
    right = count_wrong(text_of(send_drawings(app, SEVEN, LINE, (7, 1), 1, "lesson_pads")))
    lied = count_wrong(text_of(send_drawings(app, SEVEN, LINE, (1, 7), 2, "lesson_pads")))
    assert right + lied == 7  # each network says either 7 <= 1 or not
    press(app, "Count this pair")
    assert f"Your best so far: {lied} of 7." in text_of(app)
    send_drawings(app, SEVEN, LINE, (7, 1), 3, "lesson_pads")
    [button] = [button for button in app.button if button.label == "Count this pair"]
    assert button.disabled == (right <= lied)
    press(app, "Reveal")
    assert f"Your best so far: {lied} of 7." not in text_of(app)


def test_a_chapter_with_nothing_to_reveal_offers_the_next_one(empty):
    app = show("pages/lesson.py")
    for chapter in CHAPTERS[:-1]:
        assert app.title[0].value == chapter.question
        assert "so there is nothing to reveal." in text_of(app)
        assert "Reveal" not in labels(app)
        press(app, "Next")


LINKS = {(chapter.page, *chapter.link.items()): chapter for chapter in CHAPTERS}


@pytest.mark.parametrize("chapter", LINKS.values(), ids=lambda chapter: chapter.name)
def test_the_link_of_a_chapter_opens_the_screen_with_its_settings(chapter):
    app = show(f"pages/{chapter.page}.py", **chapter.link)
    assert [warning.value for warning in app.warning] == []
    shown = {app.title[0].value, *(app.session_state[name] for name in chapter.link)}
    assert set(chapter.link.values()) <= shown  # a finding's title is its question
    assert "No run in the store answers" not in text_of(app)


def test_two_networks_race_on_rounds_that_nobody_has_trained_and_the_evidence_comes_back(monkeypatch):
    asked = []
    monkeypatch.setattr(Engine, "request", lambda engine, rounds, owner: asked.extend(rounds))
    app = show("pages/lesson.py", chapter="2")
    assert "Race them live" not in labels(app)  # before the guess it would tell
    press(app, "Reveal")
    press(app, "Race them live")
    assert [(settings.model, settings.seed) for settings in asked] == [
        (model, seed) for model in CHAPTERS[1].shows for seed in (100, 101, 102)
    ]
    press(app, "Back to ten rounds")
    assert "Race them live" in labels(app)


def test_nobody_races_where_training_is_switched_off(monkeypatch):
    monkeypatch.setenv("PAIR_TRAINING", "off")
    app = show("pages/lesson.py", chapter="2")
    press(app, "Reveal")
    assert "Race them live" not in labels(app)


def test_next_and_back_lead_through_the_chapters_and_keep_what_was_seen():
    app = show("pages/lesson.py", chapter="2")
    guess(app, 1)
    press(app, "Reveal")
    press(app, "Reveal more")
    press(app, "Next")
    assert app.title[0].value == CHAPTERS[2].question
    press(app, "Back")
    assert app.title[0].value == CHAPTERS[1].question
    assert "You guessed **No clear difference**. The runs say **No clear difference**." in text_of(app)


def test_a_room_opens_at_the_chapter_that_its_teacher_is_at():
    app = show("pages/lesson.py", chapter="3")
    press(app, "Open a room")
    assert app.title[0].value == CHAPTERS[2].question
    press(app, "End the room")


def test_a_slider_that_stands_right_already_can_be_taken_as_a_guess():
    app = show("pages/lesson.py", chapter="4")
    press(app, "Guess 0")
    press(app, "Reveal")
    assert "You guessed **0**. The runs say **+2**." in text_of(app)


@pytest.mark.parametrize("value", ["0", "9", "x", "-1"])
def test_a_link_to_no_chapter_says_so_and_shows_the_first(value):
    app = show("pages/lesson.py", chapter=value)
    assert app.title[0].value == CHAPTERS[0].question
    assert f"The link's chapter is '{value}', but must be a whole number from 1 to 8; the default is shown." in [
        warning.value for warning in app.warning
    ]
