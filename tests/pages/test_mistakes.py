"""The screen Mistakes, through the entry file and in Chromium, on small runs whose mistakes are known."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from pages.app import shared
from support.fake_runs import CLASSES, write_run
from support.servers import ROOT, serve

PAGE = "pages/mistakes.py"
CHANNELS, DIRECT = "TwoChannelsModel", "DirectClassificationModel"
TARGET = CLASSES[:, 0] <= CLASSES[:, 1]


def write_wrong(store, model, wrong, seed):
    decision = TARGET.copy()
    decision[wrong] = ~decision[wrong]
    arrays = {"decision": decision, "probability": np.where(decision, 0.8, 0.2).astype(np.float32)}
    return write_run(store, RunSettings(model=model, seed=seed), 1 - len(wrong) / 1_000, arrays=arrays)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Two rounds: Two channels misses 12 pairs of 4 and 9, and three others; Direct classification one of these."""
    store = RunStore(tmp_path_factory.mktemp("mistakes") / "runs")
    for seed, wrong in enumerate(([49, 149, 249, 349, 449, 549, 7, 8], [49, 149, 249, 349, 449, 549, 7])):
        write_wrong(store, CHANNELS, wrong, seed)
        write_wrong(store, DIRECT, [7] if seed else [7, 9], seed)
    return store


@pytest.fixture
def store(written, monkeypatch):
    monkeypatch.setattr(shared.STORE, "root", written.root)
    return written


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A store to be changed at will."""
    monkeypatch.setattr(shared.STORE, "root", tmp_path)
    return RunStore(tmp_path)


pytestmark = pytest.mark.usefixtures("screens_alone")


def show(**link) -> AppTest:
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=30)
    app.run()
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def text_of(app) -> str:
    parts = [*app.title, *app.caption, *app.markdown, *app.warning, *app.error]
    return "\n".join([*(part.value for part in parts), *(html.value for html in app.get("html"))])


def cards_of(app) -> list[str]:
    return re.findall(r"<figure>.*?</figure>", text_of(app))


@pytest.mark.usefixtures("store")
def test_a_link_names_architecture_and_digits():
    app = show(mistaken_model=CHANNELS, first_digit="4", second_digit="9")
    assert "First digit 4 and second digit 9: 8 of 20 right, 40.0 %" in text_of(app)
    cards = cards_of(app)
    assert len(cards) == 12
    assert "<strong>4 ≤ 9</strong><span>says first &gt; second,</span><span>80.0&nbsp;% sure</span>" in cards[0]
    run_id = RunSettings(model=CHANNELS).run_id
    assert '<a href="draw?pair=98-99" aria-label="Draw: the 4 beside the 9, pair 98-99">Draw</a>' in cards[0]
    assert f'<a href="walk?pair=98-99&amp;run={run_id}" aria-label="Walk: the 4 beside the 9' in cards[0]


@pytest.mark.usefixtures("store")
def test_the_gallery_has_pages():
    app = show(mistaken_model=CHANNELS, cards="2")
    assert "All pairs: 1,985 of 2,000 right" in text_of(app)
    assert len(cards_of(app)) == 3
    app.selectbox(key="first_digit").set_value(4).run()
    assert len(cards_of(app)) == 12


@pytest.mark.usefixtures("store")
def test_what_all_miss_and_what_one_alone_gets_right():
    app = show(mistakes="All architectures")
    assert "Of 2,000 pairs in 2 rounds, all 2 architectures miss 2 (0.1 %), and 14 (0.7 %) are right" in text_of(app)
    assert ["all say first &gt; second" in card for card in cards_of(app)] == [True, True]
    app.selectbox(key="right_alone").set_value(CHANNELS).run()
    [card] = cards_of(app)
    assert "<span>Two channels</span><span>right, 80.0&nbsp;% sure</span>" in card


@pytest.mark.usefixtures("store")
def test_two_at_odds_either_way():
    app = show(mistakes="Two at odds")
    assert "Two channels alone is right on 1 pair, Direct classification alone on 13." in text_of(app)
    assert "Direct classification instead of Two channels" in text_of(app)
    assert len(cards_of(app)) == 1
    app.segmented_control(key="side").set_value("Only the second is right").run()
    assert len(cards_of(app)) == 12


@pytest.mark.usefixtures("store")
def test_calibration_has_its_error_in_words():
    app = show(mistakes="Calibration", mistaken_model=DIRECT)
    assert re.search(
        r"Expected calibration error of Direct classification: 19\.\d ± 0\.\d points, mean of", text_of(app)
    )
    assert app.get("plotly_chart")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("mistakes", "Nowhere", "The link's mistakes is 'Nowhere', but must be one of By digits, All architectures,"),
        ("mistaken_model", "Perceptron", "must be one of TwoChannelsModel,"),
        (
            "mistaken_dropout",
            "0.3",
            "The link's mistaken_dropout is '0.3', but must be one of 0; the default is shown.",
        ),
        ("first_digit", "11", "The link's first_digit is '11', but must be a whole number from 0 to 9;"),
        ("cards", "99", "The link's cards is '99', but must be a whole number from 1 to"),
    ],
)
def test_a_link_that_names_nothing_is_one_sentence(name, value, sentence):
    app = show(**{"mistaken_model": CHANNELS, name: value})
    assert sentence in text_of(app)
    assert len(cards_of(app)) > 1


@pytest.mark.usefixtures("store")
def test_the_same_architecture_twice_is_one_sentence():
    text = text_of(show(mistakes="Two at odds", first_model=CHANNELS, second_model=CHANNELS))
    assert "The link's second_model is 'TwoChannelsModel', but must be one of DirectClassificationModel" in text


@pytest.mark.usefixtures("store")
def test_an_architecture_without_rounds_can_be_trained():
    app = show(mistaken_model="TwoBranchesModel")
    assert "Two branches has not answered the test pairs at this dropout yet." in text_of(app)
    [link] = app.get("page_link")
    assert link.label == "Train Two branches"
    assert link.query_string == "model=TwoBranchesModel&rounds=3"


@pytest.mark.parametrize("content", [None, b"torn"])
def test_a_run_without_predictions_says_so_and_can_be_trained_again(broken, content):
    kept, lost = (write_run(broken, RunSettings(seed=seed), 0.9) for seed in (4, 6))
    file = broken.path(lost) / "predictions.safetensors"
    file.unlink() if content is None else file.write_bytes(content)
    app = show()
    words = "has no predictions.safetensors; train it again to get one." if content is None else "is damaged"
    assert lost in text_of(app)
    assert words in text_of(app)
    assert "All pairs: 900 of 1,000 right" in text_of(app)
    app.button[0].click().run()
    assert not app.exception
    [link] = app.get("page_link")
    assert link.query_string == "seed=6&rounds=1"
    assert [broken.read(run_id).state for run_id in (kept, lost)] == ["finished", "interrupted"]


def test_one_architecture_alone_has_nobody_to_be_compared_with(broken):
    write_run(broken, RunSettings(), 0.9)
    for view in ("All architectures", "Two at odds"):
        assert "It takes two architectures" in text_of(show(mistakes=view))


def test_a_damaged_picture_file_is_one_sentence(store, monkeypatch):
    from core.mnist.files import DataError
    from pages.components import gallery

    def fail():
        raise DataError("The MNIST file t10k is damaged.")

    monkeypatch.setattr(gallery, "read_test_images", fail)
    assert "The MNIST file t10k is damaged." in text_of(show())


@pytest.mark.parametrize("view", ["By digits", "All architectures", "Calibration", "Two at odds"])
def test_each_view_shows_the_shipped_runs(view, monkeypatch):
    monkeypatch.setattr(shared.STORE, "root", ROOT / "cached_runs")
    app = show(mistakes=view)
    assert app.get("plotly_chart")
    assert [title.value[-1] for title in app.title] == ["?"]
    assert set(MODEL_NAMES) >= {box.value for box in app.selectbox if isinstance(box.value, str)} - {"None"}


@pytest.fixture(scope="module")
def address(written):
    with serve(ROOT / "streamlit_app.py", written.root) as address:
        yield address


def test_a_click_on_a_cell_shows_its_pairs_and_is_in_the_link(address, open_page):
    page = open_page(f"{address}/mistakes?mistaken_model={CHANNELS}&cards=2")
    page.locator("h1").wait_for()
    expect(page.locator(".gallery figure")).to_have_count(3)
    box = page.locator(".st-key-heat .nsewdrag").bounding_box()
    page.mouse.click(box["x"] + 9.5 / 10 * box["width"], box["y"] + 4.5 / 10 * box["height"])
    expect(page.get_by_text("First digit 4 and second digit 9: 8 of 20 right")).to_be_visible()
    expect(page.locator(".gallery figure")).to_have_count(12)
    page.wait_for_url(re.compile("first_digit=4&.*second_digit=9"))
    assert "cards" not in page.url
    page.get_by_role("link", name="Draw: the").first.click()
    page.wait_for_url(re.compile(r"/draw\?pair=98-99"))


@pytest.mark.parametrize(("width", "dark"), [(1440, True), (390, False)])
@pytest.mark.parametrize("view", ["All+architectures", "Calibration", "Two+at+odds"])
def test_no_view_is_wider_than_the_window(address, open_page, view, width, dark):
    page = open_page(f"{address}/mistakes?mistakes={view}", width, dark)
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("[data-testid=stException]").count() == 0
