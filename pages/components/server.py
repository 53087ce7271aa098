"""What the server does beside the screens: a health endpoint, and a cookie that tells one browser from another."""

import uuid
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core.health import check_health
from core.limits import Limits

YEAR = 365 * 24 * 3600  # seconds


def answer_health(request: Request) -> JSONResponse:
    """Engine, store and disk as JSON; status 503 where one of them needs somebody."""
    from pages.components.shared import get_engine  # its caches want a server that runs

    health = check_health(get_engine())
    return JSONResponse(health, 200 if health["healthy"] else 503, {"Cache-Control": "no-store"})


class NameVisitors:
    """Gives each browser a random name, under which its runs queue, also after a reload."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the app does, with a cookie where the browser brings none."""
        from pages.components.shared import VISITOR

        async def send_named(message: Any) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{VISITOR}={uuid.uuid4().hex}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        new = scope["type"] == "http" and VISITOR not in HTTPConnection(scope).cookies
        await self.app(scope, receive, send_named if new else send)


Limits.from_environment()  # a wrong one is told as the server starts, not to its first visitor
ROUTES = [Route("/health", answer_health)]
MIDDLEWARE = [Middleware(NameVisitors)]
