"""What the server's log holds after an ordinary lesson: that it started, and nothing else."""

import re
import shutil

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from support.fake_runs import write_run
from support.servers import ROOT, find_port, serve_on
from support.visitor import Visitor, connected

STARTED = re.compile(r"\s*(You can now view your Streamlit app in your browser\.|URL: http\S+|)")


@pytest.fixture
def store(tmp_path, trained_store) -> RunStore:
    """Networks that answer drawings, and rounds of three architectures with the report's settings for *Mistakes*."""
    shutil.copytree(trained_store, tmp_path / "runs")
    store = RunStore(tmp_path / "runs")
    for model in MODEL_NAMES[-3:]:
        for settings in RunSettings(model=model).rounds(3):
            store.drop_weights(write_run(store, settings, 0.75))
    return store


def choose(pupil: Visitor, key: str, value: str | int) -> None:
    """Choose one of a list, one of a row of buttons, or a page."""
    state = WidgetState(id=pupil.ids[key])
    match pupil.kinds[key]:
        case "selectbox":
            state.string_value = value
        case "button_group":
            state.string_array_value.data.append(value)
        case "pagination":
            state.int_value = value
    pupil.rerun([state], fragment=pupil.fragments[key])


def train(pupil: Visitor, store: RunStore) -> None:
    settings = RunSettings(model="TwoChannelsModel", training_pairs=100, max_epochs=2)
    query = "model=TwoChannelsModel&training_pairs=100&max_epochs=2&rounds=1"
    pupil.visit("train", query)
    pupil.rerun([WidgetState(id=pupil.ids["Start training"], trigger_value=True)], query)
    while store.read(settings.run_id).state != "finished":
        pupil.visit("train", query)
    pupil.visit("train", query)
    assert "1 round: 1 finished." in pupil.words


def look_at_mistakes(pupil: Visitor) -> None:
    pupil.visit("mistakes")
    for view in ("All architectures", "Calibration", "Two at odds", "By digits"):
        choose(pupil, "mistakes", view)
    choose(pupil, "cards", 2)
    choose(pupil, "first_digit", "3")  # goes back to the gallery's first page


@pytest.mark.cluster
def test_an_ordinary_lesson_leaves_nothing_in_the_log(tmp_path, store):
    log = tmp_path / "log"
    with serve_on(find_port(), ROOT / "streamlit_app.py", store.root, log) as (address, _), connected(address) as pupil:
        train(pupil, store)
        for screen in ("compare", "findings", "architectures", "walk", "leaderboard"):
            pupil.visit(screen)
        for view in ("Table", "Curves", "What each idea adds"):
            pupil.visit("compare", f"view={view}")
        look_at_mistakes(pupil)
        pupil.visit("draw")
        pupil.draw(1)
        assert re.search(r"\d+ of \d+ say", pupil.words)
        for panel in ("seen", "why", "score"):
            choose(pupil, "panel", panel)
        pupil.press("MNIST pair")
        assert pupil.exceptions == []
    assert [line for line in log.read_text().splitlines() if not STARTED.fullmatch(line)] == []
