"""Every screen through the entry file, with runs, without any, and with things that are wrong."""

import json
import re
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.numbers import points
from core.runs.settings import RunSettings
from core.runs.writer import RunResult
from support.fake_runs import write_run
from support.screens import press, show, text_of

PAGES = (
    "pages/train.py", "pages/home.py", "pages/lesson.py", "pages/compare.py", "pages/findings.py", "pages/mistakes.py",
    "pages/architectures.py", "pages/walk.py", "pages/leaderboard.py", "pages/draw.py",
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("screens_alone")  # the engine is started for real in the browser's tests


def read_board(app: AppTest) -> list[dict]:
    """The rows of the score board, as its component is given them."""
    [board] = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "score_board"]
    return json.loads(board.json)["rows"]


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("pages/train.py", "Press *Start training*"),
        (
            "pages/compare.py",
            "No architecture has been trained with the report's settings yet: train one under *Train*",
        ),
        ("pages/lesson.py", "No finished rounds of the seven are stored yet, so there is nothing to reveal."),
        ("pages/findings.py", "No run in the store answers this question yet"),
        ("pages/mistakes.py", "No network has answered the test pairs yet: train one under *Train*"),
        ("pages/walk.py", "No trained network can be walked through yet: train any architecture under *Train*"),
        ("pages/leaderboard.py", "Nothing has been trained to its end yet"),
        ("pages/draw.py", "No trained network can answer yet: train any architecture under *Train*"),
    ],
)
@pytest.mark.usefixtures("empty")
def test_without_runs_each_screen_says_how_to_get_one(page, sentence):
    assert sentence in text_of(show(page))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("page", PAGES)
def test_titles_are_sentences_and_there_is_one(page):
    [title] = show(page).title
    assert title.value.endswith("?")


def test_train_shows_the_rounds_and_their_mean(store):
    app = show(max_epochs="6", rounds="2")
    accuracies = [store.read(run.run_id).summary["test_accuracy"] for run in RunSettings(max_epochs=6).rounds(2)]
    assert "2 rounds: 2 finished." in text_of(app)
    [row] = read_board(app)
    assert (row["name"], row["epoch"], row["test"]) == ("Direct classification", "6", points(sum(accuracies) / 2))


@pytest.mark.usefixtures("store")
def test_a_race_ranks_its_architectures():
    app = show(model=["TwoChannelsModel", "DirectClassificationModel", "TwoBranchesModel"], max_epochs="6", rounds="2")
    rows = read_board(app)
    assert [row["name"] for row in rows] == ["Direct classification", "Two channels", "Two branches"]
    assert (rows[2]["state"], rows[2]["epoch"], rows[2]["validation"]) == ("not trained yet", "–", "–")
    assert "6 rounds: 4 finished, 2 not trained yet." in text_of(app)


@pytest.mark.usefixtures("store")
def test_all_seven_and_the_suggested_pairs_are_one_click():
    app = show(dropout=["0", "0.25"])
    press(app, "own against shared")
    names = [row["name"] for row in read_board(app)]
    assert sorted(names) == sorted(
        f"{label}, dropout {dropout}" for label in ("Two branches", "Shared branches") for dropout in ("0", "0.25")
    )
    press(app, "all seven")
    assert (len(read_board(app)), app.number_input(key="rounds").value) == (14, 1)


@pytest.mark.usefixtures("empty")
def test_right_after_the_start_the_page_says_what_is_queued():
    app = show(model=["TwoChannelsModel", "TwoBranchesModel"], rounds="1")
    app.button[0].click().run()
    assert [row["state"] for row in read_board(app)] == ["waiting", "waiting"]
    assert "2 rounds: 2 waiting." in text_of(app)
    assert not next(button for button in app.button if button.label == "Stop").disabled


@pytest.mark.usefixtures("empty")
def test_no_architecture_is_asked_for_in_a_sentence():
    app = show()
    app.multiselect(key="model").set_value([]).run()
    assert not app.exception
    assert "Choose at least one architecture and one dropout." in text_of(app)


@pytest.mark.usefixtures("store")
def test_choices_come_from_the_link():
    app = show(model="TwoChannelsModel", dropout="0.25", rounds="4", seed="7", hidden_units="64")
    assert app.multiselect(key="model").value == ["TwoChannelsModel"]
    assert app.multiselect(key="dropout").value == ["0.25"]
    assert (app.number_input(key="rounds").value, app.number_input(key="seed").value) == (4, 7)
    assert app.number_input(key="hidden_units").value == 64


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("model", "Perceptron", "The link's model is 'Perceptron', but must be one of TwoChannelsModel,"),
        ("dropout", "7", "The link's dropout is '7', but must be a number from 0 to 0.9; the default is shown."),
        ("rounds", "many", "The link's rounds is 'many', but must be a whole number from 1 to 100"),
        ("seed", "-3", "The link's seed is '-3', but must be a whole number from 0 to"),
        ("training_pairs", "1e9", "The link's training_pairs is '1e9', but must be a whole number from 100 to 25,000"),
    ],
)
def test_a_broken_link_is_one_sentence_and_the_default_is_shown(name, value, sentence):
    app = show(**{name: value})
    assert sentence in text_of(app)
    assert app.multiselect(key="model").value == ["DirectClassificationModel"]
    assert app.multiselect(key="dropout").value == ["0"]


def test_interrupted_stopped_failed_and_damaged_rounds_are_told(store):
    rounds = RunSettings(model="TwoBranchesModel").rounds(4)
    store.claim(rounds[0]).close()
    stopped = store.claim(rounds[1])
    stopped.stop()
    stopped.close()
    failed = store.claim(rounds[2])
    failed.fail("The worker ran out of luck.")
    failed.close()
    store.claim(rounds[3]).close()
    (store.path(rounds[3].run_id) / "settings.json").write_text("{")
    text = text_of(show(model="TwoBranchesModel", rounds="4"))
    for words in ("1 interrupted", "1 stopped", "1 failed", "The worker ran out of luck.", "settings.json is not JSON"):
        assert words in text
    assert "*Start training* goes on" in text


def test_a_damaged_run_spares_the_other_screens(store):
    (store.path(store.names()[0]) / "result.json").write_text("")
    for page in PAGES:
        show(page)


def test_weights_of_another_network_are_named_and_the_rest_answers(store):
    first = next(run for run in store if run.settings.model == "TwoChannelsModel")
    other = next(run for run in store if run.settings.model == "DirectClassificationModel")
    shutil.copy(other.path / "weights.safetensors", first.path / "weights.safetensors")
    app = show("pages/draw.py")
    assert f"The run {first.run_id} cannot answer: The weights belong to another network" in text_of(app)
    assert any("3 networks answer" in str(element.proto) for element in app.get("bidi_component"))


def test_compare_shows_ours_beside_the_reports(store):
    short = store.read(RunSettings(max_epochs=6).run_id)
    files = [(short.path / name).read_bytes() for name in ("weights.safetensors", "predictions.safetensors")]
    writer = store.claim(RunSettings())
    writer.finish(RunResult({**short.summary, "test_accuracy": 0.75}, short.history, *files))
    writer.close()
    [table] = show("pages/compare.py", view="Table").dataframe
    shown = table.value.set_index(["model", "dropout"])
    assert len(shown) == 14
    assert shown.loc[("DirectClassificationModel", 0.0), ["rounds", "mean", "report_mean"]].tolist() == [1, 75, 96.5]


@pytest.mark.parametrize(
    "question", ["artefact", "distance", "parameters", "epochs", "squared", "hypothesis", "unseen"]
)
@pytest.mark.usefixtures("shipped")
def test_each_finding_has_a_figure_and_words_on_the_shipped_runs(question):
    app = show("pages/findings.py")
    app.pills(key="finding").set_value(question).run()
    assert not app.exception
    assert app.get("plotly_chart")
    assert re.search(r"\d", app.markdown[0].value)


@pytest.mark.parametrize(
    ("view", "dropout", "words"),
    [
        ("Figure", None, "Of the 14 cells compared, 5 are clearly different from the report's"),
        ("Table", None, "Of the 14 cells compared, 5 are clearly different from the report's"),
        ("Curves", None, "a band of ± one standard deviation for the one looked at"),
        ("What each idea adds", "0", "Holm's correction over the 21 comparisons of this screen"),
        ("What each idea adds", "0.25", "Holm's correction over the 42 comparisons of this screen"),
        ("All against all", "0.5", "Holm's correction over all 63 comparisons of this screen"),
    ],
)
@pytest.mark.usefixtures("shipped")
def test_each_view_of_the_comparison_shows_the_shipped_runs(view, dropout, words):
    app = show("pages/compare.py", **({"shown_dropout": dropout} if dropout else {}))
    app.segmented_control(key="view").set_value(view).run()
    assert not app.exception
    assert app.get("plotly_chart") or len(app.dataframe[0].value) == 14
    if dropout:
        app.segmented_control(key="shown_dropout").set_value(float(dropout)).run()
    assert words in text_of(app).replace("\u00a0", " ")


@pytest.mark.usefixtures("shipped")
def test_the_table_prints_what_the_sentences_say():
    table = show("pages/compare.py", view="Table").dataframe[0].value.set_index(["model", "dropout"])
    row = table.loc[("TwoChannelsModel", 0.0)]
    assert row[["mean", "off", "verdict"]].tolist() == [81.8, "+2.0 (1.0 to 2.9)", "clearly different (p 0.005)"]
    assert table.loc[("DirectClassificationModel", 0.0), "verdict"] == "within ± one point (p 1)"


def test_a_run_whose_answers_cannot_be_read_is_named_beside_the_others(store):
    run_id = RunSettings(model="TwoChannelsModel", max_epochs=6).run_id
    short = store.read(run_id)
    files = [(short.path / name).read_bytes() for name in ("weights.safetensors", "predictions.safetensors")]
    for settings in RunSettings(model="TwoChannelsModel").rounds(2):
        writer = store.claim(settings)
        writer.finish(RunResult({**short.summary, "test_accuracy": 0.75}, short.history, *files))
        writer.close()
    (store.path(settings.run_id) / "predictions.safetensors").unlink()
    app = show("pages/compare.py")
    app.segmented_control(key="view").set_value("All against all").run()
    assert not app.exception
    assert f"The run {settings.run_id} has no predictions.safetensors" in text_of(app)
    assert "No two architectures share two rounds yet" in text_of(app)


def test_what_this_server_trained_counts_only_if_it_is_asked_for(store):
    for seed in (0, 1, 10):  # the last one is beside the plan
        write_run(store, RunSettings(seed=seed), 0.75)
    app = show("pages/compare.py", view="Table")
    direct = ("DirectClassificationModel", 0.0)
    assert app.dataframe[0].value.set_index(["model", "dropout"]).loc[direct, "rounds"] == 2
    app.toggle(key="own_rounds").set_value(True).run()
    assert not app.exception
    assert app.dataframe[0].value.set_index(["model", "dropout"]).loc[direct, "rounds"] == "2 + 1"


@pytest.mark.usefixtures("shipped")
def test_a_store_of_the_reproduction_alone_has_no_switch():
    for page in ("pages/compare.py", "pages/findings.py", "pages/mistakes.py"):
        assert not [toggle for toggle in show(page).toggle if toggle.key == "own_rounds"]
