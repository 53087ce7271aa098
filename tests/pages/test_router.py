"""The way of a new server's first visitor into a page."""

from types import SimpleNamespace

import pytest
from streamlit.commands import execution_control
from streamlit.runtime.scriptrunner import RerunData, StopException
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests, ScriptRequestType

from pages.app import router


def test_what_the_first_visitor_presses_while_the_page_opens_is_not_lost(monkeypatch):
    requests = ScriptRequests()
    monkeypatch.setattr(execution_control, "get_script_run_ctx", lambda: SimpleNamespace(script_requests=requests))
    monkeypatch.setattr(execution_control, "_force_yield_point", lambda: None)
    monkeypatch.setattr(router.st, "session_state", {})

    def press(path: str, run_name: str) -> None:
        assert requests.request_rerun(RerunData(fragment_id="answer"))

    monkeypatch.setattr(router.runpy, "run_path", press)
    with pytest.raises(StopException):
        router.enter_by_router("draw")
    pressed = requests.on_scriptrunner_ready()
    assert pressed.type == ScriptRequestType.RERUN
    assert pressed.rerun_data.fragment_id_queue == ["answer"]
