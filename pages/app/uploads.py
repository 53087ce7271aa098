"""Bounds the memory that uploaded photos take."""

from collections import deque
from typing import Any

from streamlit.runtime import Runtime

MOST_BYTES = 200 * 2**20  # of all photos together; thirty students may send theirs in the same second
MOST_FILES = 300
ROUTE = "/_stcore/upload_file/"  # what follows in the address: the session, and the name that Streamlit gives the file


class LimitUploads:
    """Lets go of the oldest photos when all together take too much memory.

    Streamlit keeps each file until its session ends, and a browser can send any number of them. A photo is read as
    soon as it is there, so the oldest are not needed any more; if one is, its page says that it is gone.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self._kept: deque[tuple[str, str, int]] = deque()  # session, file and bytes, oldest first

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the app does; after an upload, look at what is kept."""
        await self.app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "PUT" and ROUTE in scope["path"]:
            session, _, file = scope["path"].partition(ROUTE)[2].partition("/")
            self._note(session, file)

    def _note(self, session: str, file: str) -> None:
        manager: Any = Runtime.instance().uploaded_file_mgr
        self._kept = deque(each for each in self._kept if each[:2] != (session, file))
        self._kept.extend((session, file, len(record.data)) for record in manager.get_files(session, [file]))
        while len(self._kept) > MOST_FILES or sum(size for _, _, size in self._kept) > MOST_BYTES:
            manager.remove_file(*self._kept.popleft()[:2])
