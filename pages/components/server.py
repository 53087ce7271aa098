"""What the server does beside its sessions."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st


@asynccontextmanager
async def start_ahead(app: st.App) -> AsyncIterator[None]:
    """Import what the screens need and read the store while the first browser is still loading its scripts."""
    threading.Thread(target=_import_ahead, daemon=True).start()
    yield


def _import_ahead() -> None:
    import altair  # noqa: F401 - Streamlit itself imports it only at the first chart

    from pages.components.shared import read_runs

    read_runs()
    import core.charts
    import core.statistics  # noqa: F401
