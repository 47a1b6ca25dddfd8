"""Anthropic's wire and OpenAI's other APIs: passed as they are, and read for who answered, when and at what price."""

from __future__ import annotations

import gzip
import json
from typing import Any

import aiohttp
import pytest

from monitor.model import Path, Reason, Status
from tests.gateway.conftest import MINI, SONNET, Endpoint, Start, chain

pytestmark = pytest.mark.anyio

CLAUDE = "claude-sonnet-4-5"
CHAIN = chain("chat", "client", CLAUDE, MINI)


def events(*bodies: dict[str, Any]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in bodies)


def answered(body: bytes, kind: str = "application/json", status: int = 200, more: bytes = b"") -> list[bytes | None]:
    head = b"HTTP/1.1 %d X\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n" % (
        status,
        kind.encode(),
        len(body),
        more,
    )
    return [head + body]


STARTED = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": CLAUDE, "usage": {"input_tokens": 11, "output_tokens": 1}},
}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "pong"}}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
STOP = {"type": "message_stop"}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": CLAUDE, "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "pong"}], "usage": {"input_tokens": 11, "output_tokens": 7},
}  # fmt: skip
RESPONSE = {
    "id": "resp_1", "object": "response", "model": MINI, "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "pong"}]}],
    "usage": {"input_tokens": 3, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}},
}  # fmt: skip
EMBEDDED = {"model": MINI, "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 4}}
SSE = "text/event-stream; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "model", "answer", "seen"),
    [
        pytest.param(
            "/messages", CLAUDE, answered(json.dumps(MESSAGE).encode()),
            (Status.OK, Reason.NONE, Path.PRIMARY, 11, 7, "msg_1"), id="messages",
        ),
        pytest.param(
            "/messages", CLAUDE, answered(events(STARTED, TEXT, DELTA, STOP), SSE),
            (Status.OK, Reason.NONE, Path.PRIMARY, 11, 7, "msg_1"), id="messages, streamed",
        ),
        pytest.param(
            "/messages", CLAUDE, answered(events(STARTED, TEXT, OVERLOADED), SSE),
            (Status.FAILED, Reason.OVERLOADED, None, 11, 1, "msg_1"), id="an error in the stream",
        ),
        pytest.param(
            "/messages", CLAUDE, answered(events(STARTED, TEXT), SSE),
            (Status.FAILED, Reason.CUT, None, 11, 1, "msg_1"), id="a stream without its end",
        ),
        pytest.param(
            "/messages", CLAUDE, answered(json.dumps(OVERLOADED).encode(), status=529),
            (Status.FAILED, Reason.OVERLOADED, None, 0, 0, None), id="overloaded",
        ),
        pytest.param(
            "/responses", MINI, answered(json.dumps(RESPONSE).encode()),
            (Status.OK, Reason.NONE, Path.FELL_BACK, 3, 5, "resp_1"), id="responses",
        ),
        pytest.param(
            "/responses", MINI,
            answered(
                events(
                    {"type": "response.created", "response": {"id": "resp_1", "model": MINI}},
                    {"type": "response.output_text.delta", "delta": "pong"},
                    {"type": "response.completed", "response": RESPONSE},
                ),
                SSE,
            ),
            (Status.OK, Reason.NONE, Path.FELL_BACK, 3, 5, "resp_1"), id="responses, streamed",
        ),
        pytest.param(
            "/embeddings", MINI,
            answered(json.dumps(EMBEDDED).encode()),
            (Status.OK, Reason.NONE, Path.FELL_BACK, 4, 0, None), id="embeddings",
        ),
        pytest.param(
            "/messages", CLAUDE,
            answered(gzip.compress(json.dumps(MESSAGE).encode()), more=b"Content-Encoding: gzip\r\n"),
            (Status.OK, Reason.NONE, Path.PRIMARY, 11, 7, "msg_1"), id="packed",
        ),
        pytest.param(
            "/messages", CLAUDE, answered(b"\x1b\x00", more=b"Content-Encoding: br\r\n"),
            (Status.OK, Reason.NONE, Path.PRIMARY, 0, 0, None), id="packed in a way that is not read",
        ),
        pytest.param(
            "/messages", CLAUDE, answered(b"nonsense", more=b"Content-Encoding: gzip\r\n"),
            (Status.OK, Reason.NONE, Path.PRIMARY, 0, 0, None), id="not packed at all",
        ),
    ],
)  # fmt: skip
async def test_an_exchange_passes_and_is_read(
    start: Start, endpoint: Endpoint, path: str, model: str, answer: list[bytes | None], seen: tuple[Any, ...]
) -> None:
    endpoint.answer = answer
    passing = await start(endpoint.url, CHAIN, dialect="openai_compatible")
    body = json.dumps({"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "ping"}]})
    headers = {"x-api-key": "sk-ant-0123456789", "anthropic-version": "2023-06-01"}
    url = f"{passing.base}{path}"
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.post(url, data=body, headers=headers) as got,
    ):
        content = await got.read()
    assert answer[0] is not None
    assert content == answer[0].partition(b"\r\n\r\n")[2]
    assert b"x-api-key: sk-ant-0123456789" in endpoint.requests[0]
    (told,) = await passing.told()
    assert (told.status, told.reason, told.path, told.tokens.prompt, told.tokens.completion, told.generation) == seen


async def test_a_fault_speaks_anthropics_language_where_anthropic_is_spoken(start: Start, endpoint: Endpoint) -> None:
    passing = await start(endpoint.url, CHAIN)
    passing.arm("overloaded")
    body = json.dumps({"model": CLAUDE, "messages": []})
    url, mark = f"{passing.base}/messages", {"X-Fallbackd-Drill": "run-1"}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=mark) as got:
        assert (got.status, (await got.json())["error"]["type"]) == (529, "overloaded_error")


@pytest.mark.parametrize(
    ("status", "error", "reason", "counts"),
    [
        (400, {"code": 400, "message": "no such parameter"}, Reason.BAD_REQUEST, False),
        (401, {"code": 401, "message": "No auth credentials found"}, Reason.UNAUTHORIZED, False),
        (402, {"code": 402, "message": "Insufficient credits"}, Reason.OUT_OF_CREDIT, True),
        (429, {"code": 429, "message": "Rate limit exceeded"}, Reason.RATE_LIMITED, True),
        (503, {"code": 503, "message": "unavailable"}, Reason.SERVER_ERROR, True),
    ],
)
async def test_what_the_caller_brought_about_is_not_held_against_the_chain(
    start: Start, endpoint: Endpoint, status: int, error: dict[str, Any], reason: Reason, counts: bool
) -> None:
    endpoint.answer = answered(json.dumps({"error": error}).encode(), status=status)
    passing = await start(endpoint.url, chain("chat", "server"))
    body = json.dumps({"models": [SONNET, MINI], "messages": []})
    async with aiohttp.ClientSession() as session, session.post(f"{passing.base}/chat/completions", data=body):
        pass
    (told,) = await passing.told()
    assert (told.reason, told.status) == (reason, Status.FAILED if counts else Status.ERROR)
    assert told.path == (Path.EXHAUSTED if counts else None)


async def test_the_last_target_of_a_walk_that_fails_ends_the_walk(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = answered(b'{"error":{"code":503,"message":"down"}}', status=503)
    passing = await start(endpoint.url, CHAIN)
    async with aiohttp.ClientSession() as session:
        for model in (CLAUDE, MINI):
            async with session.post(f"{passing.base}/chat/completions", data=json.dumps({"model": model})):
                pass
    told = await passing.told(2)
    assert [(one.target, one.path) for one in told] == [("primary", None), (None, Path.EXHAUSTED)]
