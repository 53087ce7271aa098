"""What a teacher allows, the queue, and a store that cannot be written, on the screen *Train*."""

import re
from html import unescape

import pytest

from core.cluster.engine import Engine
from core.cluster.forecast import Pace
from core.runs.settings import RunSettings
from pages.app import shared
from support.screens import show, text_of

pytestmark = pytest.mark.usefixtures("screens_alone")


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("training", "link", "objection"),
    [
        ("off", {}, "Training is switched off on this server"),
        ("report", {"hidden_units": "64"}, "may differ, but here: hidden units 64."),
        ("report", {"dropout": "0.5"}, ""),
    ],
)
def test_a_teacher_can_switch_training_off_or_keep_it_to_the_reports_settings(monkeypatch, training, link, objection):
    monkeypatch.setenv("PAIR_TRAINING", training)
    app = show(**link)
    assert app.button[0].disabled == bool(objection)
    assert ("Press *Start training*" in text_of(app)) == (not objection)
    assert objection in text_of(app)


@pytest.mark.usefixtures("empty")
def test_more_than_a_visitor_may_queue_is_one_sentence_and_queues_nothing(monkeypatch):
    monkeypatch.setenv("PAIR_MAX_RUNS", "2")
    app = show(rounds="3")
    app.button[0].click().run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "You may have 2 runs queued at once, and this asks for 3: choose fewer rounds, or wait."
    ]
    assert not shared.get_engine().jobs


@pytest.fixture
def queue(store, monkeypatch):
    """Puts runs into the queue that nobody trains: `queue(settings, owner)`."""
    monkeypatch.setattr(Engine, "capacity", (1, 1))
    monkeypatch.setattr(Engine, "state", "ready")
    monkeypatch.setattr("pages.components.queue.read_pace", lambda: Pace({"TwoBranchesModel": 3.0}, {}))
    engine = shared.get_engine()
    yield engine.request
    engine.conductor.close()


def test_the_queue_tells_places_and_waits_and_shows_ones_own_first(queue):
    theirs = RunSettings(model="TwoBranchesModel", max_epochs=10).rounds(8)
    queue(theirs, "somebody")
    app = show(model="TwoBranchesModel", max_epochs="10", seed="40", rounds="1")
    app.button[0].click().run()
    lines = re.findall('"listitem">(.*?)<', unescape("".join(part.proto.body for part in app.get("html"))))
    assert lines[0].endswith("seed 40 (yours): waiting, place 2, in about 30 s")
    assert lines[1].endswith("seed 0 (someone else's): waiting, place 1, in a few seconds")
    assert len(lines) == 6
    assert "Waiting at place 2: it begins in about 30 s." in text_of(app)
    assert "9 runs wait on this server, 1 of them yours. Yours should be through in about 60 s: an" in text_of(app)


@pytest.mark.usefixtures("empty")
def test_start_where_the_store_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(shared.STORE, "root", tmp_path / "file")
    app = show()
    app.button[0].click().run()
    assert not app.exception
    assert "cannot be written: Not a directory" in text_of(app)
