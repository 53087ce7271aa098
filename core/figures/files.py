"""Figures as files: HTML pages that share one Plotly script, and SVG pictures drawn by a Chromium if there is one."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from plotly.offline import get_plotlyjs

from core.figures.style import FigureWithAlt

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SCRIPT = "plotly.min.js"
WIDTH = 1_100  # of a picture, in pixels
PATIENCE = 120  # seconds to wait for all pictures, which take some 4
HERE = Path(__file__).parent


class Section(NamedTuple):
    """A figure that can stand alone: a `name` for its files, the `question`, the figure, sentences, and the
    `method`."""

    name: str
    question: str
    drawn: FigureWithAlt
    sentences: list[str]
    method: str


class Pictures(NamedTuple):
    """SVG files by the figure's name, and a sentence if there are none."""

    files: dict[str, bytes]
    problem: str


def build_page(title: str, body: str) -> str:
    """A whole HTML document."""
    style = (HERE / "export.css").read_text()
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{escape(title)}</title><style>\n{style}</style>"
    return f'<!doctype html><html lang="en">{head}<body>{body}</body></html>'


def show_section(section: Section, script: bool | str) -> str:
    """A figure with its sentences and how it was computed. `script`: whether it brings Plotly's, or "directory" if
    that lies beside the page."""
    figure = section.drawn.figure.to_html(full_html=False, include_plotlyjs=script, config={"responsive": True})
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in section.sentences if sentence)
    method = f'<p class="method">How it was computed: {escape(section.method)}</p>'
    return f'<figure role="img" aria-label="{escape(section.drawn.alt, quote=True)}">{figure}</figure>{words}{method}'


def figure_files(sections: Sequence[Section]) -> dict[str, bytes]:
    """A page for each figure, by its name, and the one script that all of them need."""
    pages = {
        f"{section.name}.html": build_page(
            section.question, f"<h1>{escape(section.question)}</h1>{show_section(section, 'directory')}"
        ).encode()
        for section in sections
    }
    return {SCRIPT: get_plotlyjs().encode(), **pages}


def find_browser() -> str | None:
    """The Chromium to draw with: that of the environment variable CHROMIUM, or one on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def draw_pictures(sections: Sequence[Section]) -> Pictures:
    """Every figure as an SVG file with its question, sentences and method inside, drawn in one go."""
    browser = find_browser()
    if browser is None:
        return Pictures({}, "There is no Chromium, so the figures come as HTML alone; CHROMIUM can name one.")
    with tempfile.TemporaryDirectory() as folder:
        page = _write_page(Path(folder), sections)
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            f"--user-data-dir={folder}/profile", f"--virtual-time-budget={1_000 * PATIENCE}", "--dump-dom",
            page.as_uri(), ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = f"{browser} drew no SVG files ({type(error).__name__}); the figures come as HTML alone."
            return Pictures({}, problem)
    drawn = dict(re.findall(r'<pre id="([^"]+)">data:image/svg\+xml,([^<]+)</pre>', done.stdout))
    if missing := [section.name for section in sections if section.name not in drawn]:
        return Pictures({}, f"{browser} drew no SVG of {missing[0]}; the figures come as HTML alone.")
    files = {f"{section.name}.svg": _describe_svg(unquote(drawn[section.name]), section) for section in sections}
    return Pictures(files, "")


def _write_page(folder: Path, sections: Sequence[Section]) -> Path:
    figures = [
        {
            "name": section.name,
            "figure": json.loads(section.drawn.figure.to_json()),
            "width": WIDTH,
            "height": section.drawn.figure.layout.height,
        }
        for section in sections
    ]
    (folder / SCRIPT).write_text(get_plotlyjs())
    (folder / "figures.js").write_text(f"const figures = {json.dumps(figures)};")
    return Path(shutil.copy(HERE / "svg.html", folder))


def _describe_svg(picture: str, section: Section) -> bytes:
    """The picture with a title and a description, which readers of SVG show or speak."""
    description = " ".join(
        [section.drawn.alt, *filter(None, section.sentences), f"How it was computed: {section.method}"]
    )
    words = f"<title>{escape(section.question)}</title><desc>{escape(description)}</desc>"
    return re.sub(r"(<svg[^>]*>)", lambda start: start[1] + words, picture, count=1).encode()
