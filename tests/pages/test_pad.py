"""The drawing pads in Chromium, on a page of their own."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect
from streamlit.testing.v1 import AppTest

from core.drawing.links import decode_drawing
from core.drawing.strokes import Drawing, Stroke
from support.servers import serve

# One page with the pads in a fragment, what Python makes of them, and a drawing that Python lays on the first pad;
# a second page without pads.
SCRIPT = """
import streamlit as st
from core.drawing.strokes import Drawing, Stroke; from core.drawing.links import encode_drawing
from pages.components.pad import lay_on_pads, read_pads, show_pads

LINE = Drawing((Stroke(((140.0, 40.0), (140.0, 240.0)), 18.0),))

def draw():
    if st.button("Lay a line"):
        lay_on_pads("pads", LINE, Drawing(), (1, None))
    st.fragment(show)()

def rested():
    st.session_state.rests = st.session_state.get("rests", 0) + 1

def show():
    state = read_pads("pads")
    show_pads("pads", (None, None), on_rest=rested)
    first, second = state.first, state.second
    st.text(
        f"strokes={len(first.strokes)},{len(second.strokes)} down={state.pen_down} error={state.error} "
        f"sequence={state.sequence} truths={state.truths[0]},{state.truths[1]} "
        f"rests={st.session_state.get('rests', 0)} first={encode_drawing(first)} second={encode_drawing(second)}"
    )

def other():
    st.text("No pads here")
    for _ in range(60):
        st.text("A line of text")

st.navigation([st.Page(draw, title="Draw", default=True), st.Page(other, title="Other")]).run()
"""

# Digits as people draw them, in shares of the pad
ONE = [[(0.4, 0.3), (0.52, 0.15), (0.52, 0.85)]]
FOUR = [[(0.6, 0.1), (0.3, 0.6), (0.8, 0.6)], [(0.65, 0.4), (0.62, 0.9)]]
SEVEN = [[(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pad")
    (folder / "app.py").write_text(SCRIPT)
    with serve(folder / "app.py", folder) as address:
        yield address


def open_page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(address)
    page.locator("canvas.pen").nth(1).wait_for()
    page.get_by_text("strokes=0,0").wait_for()
    return page


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        yield open_page(context, address)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as context:
        yield open_page(context, address)


def draw_digit(page: Page, index: int, strokes: list[list[tuple[float, float]]]) -> None:
    box = page.locator("canvas.pen").nth(index).bounding_box()
    assert box is not None
    for stroke in strokes:
        for number, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6 if number else 1)
            if not number:
                page.mouse.down()
        page.mouse.up()


def read_state(page: Page) -> SimpleNamespace:
    """What Python says is on the pads."""
    return parse_state(page.get_by_text(re.compile("^strokes=")).inner_text())


def parse_state(text: str) -> SimpleNamespace:
    return SimpleNamespace(**dict(part.split("=", 1) for part in re.split(r" (?=[a-z]+=)", text)))


def expect_strokes(page: Page, first: int, second: int) -> SimpleNamespace:
    """Wait until both the browser and Python have so many strokes on the pads; what Python says."""
    for index, count in enumerate((first, second)):
        name = f"{('First', 'Second')[index]} digit, drawing pad, "
        name += {0: "empty", 1: "1 stroke"}.get(count, f"{count} strokes")
        expect(page.locator("canvas.pen").nth(index)).to_have_attribute("aria-label", name)
    page.get_by_text(re.compile(rf"^strokes={first},{second} down=False")).wait_for()
    return read_state(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_strokes_reach_python_as_they_were_drawn(desktop: Page) -> None:
    draw_digit(desktop, 0, FOUR)
    draw_digit(desktop, 1, SEVEN)
    state = expect_strokes(desktop, 2, 1)
    assert state.error == "None"
    drawings = decode_drawing(state.first), decode_drawing(state.second)
    for drawn, intended in zip(drawings, (FOUR, SEVEN), strict=True):
        assert len(drawn.strokes) == len(intended)
        for stroke, corners in zip(drawn.strokes, intended, strict=True):
            assert stroke.width == 18
            assert len(stroke.points) == len(corners)  # thinned to its corners
            for point, corner in zip(stroke.points, corners, strict=True):
                assert point == pytest.approx([280 * share for share in corner], abs=1.5)


def test_strokes_arrive_while_the_pen_moves(desktop: Page) -> None:
    box = desktop.locator("canvas.pen").first.bounding_box()
    assert box is not None
    desktop.mouse.move(box["x"] + 50, box["y"] + 50)
    desktop.mouse.down()
    desktop.mouse.move(box["x"] + 90, box["y"] + 150, steps=5)
    desktop.get_by_text("strokes=1,0 down=True").wait_for()
    desktop.mouse.up()
    expect_strokes(desktop, 1, 0)


def test_undo_redo_clear_and_swap(desktop: Page) -> None:
    draw_digit(desktop, 0, FOUR)
    expect_strokes(desktop, 2, 0)
    press(desktop, "Undo")
    expect_strokes(desktop, 1, 0)
    press(desktop, "Redo")
    before = expect_strokes(desktop, 2, 0)
    press(desktop, "Swap the two digits")
    after = expect_strokes(desktop, 0, 2)
    assert after.second == before.first
    press(desktop, "Clear the second digit")
    expect_strokes(desktop, 0, 0)
    expect(desktop.get_by_role("button", name="Clear the second digit")).to_have_attribute("aria-disabled", "true")
    press(desktop, "Undo")
    expect_strokes(desktop, 0, 2)


def test_pen_and_eraser_are_chosen_by_their_buttons(desktop: Page) -> None:
    press(desktop, "Thick pen")
    expect(desktop.get_by_role("button", name="Thick pen")).to_have_attribute("aria-pressed", "true")
    draw_digit(desktop, 1, [[(0.1, 0.5), (0.9, 0.5)]])
    (stroke,) = decode_drawing(expect_strokes(desktop, 0, 1).second).strokes
    assert stroke.width == 28
    press(desktop, "Eraser")
    draw_digit(desktop, 1, [[(0.5, 0.3), (0.5, 0.7)]])
    pieces = decode_drawing(expect_strokes(desktop, 0, 2).second).strokes
    assert [piece.width for piece in pieces] == [28, 28]


def test_the_pads_work_by_keyboard(desktop: Page) -> None:
    canvas = desktop.locator("canvas.pen").first
    canvas.focus()
    for key in ("ArrowUp", "ArrowUp", "Space", "ArrowDown", "ArrowDown", "ArrowRight", "Space"):
        desktop.keyboard.press(key)
    expect(desktop.get_by_role("status").filter(has_text="Pen up")).to_be_visible()
    (stroke,) = decode_drawing(expect_strokes(desktop, 1, 0).first).strokes
    assert stroke.points == ((140, 120), (140, 140), (150, 140))
    desktop.keyboard.press("Control+z")
    expect_strokes(desktop, 0, 0)
    desktop.keyboard.press("Control+Shift+z")
    expect_strokes(desktop, 1, 0)
    desktop.keyboard.press("Delete")
    expect_strokes(desktop, 0, 0)
    expect(desktop.get_by_role("status").filter(has_text="First digit cleared")).to_be_visible()


def tab_stops(page: Page) -> Iterator[str]:
    for _ in range(30):
        page.keyboard.press("Tab")
        yield page.evaluate(
            """() => {
              let element = document.activeElement
              while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
              return element.getAttribute("aria-label") ?? ""
            }"""
        )


def test_every_control_is_reached_by_tab_and_large_enough(desktop: Page) -> None:
    wanted = {"Pen", "Eraser", "Thin pen", "Medium pen", "Thick pen", "Undo", "Redo", "Swap the two digits"}
    wanted |= {"Clear the first digit", "Clear the second digit"}
    wanted |= {"First digit, drawing pad, empty", "Second digit, drawing pad, empty"}
    wanted |= {"What the first digit is", "What the second digit is"}
    assert wanted <= set(tab_stops(desktop))
    for name in wanted:
        size = desktop.get_by_label(name, exact=True).bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 40


def test_python_lays_a_drawing_once(desktop: Page) -> None:
    draw_digit(desktop, 0, FOUR)
    expect_strokes(desktop, 2, 0)
    press(desktop, "Lay a line")
    line = Drawing((Stroke(((140, 40), (140, 240)), 18),))
    assert decode_drawing(expect_strokes(desktop, 1, 0).first) == line
    draw_digit(desktop, 0, [[(0.2, 0.2), (0.2, 0.8)]])  # and no echo takes the user's next stroke away
    drawn = decode_drawing(expect_strokes(desktop, 2, 0).first)
    assert drawn.strokes[0] == line.strokes[0]
    press(desktop, "Undo")
    expect_strokes(desktop, 1, 0)
    press(desktop, "Undo")
    expect_strokes(desktop, 2, 0)  # back before the line


def test_a_drawing_survives_another_page(desktop: Page) -> None:
    draw_digit(desktop, 0, FOUR)
    before = expect_strokes(desktop, 2, 0)
    desktop.get_by_role("link", name="Other").click()
    desktop.get_by_text("No pads here").wait_for()
    desktop.get_by_role("link", name="Draw").click()
    assert expect_strokes(desktop, 2, 0).first == before.first
    draw_digit(desktop, 1, ONE)
    expect_strokes(desktop, 2, 1)


def test_what_a_digit_is_goes_to_python_and_back(desktop: Page) -> None:
    desktop.get_by_label("What the first digit is").select_option("4")
    desktop.get_by_text("truths=4,None").wait_for()
    press(desktop, "Swap the two digits")
    desktop.get_by_text("truths=None,4").wait_for()
    expect(desktop.get_by_label("What the second digit is")).to_have_value("4")
    press(desktop, "Lay a line")
    desktop.get_by_text("truths=1,None").wait_for()
    expect(desktop.get_by_label("What the first digit is")).to_have_value("1")


def test_python_hears_once_that_the_pen_rests(desktop: Page) -> None:
    draw_digit(desktop, 0, FOUR)
    desktop.get_by_text("rests=1").wait_for()
    draw_digit(desktop, 1, ONE)
    desktop.get_by_text("rests=2").wait_for()


def swipe(session: CDPSession, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A finger from `start` to `end`, through the browser's own input, so that the page may scroll."""
    for share in range(11):
        x, y = (a + (b - a) * share / 10 for a, b in zip(start, end, strict=True))
        kind = "touchMove" if share else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def scrolled(page: Page) -> float:
    return page.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollTop + scrollY")


def test_a_finger_draws_and_the_page_stays(phone: Page) -> None:
    session = phone.context.new_cdp_session(phone)
    canvas = phone.locator("canvas.pen").first
    box = canvas.bounding_box()
    assert box is not None
    assert box["width"] >= 170  # both side by side fill a narrow screen
    second = phone.locator("canvas.pen").nth(1).bounding_box()
    assert second is not None
    assert second["y"] == box["y"]
    x, y = box["x"] + box["width"] / 2, box["y"]
    swipe(session, (x, y + 150), (x, y + 30))
    (stroke,) = decode_drawing(expect_strokes(phone, 1, 0).first).strokes
    assert stroke.points[0][1] > stroke.points[-1][1] + 150
    assert scrolled(phone) == 0


def test_a_finger_beside_the_pads_scrolls(phone: Page) -> None:
    phone.set_viewport_size({"width": 390, "height": 320})  # both pads and their tools fit on a whole phone
    heading = phone.get_by_role("heading", name="First digit").bounding_box()
    assert heading is not None
    swipe(phone.context.new_cdp_session(phone), (heading["x"] + 20, heading["y"] + 5), (heading["x"] + 20, 20))
    phone.wait_for_function("document.querySelector('[data-testid=\"stMain\"]').scrollTop + scrollY > 20")


def test_a_page_test_can_draw_through_session_state(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT)
    app = AppTest.from_file(str(tmp_path / "app.py"), default_timeout=20).run()
    assert app.text[0].value.startswith("strokes=0,0")
    drawn = [[{"width": 18, "points": [1, 2, 3, 4]}], []]
    message = {"sequence": 4, "revision": 0, "pen_down": False, "pads": drawn, "truths": [None, None]}
    app.session_state["pads"] = {"pads": message}
    app.run()
    assert not app.exception
    state = parse_state(app.text[0].value)
    assert (state.strokes, state.error, state.sequence) == ("1,0", "None", "4")
    assert decode_drawing(state.first) == Drawing((Stroke(((1, 2), (3, 4)), 18),))
