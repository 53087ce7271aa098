"""Every screen for everybody: axe-core finds nothing that is ours to mend, and nothing scrolls sideways."""

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
"""
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


def test_headings_go_down_one_level_at_a_time_and_the_pages_have_one_navigation(address, open_page):
    page = open_page(f"{address}/walk", 1280)
    page.wait_for_function(READY)
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(heading => heading.tagName)")
    assert levels[:2] == ["H1", "H2"]
    expect(page.get_by_role("navigation")).to_have_count(1)
