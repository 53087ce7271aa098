"""Architectures and Walk: through the entry file, with links good and bad, and the real thing in Chromium."""

import re
import shutil

import pytest
import streamlit as st
from playwright.sync_api import expect

from core.drawing.links import encode_drawing
from core.drawing.strokes import Drawing, Stroke
from core.runs.settings import RunSettings
from pages.components.networks import NETWORKS
from support.screens import show, text_of
from support.servers import ROOT, serve

RUN = RunSettings(model="DirectClassificationModel", max_epochs=6, seed=1)
OTHER = RunSettings(model="TwoChannelsModel", max_epochs=6)
ONE = Drawing((Stroke(((140.0, 40.0), (140.0, 240.0)), 18.0),))


pytestmark = pytest.mark.usefixtures("screens_alone")


# --- Architectures ----------------------------------------------------------------------------------------------------


def test_two_architectures_show_what_differs():
    app = show("pages/architectures.py", one="BranchesToVecModel", other="WeightSharingBranchesToVecModel")
    assert [metric.value for metric in app.metric] == ["106,225", "106,225", "741,074", "53,223", "106,225", "741,074"]
    assert [len(table.value) for table in app.table] == [10, 10]
    assert not any(name.startswith("≠") for table in app.table for name in table.value["Layer"])
    assert "Layer by layer the two are alike" in text_of(app)
    assert "g(f_1(x_1), f_2(x_2))" in app.latex[0].value
    assert not app.code
    app.session_state["source_one"] = True
    app.run()
    assert "class VectorComparison(Branches):" in app.code[0].value
    app.selectbox(key="other").set_value("TwoBranchesModel").run()
    assert [sum(name.startswith("≠") for name in table.value["Layer"]) for table in app.table] == [4, 2]
    assert "Layer by layer the two are alike" not in text_of(app)


def test_a_link_that_names_no_architecture_shows_the_default_and_says_so():
    app = show("pages/architectures.py", one="Perceptron")
    assert "The link's one is 'Perceptron', but must be one of TwoChannelsModel," in text_of(app)
    assert app.selectbox(key="one").value == "TwoBranchesModel"


# --- Walk -------------------------------------------------------------------------------------------------------------


def test_a_link_opens_a_pair_in_a_run(store):
    run = store.read(RUN.run_id)
    arrays = run.predictions()
    first, second = arrays["indices"][3].tolist()
    app = show("pages/walk.py", run=RUN.run_id, pair=f"{first}-{second}")
    assert app.selectbox(key="walk_model").value == "DirectClassificationModel"
    assert app.selectbox(key="walk_run_DirectClassificationModel").value == RUN.run_id
    assert app.metric[0].value == f"{100 * arrays['probability'][3]:.1f} %"
    [left, right] = arrays["classes"][3].tolist()
    assert f"the digits are {left} and {right}, so it is" in text_of(app)
    assert app.get("plotly_chart")  # the pair's way through training
    assert app.query_params["run"] == RUN.run_id
    for found in app.session_state.neighbours[1].result(timeout=30):
        assert len(found.by_embedding.classes) == len(found.by_pixels.classes) == 8
    app.run()
    assert any("To this network the second digit looks like these" in each.proto.body for each in app.get("html"))


@pytest.mark.usefixtures("store")
def test_each_stage_shows_and_the_last_is_the_answer():
    app = show("pages/walk.py", run=OTHER.run_id)
    names = []
    for stage in range(10):
        app.slider(key="stage").set_value(stage).run()
        assert not app.exception
        names.append(app.header[0].value)
    assert names[0] == "0. The two digits"
    assert names[1] == "1. Conv 3 × 3, 2 → 32"
    assert names[9] == "9. The answer"
    assert r"\sigma(z)" in app.latex[0].value


@pytest.mark.usefixtures("store")
def test_a_stage_that_the_next_architecture_lacks_becomes_its_last():
    app = show("pages/walk.py", run=OTHER.run_id, stage="9")
    app.selectbox(key="walk_model").set_value("DirectClassificationModel").run()
    assert not app.exception
    assert app.slider(key="stage").value == 8
    assert "must be one of" not in text_of(app)
    same_round = RunSettings(model="DirectClassificationModel", max_epochs=6, seed=OTHER.seed)
    assert app.selectbox(key="walk_run_DirectClassificationModel").value == same_round.run_id


@pytest.mark.usefixtures("store")
def test_pairs_by_digits_and_mistakes(store):
    arrays = store.read(RUN.run_id).predictions()
    app = show("pages/walk.py", run=RUN.run_id)
    app.selectbox(key="walk_first").set_value("3").run()
    assert "the digits are 3 and" in text_of(app)
    app.selectbox(key="walk_first").set_value("any").run()
    app.toggle(key="walk_wrong").set_value(True).run()
    assert "so it is wrong" in text_of(app)
    wrong = arrays["decision"] != (arrays["classes"][:, 0] <= arrays["classes"][:, 1])
    assert tuple(map(int, app.query_params["pair"].split("-"))) in {
        tuple(indices) for indices in arrays["indices"][wrong].tolist()
    }


@pytest.mark.usefixtures("store")
def test_a_drawing_can_be_walked_through():
    token = f"{encode_drawing(ONE)}.{encode_drawing(ONE)}"
    app = show("pages/walk.py", run=RUN.run_id, drawing=token)
    assert "The network says" in text_of(app)
    assert "the digits are" not in text_of(app)
    assert "this pair is not among those of this run" in text_of(app)


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        (
            {"pair": "3"},
            "The link's pair is '3', but must be two numbers from 0 to 9999, as in 7-2",
        ),
        ({"pair": "1-12345"}, "The link's pair is '1-12345', but must be"),
        ({"drawing": "nonsense"}, "The drawing in this link is damaged or incomplete. A test pair is shown."),
        ({"run": "../etc"}, "'../etc' is no run"),
        (
            {"run": "TwoChannelsModel-0123456789ab"},
            "The run TwoChannelsModel-0123456789ab is not in the store. Another",
        ),
        ({"stage": "99"}, "The link's stage is '99', but must be a whole number from 0 to 9"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_bad_link_is_one_sentence_and_something_is_shown(link, sentence):
    app = show("pages/walk.py", **link)
    assert sentence in text_of(app)
    assert "The network says" in text_of(app)


def test_a_run_without_weights_says_so_and_can_be_trained(store):
    store.drop_weights(RUN.run_id)
    app = show("pages/walk.py", run=RUN.run_id)
    assert f"The run {RUN.run_id} has no weights. Another is shown." in text_of(app)
    [link] = [link for link in app.get("page_link") if link.proto.label == "Train it again"]
    assert link.proto.query_string == "seed=1&max_epochs=6&rounds=1"


def test_a_run_without_predictions_is_walked_through_all_the_same(store):
    (store.path(RUN.run_id) / "predictions.safetensors").unlink()
    app = show("pages/walk.py", run=RUN.run_id)
    assert f"The run {RUN.run_id} has no predictions.safetensors" in text_of(app)
    assert "The network says" in text_of(app)
    app.selectbox(key="walk_first").set_value("3").run()
    assert "the digits are 3 and" in text_of(app)


def test_damaged_training_digits_are_one_sentence(store, monkeypatch):
    def fail(*question):
        raise ValueError("The MNIST file is damaged.")

    (store.path(RUN.run_id) / "predictions.safetensors").unlink()
    monkeypatch.setattr(NETWORKS, "ask", fail)
    assert "The MNIST file is damaged." in text_of(show("pages/walk.py", run=RUN.run_id))


def test_a_run_that_loses_its_weights_while_it_is_shown_gives_way(store):
    app = show("pages/walk.py", run=RUN.run_id)
    store.drop_weights(RUN.run_id)
    store.drop_weights(RunSettings(max_epochs=6).run_id)
    (store.path(RUN.run_id) / "note").touch()  # the folder's time changes, as when a run is trained again
    app.run()
    assert not app.exception
    assert app.selectbox(key="walk_model").value == "TwoChannelsModel"
    assert "The network says" in text_of(app)


def test_damaged_digits_are_one_sentence(store, monkeypatch):
    def fail(number):
        raise ValueError("The MNIST file is damaged.")

    monkeypatch.setattr("pages.components.walk.choices.read_sample", fail)
    st.cache_resource.clear()
    assert "The MNIST file is damaged." in text_of(show("pages/walk.py"))


def test_weights_of_another_network_are_one_sentence(store):
    shutil.copy(store.path(OTHER.run_id) / "weights.safetensors", store.path(RUN.run_id) / "weights.safetensors")
    assert f"The run {RUN.run_id} cannot answer: The weights belong to another" in text_of(
        show("pages/walk.py", run=RUN.run_id)
    )


# --- in Chromium ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(tmp_path_factory, trained_store):
    root = tmp_path_factory.mktemp("inside") / "runs"
    shutil.copytree(trained_store, root)
    with serve(ROOT / "streamlit_app.py", root) as address:
        yield address


@pytest.mark.parametrize(("width", "dark"), [(1440, True), (390, False)])
def test_diagrams_are_whole_and_readable(address, open_page, width, dark):
    page = open_page(f"{address}/architectures?one=WeightSharingAuxiliaryModel", width, dark)
    diagrams = page.get_by_role("img", name=re.compile("^Diagram of"))
    expect(diagrams).to_have_count(2)
    for index in range(2):
        diagrams.nth(index).scroll_into_view_if_needed()
        drawn, natural = diagrams.nth(index).evaluate("image => [image.width, image.naturalWidth, image.complete]")[:2]
        assert natural > 0
        assert 340 <= drawn <= width  # a unit of the drawing, whose small text has 11, is about a pixel
        source = diagrams.nth(index).get_attribute("src")
    assert source
    with page.expect_download() as download:
        page.get_by_role("button", name="Diagram as SVG").first.click()
    assert download.value.suggested_filename == "WeightSharingAuxiliaryModel.svg"
    assert download.value.path().read_text().startswith("<svg ")


def test_the_slider_steps_and_the_choice_is_in_the_link(address, open_page):
    page = open_page(f"{address}/walk?run={OTHER.run_id}")
    page.set_viewport_size({"width": 1280, "height": 720})  # a projector
    expect(page.get_by_role("heading", name="1. Conv 3 × 3, 2 → 32")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^What comes out"))).to_be_in_viewport(ratio=0.9)
    expect(page.get_by_role("img", name=re.compile("kernels for the both digits"))).to_have_count(2)
    page.get_by_role("slider").press("ArrowRight")
    expect(page.get_by_role("heading", name="2. Max pool 2 × 2, ReLU")).to_be_visible()
    expect(page).to_have_url(re.compile(r"stage=2"))
    page.get_by_role("button", name="Another pair").click()
    expect(page).to_have_url(re.compile(r"pair=\d+-\d+"))
    page.get_by_role("link", name="Open in Draw").click()
    expect(page).to_have_url(re.compile(r"/draw\?.*pair=\d+-\d+"))
