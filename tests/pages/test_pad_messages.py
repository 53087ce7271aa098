"""What a browser may send for its pads, right and wrong."""

import re

import pytest

from core.drawing.strokes import Drawing, Stroke
from pages.components import pad
from pages.components.pad import PadState

STATE = PadState(sequence=3, revision=1)
STROKE = {"width": 18, "points": [1, 2, 3, 4]}


def make_message(**changes: object) -> dict[str, object]:
    truths = [None, None]
    message = {"sequence": 4, "revision": 1, "pen_down": False, "pads": [[STROKE], []], "truths": truths}
    return {"pads": {**message, **changes}}


def test_a_message_is_read() -> None:
    read = pad._read_message(make_message(pen_down=True, truths=[None, 7]), STATE)
    assert read == PadState(Drawing((Stroke(((1, 2), (3, 4)), 18),)), Drawing(), (None, 7), None, True, 4, 1)


@pytest.mark.parametrize("message", [None, {}, make_message(sequence=3), make_message(revision=0)])
def test_old_messages_change_nothing(message: object) -> None:
    assert pad._read_message(message, STATE) is STATE


@pytest.mark.parametrize(
    "message",
    [
        {"pads": []},
        {"pads": "strokes"},
        {"pads": {}},
        make_message(pads=None),
        make_message(pads=[[]]),
        make_message(pads=[[], [], []]),
        make_message(sequence="5"),
        make_message(truths=[1]),
        make_message(truths=[1, 10]),
        make_message(truths=[True, None]),
        make_message(truths=["3", None]),
        make_message(pads=[[{"width": 18}], []]),
        make_message(pads=[[], [{"width": 18, "points": [1, 281]}]]),
    ],
)
def test_a_message_that_is_no_drawing_is_one_sentence(message: object) -> None:
    read = pad._read_message(message, STATE)
    assert (read.first, read.second) == (STATE.first, STATE.second)
    assert read.error is not None
    assert re.fullmatch(r"[A-Z][^.]*\.", read.error)
