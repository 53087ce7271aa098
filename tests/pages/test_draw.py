"""The screen Draw: through the entry file, and in Chromium with a mouse, a finger and links."""

# long: its tests share a store of trained networks

import json
import re
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from benchmarks.draw import DIGITS, draw_digit
from core import cli
from core.cluster.engine import Engine
from core.drawing.links import encode_pair
from core.drawing.strokes import frame_from_strokes, parse_strokes
from core.inference.service import InferenceService
from core.mnist.files import DataError
from core.networks.verdicts import Verdict, describe_classes
from core.runs.settings import MODEL_NAMES, RunSettings
from pages.app import shared
from pages.components.draw import verdicts as wording
from pages.components.draw.verdicts import verdicts_html, word_check, word_reading, word_strangeness, word_vote
from pages.components.networks import NETWORKS
from support.screens import press, send_drawings
from support.servers import ROOT, serve
from support.words import without_meanings

SEVEN = [{"width": 18, "points": [80, 60, 200, 60, 120, 230]}]
LINE = [{"width": 18, "points": [140, 40, 140, 240]}]


@pytest.fixture
def app(tmp_path, monkeypatch, trained_store) -> AppTest:
    monkeypatch.setattr(Engine, "start", lambda engine: None)
    shutil.copytree(trained_store, tmp_path / "runs")
    monkeypatch.setattr(shared.STORE, "root", tmp_path / "runs")
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=30)


def open_draw(app: AppTest, **link: str) -> AppTest:
    app.run()
    app.switch_page("pages/draw.py")
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def pads(app: AppTest):
    return app.session_state["pads_kept"]


def warnings(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.warning, *app.error])


def test_a_link_lays_a_pair_whose_digits_are_known(app):
    open_draw(app, pair="0-1")
    assert pads(app).truths == (7, 2)
    assert pads(app).first.strokes
    assert not warnings(app)


def test_a_link_is_left_when_the_pads_show_something_else(app):
    open_draw(app, drawing=encode_pair((parse_strokes(LINE), parse_strokes(SEVEN))))
    assert pads(app).drawings == (parse_strokes(LINE), parse_strokes(SEVEN))
    send_drawings(app, LINE, [], sequence=9)
    assert "drawing" not in app.query_params  # the address would lie


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"pair": "7"}, "The link's pair is '7', but must be two numbers from 0 to 9999, as in 7-2."),
        ({"pair": "7-99999"}, "The link's pair is '7-99999', but must be two numbers from 0 to 9999"),
        ({"drawing": "tampered"}, "The drawing in this link is damaged or incomplete."),
        ({"drawing": "eNpjAAAAAQAB"}, "The drawing in this link is damaged or incomplete: it must hold two digits."),
    ],
)
def test_a_broken_link_is_one_sentence_and_the_pads_are_empty(app, link, sentence):
    open_draw(app, **link)
    assert sentence in warnings(app)
    assert pads(app).drawings == (pads(app).first,) * 2
    assert not pads(app).first.strokes


def test_a_random_pair_of_the_digits_wanted(app):
    open_draw(app)
    app.pills(key="first_wanted").set_value(4)
    app.pills(key="second_wanted").set_value(9)
    press(app, "MNIST pair")
    assert pads(app).truths == (4, 9)


def test_a_message_that_is_no_drawing_is_one_sentence(app):
    open_draw(app)
    send_drawings(app, [{"width": 18, "points": [1, 900]}], [])
    assert "A stroke's coordinates must be numbers from 0 to 280." in warnings(app)
    send_drawings(app, LINE * 201, [], sequence=2)
    assert "The drawing has 201 strokes, but at most 200 are allowed." in warnings(app)


@pytest.mark.parametrize(
    "strokes", [[{"width": 18, "points": [5, 5]}], [{"width": 60, "points": [0, 0, 280, 280] * 99}]]
)
def test_a_dot_and_a_filled_pad_are_answered(app, strokes):
    open_draw(app, pair="0-1")
    send_drawings(app, strokes, strokes)
    assert not warnings(app)
    assert any(button.label == "Count this pair" for button in app.button)


def test_a_digit_is_compared_with_those_of_training_once_the_pen_rests(app, monkeypatch):
    compared = []
    monkeypatch.setattr(wording, "is_strange", lambda frame: compared.append(frame) or False)
    open_draw(app, pair="0-1")
    compared.clear()
    send_drawings(app, LINE, LINE, pen_down=True)
    assert not compared  # half a digit is none
    send_drawings(app, LINE, LINE, sequence=2)
    assert len(compared) == 2


def as_file(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"digits, but in a text file", "The file is no picture that can be read"),
        (as_file(Image.new("RGB", (90, 90), "red")), "No digit stands out in the picture"),
        (b"", "The picture's file is empty."),
    ],
)
def test_a_photo_that_cannot_be_used_is_one_sentence(app, content, sentence):
    open_draw(app)
    app.file_uploader(key="first_photo").upload("photo.png", content, "image/png").run()
    assert not app.exception
    told = warnings(app)
    assert told.startswith(f"The photo of the first digit cannot be used. {sentence}")
    assert (told.count("The photo of"), len(told.splitlines())) == (1, 1)  # it is told once, and nothing else is


def test_a_photo_is_laid_on_its_pad(app):
    open_draw(app, pair="0-1")
    before = pads(app).first
    picture = np.full((400, 300), 230, np.uint8)
    picture[60:340, 130:160] = 20
    app.file_uploader(key="second_photo").upload("one.png", as_file(Image.fromarray(picture)), "image/png").run()
    assert not app.exception
    assert pads(app).first == before
    assert pads(app).truths == (7, None)
    assert len(pads(app).second.strokes) == 1


def test_a_picture_is_the_same_to_the_pads_as_to_the_command_line(app, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "_predict", lambda frames, model, store: seen.extend(frames) or [])
    picture = Image.new("L", (26, 24), 250)
    ImageDraw.Draw(picture).line([(6, 4), (19, 5), (11, 21)], 20)  # small, with thin lines
    picture.save(tmp_path / "seven.png")
    cli.predict(tmp_path / "seven.png", tmp_path / "seven.png", "all", tmp_path, True)
    open_draw(app)
    app.file_uploader(key="first_photo").upload("seven.png", as_file(picture), "image/png").run()
    received = parse_strokes(json.loads(json.dumps(pads(app).first.as_json())))
    assert (frame_from_strokes(received) == seen[0]).all()
    assert seen[0].max() > 200


def test_a_challenge_deals_pairs_and_keeps_the_score(app):
    open_draw(app, panel="Score")
    assert "No pair has been counted yet" in "\n".join(caption.value for caption in app.caption)
    app.toggle(key="challenged").set_value(True).run()
    wanted = pads(app).truths
    assert None not in wanted
    send_drawings(app, LINE, SEVEN, wanted)
    press(app, "Count this pair")
    assert pads(app).first.strokes  # the pair stays in sight
    app.run()
    [table] = app.dataframe
    assert table.value["pairs"].tolist() == [1, 1]
    assert {judgement.first for judgement in app.session_state.judgements} == {wanted[0]}
    press(app, "Next pair")
    assert not pads(app).first.strokes
    assert {judgement.pair for judgement in app.session_state.judgements} == {1}


def test_the_same_pair_counts_once(app):
    open_draw(app, pair="0-1")
    press(app, "Count this pair")
    press(app, "Counted")
    assert "This pair is counted already" in app.toast[0].value
    assert {judgement.pair for judgement in app.session_state.judgements} == {1}


@pytest.mark.parametrize("panel", ["What they see", "Why?"])
def test_each_panel_opens_by_its_link(app, panel):
    open_draw(app, pair="0-1", panel=panel)
    assert app.session_state.panel in ("seen", "why")
    if panel == "Why?":
        assert app.session_state.why[1].result(timeout=30).pixels.shape == (2, 14, 14)
        app.run()
        assert "Blue spoke for first ≤ second" in "\n".join(caption.value for caption in app.caption)
        assert app.get("plotly_chart")


def test_a_network_that_goes_meanwhile_is_a_sentence(app, monkeypatch):
    answer = NETWORKS.ask

    def lose(what, trained, *rest, **named):
        lost = trained._replace(run_ids=()) if what is InferenceService.change_minds else trained
        return answer(what, lost, *rest, **named)

    monkeypatch.setattr(NETWORKS, "ask", lose)
    open_draw(app, pair="0-1", panel="Why?")
    assert [each.value for each in app.error] == ["This network is no longer in the store; choose another one."]
    assert not app.exception


def test_neighbours_are_shown_with_what_they_say(app):
    open_draw(app, pair="0-1", panel="Why?")
    [first, second] = app.session_state.neighbours[1].result(timeout=30)
    app.run()
    shown = "".join(element.proto.body for element in app.get("html"))
    for name, found in (("first", first), ("second", second)):
        for start, row in (("To this network", found.by_embedding), ("By pixels", found.by_pixels)):
            classes = row.classes.tolist()
            sentence = f"{start} your {name} digit looks like these: {describe_classes(classes)}."
            assert f"<p>{sentence.replace(' (', '&nbsp;(')}</p>" in shown
            assert f'aria-label="{sentence} Nearest first: {", ".join(map(str, classes))}."' in shown
    assert "of the 1,600 digits of its own round" in without_meanings("".join(each.value for each in app.caption))
    app.selectbox(key="why_network").select_index(0).run()  # two channels
    app.session_state.neighbours[1].result(timeout=30)
    app.run()
    assert "it has no embedding of a single one" in without_meanings("".join(each.value for each in app.caption))


# --- the verdicts' HTML -----------------------------------------------------------------------------------------------


def give(model: str, *probabilities: float) -> Verdict:
    decisions = [p >= 0.5 for p in probabilities]
    mean = sum(probabilities) / len(probabilities)
    return Verdict(RunSettings(model=model), mean >= 0.5, mean, decisions, list(probabilities), None)


def test_the_headline_counts_networks_and_the_wrong_stand_out():
    verdicts = [give(MODEL_NAMES[0], 0.9, 0.8, 0.7), give(MODEL_NAMES[1], 0.2, 0.1, 0.6)]
    assert word_vote(verdicts) == "4 of 6 say: first ≤ second"
    assert word_check(verdicts, (3, 7)) == "In truth 3 ≤ 7: 4 right, 2 wrong."
    assert word_check(verdicts, (7, 3)) == "In truth 7 > 3: 2 right, 4 wrong."
    assert word_check(verdicts, (None, 7)) == ""
    html = verdicts_html(verdicts, (3, 7))
    assert html.count("class=wrong") == 1
    assert "✗ no" in html
    assert "1 of 3 rounds say yes; probabilities 10 to 60 %" in html
    assert "class=wrong" not in verdicts_html(verdicts, (None, 7))


def test_a_challenge_says_when_networks_read_other_digits_than_were_asked_for():
    reads = [replace(give(MODEL_NAMES[6], 0.9), digits=np.eye(10)[list(pair)]) for pair in [(1, 7), (1, 7), (2, 7)]]
    assert "2 of the 3 groups of networks that read digits read 1 and 7." in word_reading(reads, (2, 7))
    assert word_reading(reads, (1, 7)) == ""  # one alone is no reason to doubt the drawing
    assert word_reading([give(MODEL_NAMES[0], 0.9)], (2, 7)) == ""


def test_a_drawing_unlike_any_digit_is_said_to_be_so(monkeypatch):
    line, checks = frame_from_strokes(parse_strokes(LINE)), np.indices((14, 14)).sum(0, dtype=np.float32) % 2 * 255
    assert word_strangeness((line, line)) == word_strangeness((None, line)) == ""
    far = "farther from the training digits than 99 of 100 real digits: do not rely on what the networks say of"
    assert word_strangeness((line, checks)) == f"The second drawing is {far} it."
    assert word_strangeness((checks, line)) == f"The first drawing is {far} it."
    assert word_strangeness((checks, checks)) == f"Both drawings are {far} them."

    def fail(frame):
        raise DataError("MNIST is missing.")

    monkeypatch.setattr(wording, "is_strange", fail)
    assert word_strangeness((line, line)) == "Whether the drawings look like digits cannot be told. MNIST is missing."


# --- in Chromium ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address():
    with serve(ROOT / "streamlit_app.py", ROOT / "cached_runs") as address:
        yield address


def wait_for_answer(page: Page) -> None:
    """Until the verdicts answer the pads' last message."""
    page.wait_for_function(
        """() => {
          const find = (selector, root = document) => root.querySelector(selector) ??
            [...root.querySelectorAll("*")].reduce((a, e) => a ?? (e.shadowRoot && find(selector, e.shadowRoot)), null)
          const [sent, answers] = [find("[data-sent]"), find("[data-answers]")]
          return sent && answers && sent.dataset.sent === answers.dataset.answers
        }"""
    )


def expect_digits(page: Page, digits: str) -> None:
    """DirectClassificationModel without dropout reads these; below the tabs that is said once the pen rests."""
    line = page.locator(".reads p").filter(has_text="Direct classification, without dropout")
    expect(line).to_contain_text(f"reads {digits}")


def test_every_digit_drawn_with_the_mouse_is_read(address, open_page):
    page = open_page(f"{address}/draw")
    page.locator("canvas.pen").nth(1).wait_for()
    for first in range(0, 10, 2):
        for pad, name in enumerate(("first", "second")):
            if first:
                page.get_by_role("button", name=f"Clear the {name} digit").click()
            draw_digit(page, pad, first + pad)
        wait_for_answer(page)
        expect_digits(page, f"{first} and {first + 1}")
        expect(page.locator(".check", has_text="farther from the training digits")).to_have_count(0)
        expect(page.get_by_role("heading", name=re.compile(r"^\d+ of 140 say: first ≤ second$"))).to_be_visible()
    page.get_by_label("What the first digit is").select_option("9")
    page.get_by_label("What the second digit is").select_option("8")
    wait_for_answer(page)
    expect(page.locator(".check", has_text="In truth 9 > 8")).to_be_visible()
    expect(page.locator("td.wrong").nth(7)).to_be_visible()
    page.get_by_role("button", name="Clear the second digit").click()
    box = page.locator("canvas.pen").nth(1).bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    for turn in range(1, 10):  # up and down across the whole pad
        page.mouse.move(
            box["x"] + 10 + turn // 2 * (box["width"] - 20) / 4, box["y"] + 10 + turn % 2 * (box["height"] - 20)
        )
    page.mouse.up()
    expect(page.locator(".check", has_text="The second drawing is farther from the training digits")).to_be_visible()


def touch(page: Page, pad: int, digit: int) -> None:
    canvas = page.locator("canvas.pen").nth(pad)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    session = page.context.new_cdp_session(page)
    for stroke in DIGITS[digit]:
        for number, (x, y) in enumerate(stroke):
            point = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            kind = "touchMove" if number else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_draws_on_a_phone(address, open_page):
    page = open_page(f"{address}/draw", 390)
    page.locator("canvas.pen").nth(1).wait_for()
    touch(page, 0, 3)
    touch(page, 1, 7)
    wait_for_answer(page)
    expect_digits(page, "3 and 7")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_shows_the_same_verdicts(address, open_page):
    page = open_page(f"{address}/draw")
    page.locator("canvas.pen").nth(1).wait_for()
    draw_digit(page, 0, 4)
    draw_digit(page, 1, 9)
    wait_for_answer(page)
    expect_digits(page, "4 and 9")
    page.get_by_role("button", name="Link").click()
    page.wait_for_url("**drawing=**")
    expect(page.get_by_text("Link copied")).to_be_visible()
    verdicts = page.locator(".verdicts table").inner_html()
    other = open_page(page.url)
    expect(other.locator(".verdicts table")).to_be_visible()
    assert other.locator(".verdicts table").inner_html() == verdicts


def test_explanations_say_that_they_come_and_then_follow_the_pen(address, open_page):
    page = open_page(f"{address}/draw?pair=0-1&panel=Why%3F")
    coming = page.get_by_text("The pixels are coming").or_(page.get_by_text("Blue spoke for"))
    expect(coming.first).to_be_visible()
    spoke = page.get_by_text(re.compile("Blue spoke for first"))
    expect(spoke).to_be_visible()
    before = spoke.inner_text()
    page.get_by_role("button", name="Clear the first digit").click()
    draw_digit(page, 0, 3)
    expect(page.get_by_text(re.compile("Blue spoke for first")).filter(has_not_text=before)).to_be_visible()


def test_nothing_of_a_drawing_is_left_in_the_store(app, tmp_path):
    before = sorted(path.name for path in Path(tmp_path / "runs").rglob("*"))
    open_draw(app, pair="0-1")
    press(app, "Count this pair")
    assert sorted(path.name for path in Path(tmp_path / "runs").rglob("*")) == before
