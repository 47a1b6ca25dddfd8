"""Heads and chunks read by llhttp (through httptools): what the plain way needs to know of them. Pure.

Facts: RFC 9112 section 6.3 (how a message's end is known).
"""

from __future__ import annotations

from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, HttpResponseParser

from chaos.gateway.heads import OWN, Pairs

_CAREFUL = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_CAREFUL_METHODS = frozenset({b"HEAD", b"CONNECT"})
_HOP = frozenset({b"keep-alive", b"proxy-connection", b"te", b"upgrade"})
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class RequestHead:
    """``length`` of the body in bytes; ``lives_on``: the client wants to use its connection again; ``own``: the fields
    for the gateway itself, by lower-case name."""

    method: bytes
    target: bytes
    headers: Pairs
    length: int
    lives_on: bool
    own: dict[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """``length`` None: the body is chunked (``chunks`` reads it) or ends with the connection. ``hops``: it has
    something that ends at this hop."""

    status: int
    reason: bytes
    headers: Pairs
    length: int | None
    chunks: Chunks | None
    lives_on: bool
    hops: bool


class _Head:
    """Collects the fields that llhttp finds."""

    parser: HttpRequestParser | HttpResponseParser

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.read = False
        self.lives_on = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.pairs.append((name, value))

    def on_headers_complete(self) -> None:
        self.read = True
        self.lives_on = self.parser.should_keep_alive()  # once the message is over, it is forgotten

    def free(self) -> None:
        """Let go of the parser, which refers back to this: reference counting alone then frees both."""
        del self.parser


class _Request(_Head):
    def __init__(self) -> None:
        super().__init__()
        self.url = b""
        self.parser: HttpRequestParser = HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self.url += url


class Chunks(_Head):
    """Reads a chunked body as it passes. ``surplus``: more came than the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.reason = b""
        self.ended = False
        self.surplus = False
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self.parser: HttpResponseParser = HttpResponseParser(self)

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def feed(self, data: bytes) -> bytes:
        """The content in it. Raises httptools.HttpParserError."""
        self.parser.feed_data(data)
        pieces = self._pieces
        if not pieces:
            return b""
        content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return content

    def on_message_begin(self) -> None:
        self.surplus = self.ended

    def on_message_complete(self) -> None:
        self.ended = True


def read_request(head: bytes) -> RequestHead | None:
    """A request that can go the plain way, from its head up to the empty line; None for what needs more care."""
    seen = _Request()
    parser = seen.parser
    try:
        parser.feed_data(head)
    except (HttpParserError, HttpParserUpgrade):
        return None
    finally:
        seen.free()
    method = parser.get_method()
    if not seen.read or parser.get_http_version() != "1.1" or method in _CAREFUL_METHODS:
        return None
    length, own = 0, None
    for name, value in seen.pairs:
        lower = name.lower()
        if lower in _CAREFUL:
            return None
        if lower == b"content-length":
            length = int(value)
        elif lower.startswith(OWN):
            own = own or {}
            own[lower] = value
    return RequestHead(method, seen.url, seen.pairs, length, seen.lives_on, own)


def read_answer_head(head: bytes) -> AnswerHead | None:
    """An answer's head up to the empty line; None where it is none."""
    seen = Chunks()
    try:
        said = seen.feed(head)
    except (HttpParserError, HttpParserUpgrade):
        return None
    if not seen.read or seen.surplus or said:
        return None
    parser = seen.parser
    status = parser.get_status_code()
    length, chunked = None, False
    hops = parser.get_http_version() != "1.1"
    for name, value in seen.pairs:
        lower = name.lower()
        if lower == b"content-length":
            length = int(value)
        elif lower == b"transfer-encoding":
            chunked = value.strip().lower().endswith(b"chunked")
        elif lower in _HOP or (lower == b"connection" and value.lower() != b"keep-alive"):
            hops = True
    if status in _NO_BODY or status < 200:
        length, chunked = 0, False
    if not chunked:
        seen.free()
    return AnswerHead(status, seen.reason, seen.pairs, length, seen if chunked else None, seen.lives_on, hops)
