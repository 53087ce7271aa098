"""Photographs the running program for the README: `make pictures` writes docs/pictures/{home,race,draw,lesson}.png.

The server stands on a copy of the shipped runs, so that the race that is trained for its picture leaves nothing behind.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from math import cos, pi, sin
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from core.analysis.lesson import CHAPTERS
from core.runs.settings import REPORT_MODELS
from support.servers import ROOT, serve

TARGET = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
ROUNDS, EPOCHS = 2, 12  # of each architecture in the race
PATIENCE = 600_000  # milliseconds; a bound for a busy machine


def arc(x: float, y: float, radius: float, start: float, end: float) -> list[tuple[float, float]]:
    """Points along a circle, from one angle to another, in halves of a turn, as shares of a pad."""
    angles = (pi * (start + (end - start) * step / 20) for step in range(21))
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


THREE = arc(0.48, 0.33, 0.17, -0.85, 0.5) + arc(0.48, 0.67, 0.17, -0.5, 0.85)
SEVEN = [(0.3, 0.2), (0.7, 0.2), (0.45, 0.82)]


def go_home(page: Page) -> None:
    """The game, after the first answer."""
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".game .live")).to_contain_text("you were")


def race(page: Page) -> None:
    """All seven, trained to their end."""
    page.get_by_role("button", name="Start training").click()
    count = ROUNDS * len(REPORT_MODELS)
    expect(page.get_by_text(f"{count} rounds: {count} finished.")).to_be_visible(timeout=PATIENCE)


def draw(page: Page) -> None:
    """A three and a seven, and what the networks say."""
    for place, points in enumerate((THREE, SEVEN)):
        box = page.locator("canvas.pen").nth(place).bounding_box()
        assert box is not None
        corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        page.mouse.move(*corners[0])
        page.mouse.down()
        for corner in corners[1:]:
            page.mouse.move(*corner, steps=6)
        page.mouse.up()
    expect(page.get_by_role("heading", name=re.compile(r"^\d+ of \d+ say"))).to_be_visible()


def reveal(page: Page) -> None:
    """Chapter 2, guessed and revealed to its last step."""
    page.get_by_text("No clear difference", exact=True).first.click()
    for step in range(CHAPTERS[1].steps):
        page.get_by_role("button", name=re.compile("^Reveal more" if step else "^Reveal")).click()
    expect(page.get_by_text("Wonder:")).to_be_visible()


models = "&".join(f"model={model}" for model in REPORT_MODELS)
PICTURES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("", go_home),
    "draw": ("draw", draw),
    "lesson": ("lesson?chapter=2", reveal),
    "race": (f"train?{models}&rounds={ROUNDS}&max_epochs={EPOCHS}", race),  # last: what it trains counts elsewhere
}


def save(page: Page, name: str) -> None:
    """The screen as a PNG, when nothing moves any more."""
    page.mouse.move(0, 0)
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible(timeout=PATIENCE)
    path = TARGET / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        picture.convert("RGB").save(path, optimize=True)


def main() -> None:
    """All four, from one server and one browser."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Path(folder) / "runs"
        shutil.copytree(ROOT / "cached_runs", store, ignore=shutil.ignore_patterns(".lock"))
        with serve(ROOT / "streamlit_app.py", store) as address:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=flags)
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.set_default_timeout(60_000)
            expect.set_options(timeout=60_000)
            for name, (link, prepare) in PICTURES.items():
                page.goto(f"{address}/{link}")
                prepare(page)
                save(page, name)
            browser.close()


if __name__ == "__main__":
    main()
