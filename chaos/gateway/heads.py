"""The heads of requests and answers as bytes: what a proxy must change of them, and not a byte more. Pure.

Facts: RFC 9110 section 7.6.1 (hop-by-hop fields), RFC 9112 section 6 (how a message's end is known).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

Pairs = Sequence[tuple[bytes, bytes]]
"""Fields as they came: order, case and repetitions."""

OWN = b"x-fallbackd-"
"""Fields of requests that begin so are for the gateway; the endpoint does not see them."""
LAST_CHUNK = b"0\r\n\r\n"

_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_FRAMING = frozenset({b"transfer-encoding", b"trailer"})
_REQUEST = _HOP | {b"host", b"expect"}
_PLAIN_CONNECTION = frozenset({b"keep-alive", b"close", b""})


def request_head(method: bytes, target: bytes, headers: Pairs, host: bytes, *, chunked: bool) -> bytes:
    """``target`` is path and query as the endpoint must see them, ``host`` the endpoint's own."""
    dropped = _dropped(headers, _REQUEST)
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    hosted = False
    for name, value in headers:
        lower = name.lower()
        if lower in dropped:
            if lower == b"host" and not hosted:
                hosted = True
                lines.append(name + b": " + host)
        elif not lower.startswith(OWN):
            lines.append(name + b": " + value)
    if not hosted:
        lines.insert(1, b"Host: " + host)
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def answer_head(
    status: int,
    phrase: str,
    headers: Pairs,
    *,
    chunked: bool,
    close: bool,
    without: frozenset[bytes] = frozenset(),
    framed: bool = False,
) -> bytes:
    """``close``: the connection to the client ends after this answer. ``without``: further fields left out.
    ``framed``: the body keeps the framing that it came in."""
    usual = _HOP - _FRAMING if framed else _HOP
    dropped = _dropped(headers, usual | without if without else usual)
    lines = [b"HTTP/1.1 %d %s" % (status, phrase.encode("utf-8", "surrogateescape"))]
    lines += [name + b": " + value for name, value in headers if name.lower() not in dropped]
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def own_answer(status: int, kind: str, text: str) -> bytes:
    """An error of the gateway's own, in the shape that both OpenAI's and Anthropic's clients read; the connection to
    the client ends with it."""
    error = {"type": "error", "error": {"type": kind, "code": status, "message": f"fallbackd gateway: {text}"}}
    body = json.dumps(error).encode()
    headers = (
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"%d" % len(body)),
        (b"X-Fallbackd-Gateway", kind.encode()),
    )
    phrase = {413: "Content Too Large", 502: "Bad Gateway"}.get(status, "")
    return answer_head(status, phrase, headers, chunked=False, close=True) + body


def frame(chunk: bytes) -> bytes:
    """A chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(chunk), chunk)


class Address:
    """Where an endpoint's paths begin.

    Clients that speak OpenAI's or Anthropic's API ask for ``/v1/...`` below their base URL; an endpoint whose base
    ends in ``/v1`` has those beside its own base (``https://openrouter.ai/api/v1`` -> ``/api`` + ``/v1/...``).
    """

    def __init__(self, base: str) -> None:
        """``base``: the path of the endpoint's URL."""
        self._base = base.rstrip("/")
        self._prefix = self._base.removesuffix("/v1")
        self._versioned = self._prefix != self._base

    def target(self, asked: str) -> str:
        """The path and query to ask the endpoint for."""
        if not asked.startswith("/"):
            asked = "/" + asked.partition("://")[2].partition("/")[2]
        if self._base and self._below(asked, self._base):
            return asked
        if self._versioned and self._below(asked, "/v1"):
            return self._prefix + asked
        return self._base + asked

    @staticmethod
    def _below(path: str, base: str) -> bool:
        return path.startswith(base) and path[len(base) : len(base) + 1] in ("", "/", "?")


def _dropped(headers: Pairs, usual: frozenset[bytes]) -> frozenset[bytes]:
    """The fields that end at this hop: the usual ones, and those that ``Connection`` names."""
    for name, value in headers:
        if len(name) == 10 and name.lower() == b"connection":
            named = frozenset(token.strip() for token in value.lower().split(b",")) - _PLAIN_CONNECTION
            if named:
                return usual | named
    return usual
