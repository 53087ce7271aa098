"""A visitor without a browser: speaks Streamlit's own websocket, also what no browser would send."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

PATIENCE = 60  # seconds; a bound for a busy machine
ENDS = {
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
}


class Visitor:
    """One session. `words` is all that the last answer showed, `exceptions` what went wrong in all of them."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.pages: dict[str, str] = {}  # path -> hash
        self.page = ""
        self.ids: dict[str, str] = {}  # a widget's key, or a button's label -> its identity
        self.fragments: dict[str, str] = {}  # the same -> the fragment around it
        self.kinds: dict[str, str] = {}  # the same -> the kind of its element
        self.words = ""
        self.exceptions: list[str] = []

    def visit(self, path: str = "", query: str = "") -> None:
        """Go to a screen and wait until it stands."""
        self.page = self.pages.get(path, "")
        self.rerun([], query)

    def rerun(self, states: list[WidgetState], query: str = "", fragment: str = "") -> None:
        """Send states of widgets, and wait for the script's end."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend(states)
        self.socket.send(message.SerializeToString())
        self.wait_for_end()

    def press(self, label: str) -> None:
        """Press a button."""
        self.rerun([WidgetState(id=self.ids[label], trigger_value=True)], fragment=self.fragments[label])

    def draw(self, sequence: int) -> None:
        """Draw a stroke on each pad."""
        pads = [[{"width": 18, "points": [140, 40 + 10 * side, 140, 240]}] for side in range(2)]
        message = {"sequence": sequence, "revision": 0, "pads": pads, "truths": [None, None], "pen_down": False}
        state = WidgetState(id=self.ids["pads"], json_value=json.dumps({"pads": message}))
        self.rerun([state], fragment=self.fragments["pads"])

    def wait_for_end(self) -> None:
        """Read what the server sends until its script has ended."""
        self.words = ""
        while True:
            message = ForwardMsg.FromString(self.socket.recv(PATIENCE))
            match message.WhichOneof("type"):
                case "navigation":
                    self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
                    self.page = message.navigation.page_script_hash
                case "delta":
                    self._read(message)
                case "script_finished" if message.script_finished in ENDS:
                    return

    def _read(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind is None:
            return
        content = getattr(element, kind)
        if kind == "exception":
            self.exceptions.append(f"{content.type}: {content.message}")
        self.words += f"{content.body if hasattr(content, 'body') else content}\n"
        identity = getattr(content, "id", "")
        if identity.startswith("$$"):
            key = content.label if kind == "button" else identity.split("-", 2)[2]
            self.ids[key], self.fragments[key], self.kinds[key] = identity, message.delta.fragment_id, kind


@contextmanager
def connected(address: str) -> Iterator[Visitor]:
    """A visitor of a server, on its first screen."""
    uri = f"{address.replace('http', 'ws')}/_stcore/stream"
    with connect(uri, subprotocols=["streamlit"], max_size=None) as socket:
        visitor = Visitor(socket)
        visitor.visit()
        yield visitor
