"""Every screen for everybody: axe-core finds nothing that is ours to mend, and nothing scrolls sideways."""

import re
import shutil
import tomllib
from contextlib import suppress

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from pages.app.screens import GROUPS
from support.servers import ROOT, serve

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
KNOWN = ROOT / "tests" / "pages" / "streamlit_violations.toml"
SCREENS = [screen.name for group in GROUPS for screen in group]
READY = """
() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && document.querySelector('h1')
  && !document.querySelector('[data-testid=stSkeleton]')
  && !document.querySelector('main, [data-testid=stMain]').innerText.includes('are coming…')
"""
# While a part of a page runs again, Streamlit fades what stands there: no contrast to judge a screen by.
UNFADED = "[data-stale=true] { opacity: 1 !important } * { transition: none !important }"
RUN = "async () => (await axe.run({resultTypes: ['violations']})).violations"
# Streamlit's main part scrolls by itself, so the window's width alone would hide what is too wide.
STAYS = """
() => [document.scrollingElement, document.querySelector('[data-testid=stMain]')].every(part => {
  part.scrollLeft = 1000;
  return part.scrollLeft === 0;
})
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    store = tmp_path_factory.mktemp("access") / "runs"
    shutil.copytree(ROOT / "cached_runs", store)
    with serve(ROOT / "streamlit_app.py", store) as address:
        yield address


def find_violations(page: Page, screen: str) -> list[tuple[str, str, str]]:
    """(screen, rule, selector) of what axe-core finds in the page as it stands."""
    page.add_style_tag(content=UNFADED)
    page.evaluate(AXE.read_text())
    found = page.evaluate(RUN)
    return [(screen, rule["id"], str(node["target"])) for rule in found for node in rule["nodes"]]


def test_axe_finds_nothing_of_ours_and_nothing_scrolls_sideways(address, open_page):
    assert AXE.exists(), "axe-core is missing; `make test` installs it with npm."
    known = tomllib.loads(KNOWN.read_text()).get("violation", [])
    met, new, wide = [], [], []
    for width, dark in ((1280, False), (390, True)):
        page = open_page(address, width, dark)
        for screen in SCREENS:
            page.goto(f"{address}/{screen if screen != 'home' else ''}")
            page.wait_for_function(READY)
            for found in find_violations(page, screen):
                listed = [
                    one for one in known if (one["screen"], one["rule"]) == found[:2] and one["target"] in found[2]
                ]
                met += listed
                new += [] if listed else [(width, *found)]
            if dark:
                page.set_viewport_size({"width": 320, "height": 800})
                with suppress(TimeoutError):  # tables take their new width a moment later
                    page.wait_for_function(STAYS, timeout=20_000)
                wide += [] if page.evaluate(STAYS) else [screen]
                page.set_viewport_size({"width": width, "height": 900})
    assert new == []
    assert wide == []
    assert [one for one in known if one not in met] == [], "They no longer occur: take them off the list."


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_the_scores_of_ten_pairs_and_a_meaning_in_bold_fit_the_screen(address, open_page, width):
    page = open_page(f"{address}/lesson?chapter=1", width)
    page.get_by_role("button", name="Guess without playing").click()
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator(".lesson-game")).to_be_visible()
    assert page.evaluate(STAYS)
    if width > 390:  # there, the table scrolls in its own box
        assert page.locator(".lesson-scores").evaluate("box => box.scrollWidth <= box.clientWidth")
    page.goto(f"{address}/lesson?chapter=2")
    page.get_by_role("button", name="Reveal").click()
    term = page.locator("strong .term", has_text="parameters")
    term.hover()
    assert term.get_by_role("tooltip").bounding_box()["width"] > 200
    assert page.evaluate(STAYS)


def test_headings_go_down_one_level_at_a_time_and_the_pages_have_one_navigation(address, open_page):
    page = open_page(f"{address}/walk", 1280)
    page.wait_for_function(READY)
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(heading => heading.tagName)")
    assert levels[:2] == ["H1", "H2"]
    expect(page.get_by_role("navigation")).to_have_count(1)


def look_of(page: Page, selector: str, name: str) -> list[str]:
    """A computed style of each element of the selector."""
    return page.locator(selector).evaluate_all("(all, name) => all.map(each => getComputedStyle(each)[name])", name)


def test_forced_colours_leave_what_only_colour_or_form_tells(address, open_page):
    page = open_page(address, 1280)
    page.emulate_media(forced_colors="active")
    page.goto(f"{address}/draw?pair=247-321")
    expect(page.locator(".verdicts .wrong").first).to_be_visible()
    assert set(look_of(page, ".verdicts .wrong", "outlineStyle")) == {"solid"}
    assert set(look_of(page, ".tools [aria-pressed=true]", "outlineStyle")) == {"solid"}
    assert set(look_of(page, ".tools [aria-pressed=false]", "outlineStyle")) == {"none"}
    assert look_of(page, ".tools .dot", "width") == ["5px", "9px", "14px"]
    assert not set(look_of(page, ".tools .dot", "backgroundColor")) & set(
        look_of(page, ".tools button", "backgroundColor")
    )
    page.goto(f"{address}/train?model=TwoChannelsModel&model=DirectClassificationModel")
    expect(page.locator("table.board line")).to_have_count(2)
    assert len(set(look_of(page, "table.board line", "stroke"))) == 2


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in page.evaluate("document.activeElement.closest('a, button')?.innerText ?? ''"):
            return
    raise AssertionError(f"Tab does not reach {name!r}.")


def test_the_leaderboard_works_by_keyboard(address, open_page):
    page = open_page(f"{address}/leaderboard", 1280)
    page.wait_for_function(READY)
    page.get_by_test_id("stDataFrame").locator("canvas").first.focus()
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.get_by_role("link", name="Train Direct classification")).to_be_visible()
    tab_to(page, "Train Direct classification, dropout")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/train\?.*rounds="))
