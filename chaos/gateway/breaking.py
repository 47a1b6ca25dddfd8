"""Performs a fault on the wire, as only one who holds the client's socket can."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from http import HTTPStatus

from aiohttp import web

from chaos.faults.shape import error_body, error_headers
from chaos.gateway.heads import answer_head
from chaos.gateway.rules import Struck
from chaos.model import ErrorReply

MET = b"X-Fallbackd-Injected"
"""Stands in answers of the gateway itself, with the rule's id; never in an answer of the endpoint."""
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_ANTHROPIC = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error",
    504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


def reset(request: web.BaseRequest) -> None:
    if request.transport is not None:
        reset_connection(request.transport)


def reset_connection(transport: asyncio.Transport) -> None:
    """End the connection with RST instead of FIN: nothing that was written is sent any more."""
    own = transport.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def before_answer(request: web.BaseRequest, struck: Struck) -> tuple[int | None, bytes] | None:
    """Perform what comes before any answer of the endpoint; None where the endpoint is to be asked.

    Otherwise the status and the bytes of the answer that stands in its place; (None, b"") when the connection ended.
    """
    effect = struck.effect
    if effect.reset:
        reset(request)
        return None, b""
    if effect.connect is not None:  # an accepted connection cannot be refused any more; closing it comes nearest
        if request.transport is not None:
            request.transport.close()
        return None, b""
    await struck.hold(effect.delay)
    if effect.error is not None and effect.error_after is None:
        body = worded(effect.error, request.path)
        headers = error_headers(effect.error)
        return effect.error.status, _whole(effect.error.status, "application/json", body, headers, struck)
    if effect.raw is not None:
        return effect.raw.status, _whole(effect.raw.status, effect.raw.content_type, effect.raw.body, {}, struck)
    return None


def worded(error: ErrorReply, path: str) -> bytes:
    """The error in the shape of the API that was asked (Anthropic's API reference: Errors); else OpenRouter's."""
    if not path.rstrip("/").endswith("/messages"):
        return error_body(error)
    kind = _ANTHROPIC.get(error.status, "api_error")
    return json.dumps({"type": "error", "error": {"type": kind, "message": error.message}}).encode()


def _whole(status: int, kind: str, body: bytes, more: dict[str, str], struck: Struck) -> bytes:
    phrase = _PHRASES.get(status, "")
    headers = [
        (b"Content-Type", kind.encode()),
        (b"Content-Length", b"%d" % len(body)),
        (MET, struck.rule.id.encode()),
        *((name.encode(), value.encode()) for name, value in more.items()),
    ]
    return answer_head(status, phrase, headers, chunked=False, close=False) + body
