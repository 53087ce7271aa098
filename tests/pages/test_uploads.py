"""Photos that browsers send: how many are kept, and what is said of one that is gone."""

from types import SimpleNamespace

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFileRec

from pages.app import uploads
from pages.app.uploads import LimitUploads
from pages.components.draw import pair
from support.loops import run


def test_the_oldest_photos_are_let_go_when_all_take_too_much_memory(monkeypatch):
    manager = MemoryUploadedFileManager("/_stcore/upload_file")
    monkeypatch.setattr(uploads.Runtime, "instance", lambda: SimpleNamespace(uploaded_file_mgr=manager))
    monkeypatch.setattr(uploads, "MOST_BYTES", 30)
    monkeypatch.setattr(uploads, "MOST_FILES", 4)

    async def accept(scope, receive, send) -> None:
        session, file = scope["path"].split("/")[-2:]
        manager.add_file(session, UploadedFileRec(file, f"{file}.png", "image/png", bytes(scope["size"])))

    app = LimitUploads(accept)

    def upload(session: str, file: str, size: int) -> None:
        path = f"/base/_stcore/upload_file/{session}/{file}"
        run(app({"type": "http", "method": "PUT", "path": path, "size": size}, None, None))

    def kept() -> str:
        return "".join(file for session in ("one", "two") for file in sorted(manager.file_storage.get(session, {})))

    for session, file, size in (("one", "a", 10), ("two", "b", 10), ("one", "a", 5), ("one", "c", 15)):
        upload(session, file, size)
    assert kept() == "acb"  # exactly 30 bytes; a came twice and counts once, as the younger of the two
    upload("two", "d", 1)
    assert kept() == "acd"
    for file in "efg":
        upload("two", file, 1)
    assert kept() == "defg"  # more than four are too many, however small


class State(dict):
    """A session's state without a session."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


def test_a_photo_that_is_no_longer_on_the_server_is_one_sentence(monkeypatch):
    state = State(first_photo=DeletedFile("gone"))
    monkeypatch.setattr(pair, "state", state)
    pair.lay_photo(0)
    told = "The photo of the first digit cannot be used. It is no longer on the server; choose it again."
    assert state.photo_error == told
