"""Whatever an endpoint sends, in whatever pieces, is read before the deadline, by every dialect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clock import SystemClock
from monitor.dialects import DIALECTS
from monitor.exchange import Answer, Ask, Reply
from monitor.wire import exchange

DEADLINE = 0.05
WORDS = (
    "choices", "delta", "message", "content", "error", "usage", "type", "index", "tool_calls", "content_block_delta",
    "message_start", "message_stop", "litellm_fallback", "errors", "code", "text", "partial_json", "model",
)  # fmt: skip
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
EVENT = ANY_JSON.map(lambda found: b"data: " + json.dumps(found).encode() + b"\n\n")
PIECE = st.binary(max_size=30) | EVENT | st.sampled_from([b"data: [DONE]\n\n", b": ping\n\n", b"\r\n", b"event: x\n"])


class Pieces(httpx.AsyncByteStream):
    """``pieces``, and then the end or (``hold``) silence."""

    def __init__(self, pieces: list[bytes], *, hold: bool) -> None:
        self._pieces = pieces
        self._hold = hold

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._hold:
            await asyncio.Event().wait()


async def asked(dialect: str, pieces: list[bytes], kind: str, status: int, *, hold: bool) -> tuple[Reply, Answer]:
    ask = Ask(
        method="POST",
        url="http://upstream/v1",
        headers={},
        body={},
        stream=True,
        deadline=DEADLINE,
        first_token=DEADLINE,
    )
    stream = Pieces(pieces, hold=hold)
    headers = {"content-type": kind, "x-litellm-fallback-errors": "[{}, 3]", "x-litellm-attempted-fallbacks": "x"}
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, stream=stream))
    reply = await exchange(transport, ask, SystemClock())
    return reply, DIALECTS[dialect].read(reply, now=1_790_000_000.0)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(
    pieces=st.lists(PIECE, max_size=6),
    kind=st.sampled_from(["text/event-stream", "application/json", "text/html", ""]),
    status=st.sampled_from([200, 200, 204, 400, 429, 503]),
    hold=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_any_bytes_in_any_pieces_are_read_in_time(
    dialect: str, pieces: list[bytes], kind: str, status: int, hold: bool
) -> None:
    # A wait that never ends would fail here; how much later than its deadline a busy machine is, says nothing.
    _, answer = asyncio.run(asyncio.wait_for(asked(dialect, pieces, kind, status, hold=hold), 20 + DEADLINE))
    answer.finding.detail.encode()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("deep", ["[" * 5000, '{"choices":' * 5000, '{"error":' * 900 + "1" + "}" * 900])
def test_absurd_depth_is_read(dialect: str, deep: str) -> None:
    _, answer = asyncio.run(asked(dialect, [deep.encode()], "application/json", 200, hold=False))
    assert answer.finding.detail
    _, answer = asyncio.run(asked(dialect, [f"data: {deep}\n\n".encode()], "text/event-stream", 200, hold=False))
    assert answer.finding.detail
