"""What the server does beside its sessions: imports ahead, tells its health, and tells one browser from another."""

import ctypes
import gc
import os
import signal
import socket
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl

import psutil
import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from core.cluster.limits import Limits
from core.runs.settings import RunSettings, SettingsError
from pages.app.leaving import DropLateFragments
from pages.app.moves import HUB, answer_moves
from pages.app.moves import ROUTE as MOVES
from pages.app.uploads import LimitUploads

M_ARENA_MAX = -8  # of mallopt, in malloc.h
TRAIN_CHOICES = {*RunSettings.model_fields, "rounds", "curve"}  # in the links to Train
VISITOR_SECONDS = 365 * 24 * 3600  # that a browser keeps its name
_VISITED = threading.Event()  # a first browser has opened a session


@asynccontextmanager
async def start_ahead(app: st.App) -> AsyncIterator[None]:
    """Import what the screens need and read the store while the first browser is still loading its scripts."""
    _share_arenas()
    _send_without_delay()
    HUB.end_with((signal.SIGINT, signal.SIGTERM))
    threading.Thread(target=_import_ahead, daemon=True).start()
    yield


def _share_arenas() -> None:
    """Have all threads take their memory from two arenas of glibc.

    Each rerun is a new thread. With an arena for each, much of what ended sessions gave back would stay in them.
    """
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _send_without_delay() -> None:
    """Turn Nagle's algorithm off for all connections; they inherit this from the listening socket.

    asyncio does so itself, but not for a socket that it is handed, as here (python/cpython, base_events._set_nodelay).
    The many small messages of an answer would wait up to 40 ms for each other.
    """
    with suppress(psutil.Error, OSError):  # if the system does not say what is open, answers come a little later
        for connection in psutil.Process().net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                with socket.socket(fileno=os.dup(connection.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _import_ahead() -> None:
    import altair  # noqa: F401 - Streamlit itself imports it only at the first chart
    import pyarrow

    from pages.app.shared import get_engine, read_game_votes

    read_game_votes()
    pyarrow.set_cpu_count(
        1
    )  # tables for a browser are small: starting threads for their columns costs more than it saves
    import core.analysis.agreement
    import core.figures.comparison
    import core.figures.findings
    import core.figures.learning  # noqa: F401

    gc.collect()
    gc.freeze()  # what stands now stays: looking through its 200,000 objects again and again would stop all for 0.2 s
    _VISITED.wait()
    get_engine()  # so that it is ready for whoever comes to Train from another screen


def answer_health(request: Request) -> JSONResponse:
    """Engine, store and disk as JSON; status 503 if one of them needs somebody."""
    from core.cluster.health import check_health
    from pages.app.shared import get_engine  # not at the top: its caches need a running server

    health = check_health(get_engine())
    return JSONResponse(health, 200 if health["healthy"] else 503, {"Cache-Control": "no-store"})


class NameVisitors:
    """Gives each browser a random name, under which its runs queue, also after a reload."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the app does, with a cookie if the browser brings none."""
        from pages.app.shared import VISITOR

        async def send_named(message: Any) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{VISITOR}={uuid.uuid4().hex}; Path=/; Max-Age={VISITOR_SECONDS}; HttpOnly; SameSite=Lax"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        if scope["type"] == "websocket":
            _VISITED.set()
        new = scope["type"] == "http" and VISITOR not in HTTPConnection(scope).cookies
        await self.app(scope, receive, send_named if new else send)


class ForwardOldLinks:
    """Sends a link to Train from the time when Train was the first screen, as in /?model=TwoBranchesModel, to Train."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the app does, or with the address that the link has today."""
        base = f"/{str(st.get_option('server.baseUrlPath')).strip('/')}".rstrip("/")
        if scope["type"] == "http" and scope["path"] in (base, f"{base}/"):
            query = scope["query_string"].decode("latin-1")
            if TRAIN_CHOICES & dict(parse_qsl(query, keep_blank_values=True)).keys():
                await RedirectResponse(f"{base}/train?{query}")(scope, receive, send)
                return
        await self.app(scope, receive, send)


try:
    Limits.from_environment()
except SettingsError as error:  # told as the server starts, rather than to its first visitor
    raise SystemExit(f"Error: {error}") from None
ROUTES = [Route("/health", answer_health), Route(MOVES, answer_moves)]
MIDDLEWARE = [Middleware(each) for each in (NameVisitors, ForwardOldLinks, LimitUploads, DropLateFragments)]
