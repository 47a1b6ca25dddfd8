"""What a head loses and gains on its way: the hop's own fields, and nothing else."""

from __future__ import annotations

import pytest

from chaos.gateway.heads import Address, answer_head, frame, request_head

HEADERS = (
    (b"Host", b"127.0.0.1:9480"),
    (b"AUTHORIZATION", b"Bearer sk-secret"),
    (b"x-stainless-Lang", b"python"),
    (b"X-Twice", b"1"),
    (b"X-Twice", b"2"),
)


def lines(head: bytes) -> list[bytes]:
    assert head.endswith(b"\r\n\r\n")
    return head[:-4].split(b"\r\n")


def test_fields_keep_their_case_their_order_and_their_repetitions() -> None:
    head = request_head(b"POST", b"/api/v1/x?y=%20", HEADERS, b"openrouter.ai", chunked=False)
    assert lines(head) == [
        b"POST /api/v1/x?y=%20 HTTP/1.1",
        b"Host: openrouter.ai",
        b"AUTHORIZATION: Bearer sk-secret",
        b"x-stainless-Lang: python",
        b"X-Twice: 1",
        b"X-Twice: 2",
    ]


@pytest.mark.parametrize(
    "field",
    [
        (b"Connection", b"keep-alive"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Transfer-Encoding", b"chunked"),
        (b"TE", b"trailers"),
        (b"Trailer", b"X-Sum"),
        (b"Upgrade", b"websocket"),
        (b"Proxy-Connection", b"keep-alive"),
        (b"Expect", b"100-continue"),
        (b"X-Fallbackd-Chain", b"chat"),
        (b"x-fallbackd-drill", b"run"),
    ],
    ids=lambda field: field[0].decode(),
)
def test_a_field_of_this_hop_stays_here(field: tuple[bytes, bytes]) -> None:
    assert lines(request_head(b"GET", b"/", [field], b"h", chunked=False)) == [b"GET / HTTP/1.1", b"Host: h"]


def test_a_field_that_connection_names_stays_here_too() -> None:
    headers = [(b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"X-Kept", b"2")]
    assert lines(request_head(b"GET", b"/", headers, b"h", chunked=False))[2:] == [b"X-Kept: 2"]


def test_an_answer_is_framed_anew_and_keeps_the_rest() -> None:
    headers = [(b"Transfer-Encoding", b"chunked"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")]
    assert lines(answer_head(200, "Fine", headers, chunked=True, close=True)) == [
        b"HTTP/1.1 200 Fine", b"Set-Cookie: a=1", b"Set-Cookie: b=2", b"Transfer-Encoding: chunked",
        b"Connection: close",
    ]  # fmt: skip


def test_a_chunk_says_its_size_in_hexadecimal() -> None:
    assert frame(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


@pytest.mark.parametrize(
    ("base", "asked", "target"),
    [
        ("/api/v1", "/v1/chat/completions", "/api/v1/chat/completions"),
        ("/api/v1", "/api/v1/chat/completions", "/api/v1/chat/completions"),
        ("/api/v1/", "/v1", "/api/v1"),
        ("/api/v1", "/v10/x", "/api/v1/v10/x"),
        ("/api/v1", "/chat/completions?a=1", "/api/v1/chat/completions?a=1"),
        ("/v1", "/v1/messages", "/v1/messages"),
        ("/v1", "/v1?x", "/v1?x"),
        ("", "/v1/messages", "/v1/messages"),
        ("/", "/anything", "/anything"),
        ("/openai", "/v1/models", "/openai/v1/models"),
        ("/v1", "http://elsewhere.example/v1/models", "/v1/models"),
    ],
)
def test_a_path_is_found_below_the_endpoints_base(base: str, asked: str, target: str) -> None:
    assert Address(base).target(asked) == target
