"""What stands in a link is shown as text: no parameter of any screen makes a browser fetch from elsewhere."""

import ast
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from pages.app.text import JOINER, as_text
from support.fake_runs import write_run
from support.servers import ROOT, serve

HOSTILE = "![](http://x.invalid/p.png) www.x.invalid"  # 40 characters and more are cut
MORE = {"first_digit", "second_digit", "cards"}
VIEWS = [  # a screen, what chooses its view, and the parameters that it must say it cannot use
    ("", {}, {"game"}),
    ("train", {}, {*RunSettings.model_fields, "rounds", "curve"}),
    ("compare", {}, {"view"}),
    ("compare", {"view": "Table"}, {"table_dropouts"}),
    ("compare", {"view": "Curves"}, {"shown_dropout", "compared_curve", "looked_at"}),
    ("compare", {"view": "What each idea adds"}, {"shown_dropout"}),
    ("findings", {}, {"finding"}),
    ("findings", {"finding": "Which pairs are hard?"}, {"found_dropout"}),
    ("mistakes", {}, {"mistakes", "mistaken_dropout", "mistaken_model", *MORE}),
    ("mistakes", {"mistakes": "All architectures"}, {"mistaken_dropout", "right_alone"}),
    ("mistakes", {"mistakes": "Calibration"}, {"mistaken_dropout", "mistaken_model"}),
    ("mistakes", {"mistakes": "Two at odds"}, {"mistaken_dropout", "first_model", "second_model", "side"}),
    ("architectures", {}, {"one", "other"}),
    ("walk", {}, {"run", "pair", "stage"}),
    ("leaderboard", {}, set()),
    ("draw", {}, {"pair"}),
    ("draw", {"pair": "1-2", "panel": "why"}, set()),
]
SAID = re.compile(rf"The link's (\w+)(?: is|:) '{re.escape(HOSTILE[:39])}")


def find_parameters() -> list[str]:
    """Every key that a screen binds to the address, and what it reads from there by hand."""
    keys = {"pair", "drawing", "run", "rounds", *RunSettings.model_fields}
    for file in ROOT.glob("pages/**/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "key" and isinstance(node.value, ast.Constant):
                keys.add(node.value.value)
    return sorted(keys)


@pytest.fixture(scope="module")
def address(tmp_path_factory, trained_store):
    root = tmp_path_factory.mktemp("links") / "runs"
    shutil.copytree(trained_store, root)
    store = RunStore(root)
    for model in MODEL_NAMES[-3:]:
        for settings in RunSettings(model=model).rounds(2):
            store.drop_weights(write_run(store, settings, 0.75))
    (root / f"a {HOSTILE.replace('/', '_')}").mkdir()  # what is no run is named, too
    with serve(ROOT / "streamlit_app.py", root, PAIR_TRAINING="off") as address:
        yield address


@contextmanager
def watched(open_page, address: str) -> Iterator:
    """The page at an address; fails at its end where it asked another host for something or set text as Markdown."""
    page, asked = open_page("about:blank"), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.locator("h1").wait_for()
    yield page
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert page.locator("a[href*='invalid'], img[src*='invalid'], [data-testid=stException]").count() == 0


@pytest.mark.parametrize(("screen", "view", "refused"), VIEWS)
def test_a_parameter_is_shown_as_text(address, open_page, screen, view, refused):
    link = urlencode(dict.fromkeys(refused, HOSTILE) | view)
    with watched(open_page, f"{address}/{screen}?{link}") as page:
        for name in sorted(refused):
            expect(page.get_by_text(re.compile(rf"The link's {name}(:| is) '!"))).to_be_visible()
        words = page.locator("[data-testid=stAppViewContainer]").inner_text().replace(JOINER, "")
        assert set(SAID.findall(words)) == refused


@pytest.mark.parametrize("screen", dict.fromkeys(screen for screen, _, _ in VIEWS))
def test_all_parameters_at_once_fetch_nothing(address, open_page, screen):
    with watched(open_page, f"{address}/{screen}?{urlencode(dict.fromkeys(find_parameters(), HOSTILE))}"):
        pass


@pytest.mark.parametrize(
    "words",
    [
        "The link's seed is 'inf', but must be a whole number from 0 to 2,147,483,547; the default is shown.",
        "test_accuracy in result.json is wrong.",
        "The run was stopped; it can be started again.",
        "No Dask scheduler answers at the address (p < 0.05, 20 % of 1,000).",
    ],
)
def test_a_plain_sentence_stays_as_it_is(words):
    assert as_text(words) == words


def test_what_cannot_be_sent_is_replaced_and_lines_are_joined():
    assert as_text("one\n\n two\ud800\t") == "one two?"


MARKED = [
    "![](http://x.invalid/p.png)", "see http://x.invalid/a, www.x.invalid and WWW.X.INVALID; a@x.invalid", "<b>x</b>",
    ":material/home: :red[x] :smile: $x^2$ $$y$$", "*em* _em_ **b** ~~s~~ ~s~ `code` ``", "a->b <- c -- d >= e ~= f",
    "# head", "- item", "1. one", "2) two", "> quote", "---", "===", "|a|b|", "&lt;&amp;&#33;", "\\[x](javascript:0)",
    "[^1] [x]: http://x.invalid/", "10^2_3*4 a_b _c d_ :x", "http&#58;//x.invalid", "==x== {{y}} :blue-badge[z]",
]  # fmt: skip


def test_streamlit_shows_exactly_these_words(tmp_path, open_page):
    """In a warning and in a caption: nothing is set as Markdown, nothing is a link, nothing is fetched."""
    script = tmp_path / "app.py"
    script.write_text(
        "import streamlit as st\nfrom pages.app.text import as_text\n"
        f"for number, words in enumerate({MARKED!r}):\n"
        "    with st.container(key=f'case{number}'):\n"
        "        st.warning(as_text(words))\n        st.caption(as_text(words))\n"
    )
    with serve(script, tmp_path / "runs") as address:
        page, asked = open_page("about:blank"), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.locator(f".st-key-case{len(MARKED) - 1} p").nth(1).wait_for()
        for number, words in enumerate(MARKED):
            for shown in page.locator(f".st-key-case{number} p").all():
                assert shown.text_content().replace(JOINER, "") == words
                assert shown.evaluate("paragraph => paragraph.children.length") == 0
        assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
