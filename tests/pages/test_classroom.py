"""A class in Chromium: a teacher and three students through the chapters, with a reload and a lost connection."""

import re

import pytest
from playwright.sync_api import expect

from core.analysis.lesson import CHAPTERS
from support.servers import ROOT, serve


@pytest.fixture(scope="module")
def address():
    with serve(ROOT / "streamlit_app.py", ROOT / "cached_runs", PAIR_TRAINING="off") as address:
        yield address


def open_room(open_page, address):
    teacher = open_page(f"{address}/lesson", width=1280)
    teacher.get_by_role("button", name="With a class").click()
    teacher.get_by_role("button", name="Open a room").click()
    code = teacher.locator(".lesson-invitation .code")
    expect(code).to_have_text(re.compile("[A-Z]{4}"))
    return teacher, code.inner_text()


def see(page, chapter):
    expect(page.get_by_role("heading", name=chapter.question)).to_be_visible()


def answered(teacher, count, people):
    expect(teacher.get_by_text(f"{count} of {people} answered").first).to_be_visible()


GUESSED = re.compile("What (the class said|was guessed)")


def vote_and_change(teacher, students, chapter):
    """Two of three guess, and one of them something else then."""
    right, wrong = chapter.options[1], chapter.options[0]
    students[0].get_by_role("radio", name=right, exact=True).click()
    answered(teacher, 1, 3)
    students[0].get_by_role("radio", name=wrong, exact=True).click()
    students[2].get_by_role("radio", name=right, exact=True).click()
    answered(teacher, 2, 3)


def go_through(teacher, students, chapter):
    """One chapter: asked, guessed, revealed; the second student's connection is lost meanwhile in the fourth."""
    teacher.get_by_role("link", name=chapter.question).click()
    for student in students:
        see(student, chapter)
    if chapter.place == 3:
        students[1].context.set_offline(True)
    if chapter.options:
        vote_and_change(teacher, students, chapter)
    teacher.get_by_role("button", name="Reveal").click()
    for student in [students[0], students[2]]:
        expect(student.get_by_text(GUESSED)).to_be_visible()
    students[1].context.set_offline(False)
    expect(students[1].get_by_text(GUESSED)).to_be_visible()


def test_a_class_goes_through_the_lesson_together(open_page, address):
    teacher, code = open_room(open_page, address)
    link = f"{address}/lesson?room={code}"
    students = [open_page(link, width=390) for _ in range(3)]
    answered(teacher, 0, 3)
    for student in students:
        student.get_by_role("button", name="Guess without playing").click()
        student.get_by_role("radio", name="Two channels").click()
    answered(teacher, 3, 3)
    expect(teacher.get_by_text(GUESSED)).to_have_count(0)  # how many, not what
    teacher.keyboard.press("ArrowRight")
    expect(students[0].get_by_text(GUESSED)).to_be_visible()
    for chapter in CHAPTERS[1:]:
        go_through(teacher, students, chapter)
        if chapter.place == 1:
            students[0].reload()  # comes back to its room
            expect(students[0].get_by_text(GUESSED)).to_be_visible()

    latecomer = open_page(link, width=390)  # joins at any time
    see(latecomer, CHAPTERS[-1])
    expect(latecomer.get_by_role("button", name="Reveal")).to_have_count(0)  # steers nothing
    teacher.get_by_role("button", name="Teacher").click()
    with teacher.expect_download() as download:
        teacher.get_by_role("button", name="Results as CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert any("Two channels,3,3,no" in row for row in rows)
    assert any("Own eyes win,0,1,no" in row for row in rows)  # who changed its mind guessed another first
    teacher.get_by_role("button", name="End the room").click()
    expect(students[2].get_by_text(f"Room {code} has ended.")).to_be_visible()


def test_what_is_wrong_is_told_in_a_sentence(open_page, address):
    page = open_page(f"{address}/lesson?room=ZZZZ", width=390)
    expect(page.get_by_text("There is no room 'ZZZZ': a code has four letters, such as KRPT.")).to_be_visible()
    see(page, CHAPTERS[0])
