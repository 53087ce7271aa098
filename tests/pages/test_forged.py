"""Messages that no browser sends: whoever forges them harms at most the own session, and nobody else notices."""

import json
import random
import re
import shutil
import urllib.request
from collections.abc import Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from support.fake_runs import write_run
from support.servers import ROOT, find_port, serve_on
from support.visitor import connected

TYPES = [field.name for field in BackMsg.DESCRIPTOR.fields]
WORDS = ["", "![](http://x.invalid)", "\0", "9" * 400, "../..", "x" * 100_000]
SELECTIONS = [
    {"rows": [99_999], "columns": ["x"], "cells": [[9, "q"]]},
    {"rows": [-1]},
    {"points": [{"x": 99, "y": -3, "point_index": 5}], "point_indices": [5], "box": [], "lasso": []},
    {"points": [{"x": "a", "y": None}]},
    {"points": [{}, {"x": [], "y": {}}]},
    {"zoom": {"epoch": ["a", None], "value": [1e308]}},
]
STROKE = {"width": 18, "points": [0, 0, 280, 280]}
PADS = [
    None, 7, [], {}, {"sequence": 1}, {"sequence": 2**70, "revision": 0, "pads": [[], []], "truths": [1, 2]},
    {"sequence": 5, "revision": 0, "pads": [[STROKE], [STROKE]], "truths": ["a", []]},
    {"sequence": 6, "revision": 0, "pads": [[STROKE], [STROKE]], "truths": [0, 9], "pen_down": {}},
    {"sequence": 7, "revision": 0, "pads": [[STROKE] * 201, []], "truths": [None, None]},
]  # fmt: skip
STATES = {  # the kind of an element -> the field that its state has, and what no browser puts there
    "selectbox": ("string_value", WORDS),
    "button_group": ("string_array_value", [["nonsense"], ["a"] * 50, []]),
    "pagination": ("int_value", [0, -1, 2**62]),
    "number_input": ("double_value", [1e308, -1, 0.123456]),
    "checkbox": ("bool_value", [True, False]),
    "slider": ("double_array_value", [[1e308], [-1], [99]]),
    "button": ("trigger_value", [True]),
    "dataframe": ("string_value", [json.dumps({"selection": each}) for each in SELECTIONS]),
    "plotly_chart": ("string_value", [json.dumps({"selection": each}) for each in SELECTIONS]),
    "vega_lite_chart": ("string_value", [json.dumps({"selection": each}) for each in SELECTIONS]),
    "bidi_component": ("json_value", [json.dumps({"pads": each}) for each in PADS] + ["{}", "[]", '"x"', "null"]),
}
VIEWS = [
    ("", ""), ("train", ""), ("compare", ""), ("compare", "view=Curves"), ("compare", "view=What each idea adds"),
    ("findings", ""), ("mistakes", ""), ("mistakes", "mistakes=All architectures"),
    ("mistakes", "mistakes=Two at odds"),
    ("architectures", ""), ("walk", ""), ("leaderboard", ""), ("draw", ""), ("draw", "pair=1-2&panel=why"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory, trained_store) -> Iterator[tuple[str, object]]:
    """The address and the process of a server on which nobody trains."""
    store = RunStore(tmp_path_factory.mktemp("forged") / "runs")
    shutil.copytree(trained_store, store.root)
    for model in MODEL_NAMES[-3:]:
        for settings in RunSettings(model=model).rounds(2):
            store.drop_weights(write_run(store, settings, 0.75))
    with serve_on(find_port(), ROOT / "streamlit_app.py", store.root, PAIR_TRAINING="off") as (address, process):
        yield address, process


@pytest.fixture
def others(server) -> Iterator[None]:
    """Somebody who draws before and after, in one session, and somebody who comes afterwards."""
    address, process = server
    with connected(address) as pupil:
        pupil.visit("draw")
        pupil.draw(1)
        assert re.search(r"\d+ of \d+ say", pupil.words)
        yield
        pupil.draw(2)
        assert re.search(r"\d+ of \d+ say", pupil.words)
        assert pupil.exceptions == []
    with connected(address) as newcomer:
        assert "Is the first digit less than or equal" in newcomer.words
    with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
        assert json.load(answer)["healthy"]
    assert process.poll() is None


def set_state(state: WidgetState, field: str, value: object) -> WidgetState:
    if field.endswith("array_value"):
        getattr(state, field).data.extend(value)
    else:
        setattr(state, field, value)
    return state


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(("screen", "query"), VIEWS)
def test_a_screen_stands_whatever_state_its_controls_are_said_to_have(server, screen, query):
    with connected(server[0]) as forger:
        forger.ids.clear()
        forger.visit(screen, query)
        for key in list(forger.ids):
            field, values = STATES.get(forger.kinds[key], (None, ()))
            for value in values:
                state = set_state(WidgetState(id=forger.ids[key]), field, value)
                forger.rerun([state], query)
                assert forger.exceptions == [], (key, value)


@pytest.mark.usefixtures("others")
def test_every_type_of_message_in_any_order(server):
    chance = random.Random(0)
    for _ in range(20):
        with connected(server[0]) as forger:
            for name in chance.choices(TYPES, k=20):
                message = BackMsg()
                field = BackMsg.DESCRIPTOR.fields_by_name[name]
                if field.message_type is None:
                    setattr(message, name, True)
                else:
                    getattr(message, name).SetInParent()
                forger.socket.send(message.SerializeToString())


@pytest.mark.usefixtures("others")
def test_thousands_of_messages_that_are_none(server):
    chance, uri = random.Random(0), f"{server[0].replace('http', 'ws')}/_stcore/stream"
    for _ in range(100):
        with connect(uri, subprotocols=["streamlit"]) as socket:
            try:
                for _ in range(30):
                    noise = chance.randbytes(chance.randrange(200))
                    socket.send(noise if chance.random() < 0.9 else noise.hex())
            except ConnectionClosed:  # as it should be
                pass


@pytest.mark.usefixtures("others")
def test_pages_and_fragments_that_do_not_exist(server):
    with connected(server[0]) as forger:
        for page, fragment in (("f" * 32, ""), ("../..", ""), ("", "f" * 32), ("\0", "\0"), ("x" * 100_000, "")):
            message = BackMsg()
            message.rerun_script.page_script_hash, message.rerun_script.fragment_id = page, fragment
            message.rerun_script.query_string = "&" * 1_000 + "model=" + "x" * 10_000
            forger.socket.send(message.SerializeToString())
        forger.visit("compare")
        assert forger.exceptions == []


@pytest.mark.usefixtures("others")
def test_a_message_beyond_what_is_allowed_ends_its_session_alone(server):
    with connected(server[0]) as forger:
        forger.visit("draw")
        state = WidgetState(id=forger.ids["pads"], json_value=json.dumps({"pads": "x" * 3_000_000}))
        with pytest.raises(ConnectionClosed):
            forger.rerun([state], fragment=forger.fragments["pads"])
