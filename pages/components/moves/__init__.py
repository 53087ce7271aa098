"""Wakes a page when something that it shows has moved: the browser listens, instead of asking again and again."""

from collections.abc import Collection
from urllib.parse import urlencode

import streamlit as st

from pages.app.moves import HUB, ROUTE, SERVER
from pages.components.files import read_beside

_LISTENER = st.components.v2.component("moves", html="<i hidden></i>", js=read_beside(__file__, "moves.js"))


def listen(key: str, subjects: Collection[str]) -> None:
    """Run the fragment around this call again when one of these runs, or this server's queue, has moved; or when one of
    these subjects was announced (pages.app.moves).

    Call it before the page reads what it shows: what moves in between is then told as soon as the browser listens.
    """
    topic, seen = HUB.register(subjects)
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    path = f"/{base}{ROUTE}" if base else ROUTE
    _LISTENER(
        key=key,
        data={"topic": topic, "url": f"{path}?{urlencode({'topic': topic, 'seen': seen, 'server': SERVER})}"},
        height=1,
        on_moved_change=lambda: None,
    )
