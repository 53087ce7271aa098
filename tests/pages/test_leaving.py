"""What comes from a page that is being left, message by message."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.app.leaving import DropLateFragments, LateMessages
from support.loops import run

# What a browser sends: the page it is at or asks for, and the fragment that asks, if it is one
TRAIN, DRAW, BOARD = ("train", ""), ("draw", ""), ("board", "")
CURVES, PAD, ROWS = ("train", "curves"), ("draw", "pad"), ("board", "rows")
OPENED = ("", "")  # an address that was typed in: Streamlit's browser does not know its page yet


def message(asked: tuple[str, str]) -> bytes:
    sent = BackMsg()
    sent.rerun_script.page_script_hash, sent.rerun_script.fragment_id = asked
    return sent.SerializeToString()


@pytest.mark.parametrize(
    ("sent", "late"),
    [
        pytest.param([OPENED, CURVES, DRAW, CURVES], [3], id="a run moves just after the click"),
        pytest.param([OPENED, DRAW, CURVES, CURVES, PAD], [2, 3], id="more than once, and the new page tells too"),
        pytest.param([OPENED, CURVES, TRAIN, CURVES], [], id="the same page is run again"),
        pytest.param([OPENED, CURVES, DRAW, PAD, TRAIN, CURVES], [], id="there and back"),
        pytest.param([OPENED, DRAW, TRAIN, PAD, CURVES], [3], id="back before it had come"),
        pytest.param([OPENED, CURVES, DRAW, BOARD, CURVES, PAD, ROWS], [4, 5], id="on before it had come"),
        pytest.param([OPENED, CURVES, BOARD, ROWS, CURVES], [], id="the server itself goes to another page"),
        pytest.param([OPENED, CURVES, BOARD, BOARD, CURVES], [], id="and does so after a run of the whole page"),
    ],
)
def test_late_is_what_another_page_asks_once_a_page_was_asked_for(sent, late):
    tab = LateMessages()
    assert [index for index, each in enumerate(sent) if tab.is_late(message(each))] == late


def test_what_is_no_rerun_is_left_to_streamlit():
    stop = BackMsg(stop_script=True).SerializeToString()
    tab = LateMessages()
    sent = [message(TRAIN), message(DRAW), stop, b"\xff\xff", message(CURVES)]
    assert [tab.is_late(each) for each in sent] == [False, False, False, False, True]


def test_the_app_receives_all_but_the_late_ones_of_its_own_tab():
    def connect() -> list[dict]:
        asked = [message(each) for each in (OPENED, CURVES, DRAW, CURVES, PAD)]
        waiting = iter(
            [{"type": "websocket.connect"}, *({"type": "websocket.receive", "bytes": each} for each in asked)]
        )
        received = []

        async def receive() -> dict:
            return next(waiting, {"type": "websocket.disconnect"})

        async def app(scope, receive, send) -> None:
            while not received or received[-1]["type"] != "websocket.disconnect":
                received.append(await receive())

        run(DropLateFragments(app)({"type": "websocket"}, receive, None))
        return [each.get("bytes", each["type"]) for each in received]

    through = [message(each) for each in (OPENED, CURVES, DRAW, PAD)]
    assert connect() == ["websocket.connect", *through, "websocket.disconnect"]
    assert connect() == ["websocket.connect", *through, "websocket.disconnect"]
