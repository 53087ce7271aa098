"""Keeps a page that is being left from emptying the one that follows."""

from contextlib import suppress
from typing import Any

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState


class DropLateFragments:
    """Drops what a fragment of the left page still asks for between the click on a link and the next page's start.

    Streamlit would run it after the next page, under the left page's name, and the browser then takes everything away
    that the next page has shown. Streamlit avoids that for its own clock (streamlit/streamlit, pull request 9617), not
    for what a browser tells by itself: that a run has moved, that a pen rests.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the app does; of a browser's messages, leave out the late ones."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        is_late = LateMessages().is_late

        async def receive_timely() -> Any:
            message = await receive()
            while message.get("bytes") and is_late(message["bytes"]):
                message = await receive()
            return message

        await self.app(scope, receive_timely, send)


class LateMessages:
    """What one browser's tab has asked for: which page it is at, and which it goes to."""

    def __init__(self) -> None:
        self._at = ""  # pages are named by Streamlit's hash of them
        self._going_to = ""  # empty once a message has come from there

    def is_late(self, message: bytes) -> bool:
        """Whether this message, in the order of their coming, is from a page that has been left."""
        asked = _read_rerun(message)
        if asked is None or not asked.page_script_hash:
            return False
        page = asked.page_script_hash
        if asked.fragment_id and self._going_to and page != self._going_to:
            return True
        arrives = page == self._going_to
        self._going_to = page if not asked.fragment_id and page != self._at and not arrives else ""
        self._at = page
        return False


def _read_rerun(message: bytes) -> ClientState | None:
    read = BackMsg()
    with suppress(DecodeError):  # Streamlit itself answers what is none of its messages
        read.ParseFromString(message)
        if read.WhichOneof("type") == "rerun_script":
            return read.rerun_script
    return None
