"""Around every request: access, a limit on bodies, and the headers that keep a page to itself. Plain ASGI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.clock import Clock
from monitor.web.access import SENTENCES, SIGN_IN, Denial, Policy
from monitor.web.errors import refusal

log = structlog.get_logger("web")

BODY_LIMIT = 64 * 1024
"""Bytes. The largest thing anybody has to send is a name."""

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: browsers would then send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks, as every page and answer finds it in the request's scope. Without ``sees_all``: no costs, no hosts, no
    details."""

    may_change: bool
    sees_all: bool


def reader(request: Request) -> Reader:
    found: Reader = request.scope["state"]["reader"]
    return found


class Gate:
    """``public``: whether the config in force shows the page to everybody."""

    def __init__(self, app: ASGIApp, *, policy: Policy, public: Callable[[], bool], clock: Clock) -> None:
        self._app = app
        self._policy = policy
        self._public = public
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard(MutableHeaders(scope=message), scope["path"])
            await send(message)

        headers, now = Headers(scope=scope), self._clock.now()
        policy = replace(self._policy, public=self._public())
        denial = policy.decide(scope["method"], scope["path"], headers, now)
        if denial is not None:
            log.warning("request denied", why=denial.value, method=scope["method"], path=scope["path"])
            await _deny(denial, scope, headers)(scope, receive, send_guarded)
            return
        body = await _body(headers, receive)
        if body is None:
            too_large = refusal(413, f"the body is larger than {BODY_LIMIT // 1024} KiB")
            await too_large(scope, receive, send_guarded)
            return
        reader = Reader(may_change=policy.knows(headers, now), sees_all=policy.sees_all(headers, now))
        scope["state"] = {**scope.get("state", {}), "reader": reader}
        await self._app(scope, _Replay(body, receive), send_guarded)


class _Replay:
    """Hands a body on that was read already, then whatever the server says next (that the client has gone)."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body, None when it is larger than the limit."""
    stated = headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated) > BODY_LIMIT:
        return None
    found = bytearray()
    while True:
        message = await receive()
        found += message.get("body", b"")
        if len(found) > BODY_LIMIT:
            return None
        if not message.get("more_body", False):
            return bytes(found)


def _deny(denial: Denial, scope: Scope, headers: Headers) -> Response:
    unknown = denial in (Denial.NO_TOKEN, Denial.WRONG_TOKEN)
    if denial is Denial.NO_TOKEN and "text/html" in headers.get("accept", ""):
        back = quote(scope["path"]) if scope["method"] == "GET" else "/"
        return RedirectResponse(f"{SIGN_IN}?next={back}", status_code=303)
    sent = {"www-authenticate": "Bearer"} if unknown else {}
    return refusal(401 if unknown else 403, SENTENCES[denial], headers=sent)


def _guard(headers: MutableHeaders, path: str) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-cache" if path.startswith("/static/") else "no-store")
