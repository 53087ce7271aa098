"""Home: the game in Chromium, and what stands there with links good and bad, without runs, and with damage."""

import json

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from core.analysis.game import choose_pairs, measure_accuracies, read_votes
from core.analysis.numbers import percent
from core.analysis.tables import load_runs
from core.mnist.files import DataError
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS
from core.runs.store import RunStore
from pages.app import shared
from support.servers import ROOT, serve


@pytest.fixture(scope="module")
def votes():
    store = RunStore(ROOT / "cached_runs")
    return read_votes(store, load_runs(store))


@pytest.fixture
def shipped(monkeypatch, screens_alone):
    monkeypatch.setattr(shared.STORE, "root", ROOT / "cached_runs")


def show(**link) -> AppTest:
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def read_game(app: AppTest) -> dict:
    [game] = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "game"]
    return json.loads(game.json)


@pytest.mark.usefixtures("shipped")
def test_the_link_names_the_pairs_and_the_seven_are_shown_with_idea_and_accuracy(votes):
    game, pairs = read_game(show(game="77")), choose_pairs(votes, 77)
    assert [(tuple(pair["digits"]), tuple(pair["says"])) for pair in game["pairs"]] == [
        (pair.digits, pair.says) for pair in pairs
    ]
    assert [player["name"] for player in game["players"]] == [PALETTE[model].label for model in REPORT_MODELS]
    assert read_game(show())["name"] == "1"
    html = "".join(part.proto.body for part in show().get("html"))
    for model, accuracy in measure_accuracies(votes).items():
        assert PALETTE[model].idea in html
        assert percent(accuracy).replace(" ", "&nbsp;") in html


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("text", ["0", "-1", "1000000", "many", "9" * 5_000])
def test_a_number_that_no_game_has_is_one_sentence_and_the_first_game_is_shown(text):
    app = show(game=text)
    assert [warning.value for warning in app.warning] == [
        f"The link's game is '{text[:40]}', but must be a whole number from 1 to 999,999; the default is shown."
    ]
    assert read_game(app)["name"] == "1"


def test_without_runs_or_pictures_a_sentence_stands_there_and_the_rest_stays(monkeypatch, tmp_path, shipped):
    def fail():
        raise DataError("The MNIST file is damaged.")

    monkeypatch.setattr("pages.components.game.read_test_images", fail)
    assert [error.value for error in show().error] == ["The MNIST file is damaged."]
    monkeypatch.setattr(shared.STORE, "root", tmp_path / "none")
    app = show()
    assert "No network has answered the test pairs yet" in app.caption[0].value
    assert "53,013" in "".join(part.proto.body for part in app.get("html"))


@pytest.fixture(scope="module")
def address():
    with serve(ROOT / "streamlit_app.py", ROOT / "cached_runs", PAIR_TRAINING="off") as address:
        yield address


def test_ten_pairs_by_keys_and_clicks_over_a_reload_and_the_chart_counts_them(address, open_page, votes):
    pairs = choose_pairs(votes, 4)
    page = open_page(f"{address}/?game=4")
    status, no, following = page.locator(".game .live"), page.get_by_role("button", name="No"), page.locator(".main")
    expect(no).to_be_visible()
    for place, pair in enumerate(pairs):
        if place == 3:
            page.reload()
        expect(page.locator(".game .lead")).to_contain_text(f"Pair {place + 1} of 10.")
        if place % 2:
            no.click()
            expect(following).to_be_focused()
        else:
            page.keyboard.press("ArrowRight")
        right = pair.truth == (place % 2 == 0)
        expect(status).to_contain_text(f"you were {'right' if right else 'wrong'}.")
        words = [f"{'✓ right' if each else '✗ wrong'}" for each in pair.right]
        assert page.locator(".game .mark").all_inner_texts() == words
        page.keyboard.press("Enter" if place % 2 else "ArrowRight")
    you = sum(pair.truth == (place % 2 == 0) for place, pair in enumerate(pairs))
    expect(status).to_have_text(f"You: {you} of 10 right")
    counts = [str(sum(pair.right[network] for pair in pairs)) for network in range(len(REPORT_MODELS))]
    assert page.locator(".game .bars b").all_inner_texts() == [str(you), *counts]
    expect(page.locator(".game .mix")).to_contain_text("two with equal digits")
    page.get_by_role("button", name="Ten other pairs").click()
    expect(page.locator(".game .lead:visible")).to_contain_text("Pair 1 of 10.")
    page.wait_for_function("/game=[0-9]+/.test(location.search) && location.search !== '?game=4'")
    page.get_by_role("link", name="Draw your own").click()
    expect(page.get_by_text("Draw a digit on each pad")).to_be_visible()


def test_on_a_phone_a_thumb_reaches_each_answer(address, open_page):
    page = open_page(address, width=390, dark=True)
    for name in ("No", "Yes"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= 844
    page.get_by_role("button", name="Yes").tap()
    expect(page.locator(".game .live")).to_contain_text("you were")
