"""However an answer is cut into pieces on its way, each fault makes the same of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.errors import wording
from chaos.faults import FAULTS, resolve
from chaos.injectors.bending import CutError, ResetError, bend, bends
from chaos.injectors.shaping import Rewrite
from chaos.model import Effect
from tests.fakes.openai_endpoint import events

WORDS = wording("openrouter", "/v1/chat/completions")
EFFECTS: dict[str, Effect] = {
    name: effect for name, fault in FAULTS.items() if bends(effect := fault.effect(resolve(name, {}), Random(1)))
}
CHUNK = {"id": "x", "model": "m", "object": "chat.completion.chunk"}
TOKENS = ['{"a"', ": ", "1}", " ünïcode 🙂"]
STREAM = (
    b": PROCESSING\n\n"
    + b"".join(
        b"data: " + json.dumps({**CHUNK, "choices": [{"index": 0, "delta": {"content": one}}]}).encode() + b"\n\n"
        for one in TOKENS
    )
    + b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
)
PLAIN = json.dumps({"model": "m", "choices": [{"message": {"content": "".join(TOKENS)}, "finish_reason": "stop"}]})


SAID = {
    "id": "m", "type": "message", "role": "assistant", "status": "completed",
    "content": [{"type": "output_text", "text": "".join(TOKENS), "annotations": [], "logprobs": []}],
}  # fmt: skip
RESPONSE = {"id": "r", "object": "response", "model": "m", "status": "completed", "output": [SAID]}
OF_RESPONSES = b"".join(
    f"event: {one['type']}\ndata: {json.dumps(one, ensure_ascii=False)}\n\n".encode()
    for one in events(RESPONSE, lambda _: TOKENS)
)
WHOLE = {"plain": PLAIN.encode(), "streamed": STREAM, "responses": json.dumps(RESPONSE).encode()}
WHOLE["responses, streamed"] = OF_RESPONSES


async def hold(seconds: float = 0.0) -> None:
    """Nothing is waited for here."""


async def made(whole: bytes, cuts: list[int], effect: Effect, *, streamed: bool) -> tuple[bytes, str]:
    """The bytes that come out, and how they end."""
    places = [0, *sorted(cut % len(whole) for cut in cuts), len(whole)]

    async def pieces() -> AsyncIterator[bytes]:
        for begin, end in pairwise(places):
            yield whole[begin:end]

    out = b""
    try:
        async for piece in bend(pieces(), effect, hold, WORDS, streamed=streamed):
            out += piece
    except ResetError:
        return out, "reset"
    except CutError:
        return out, "cut"
    return out, "whole"


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("name", EFFECTS)
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=12))
def test_the_pieces_do_not_matter(name: str, kind: str, cuts: list[int]) -> None:
    whole, streamed = WHOLE[kind], kind.endswith("streamed")

    async def both() -> tuple[tuple[bytes, str], tuple[bytes, str]]:
        effect = EFFECTS[name]
        return await made(whole, [], effect, streamed=streamed), await made(whole, cuts, effect, streamed=streamed)

    in_one, in_pieces = asyncio.run(both())
    assert in_pieces == in_one


ENDINGS = {"cut": "cut", "reset_after_headers": "reset"}
WAITING = {"slow_first_token", "slow_chunks", "bandwidth", "stall"}
"""Nothing is waited for here, so these change nothing."""
OF_CALLS = {"tool_call_as_text", "broken_tool_arguments"}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("name", sorted(EFFECTS.keys() - WAITING - OF_CALLS))
def test_each_of_them_changes_something(name: str, kind: str) -> None:
    whole, streamed = WHOLE[kind], kind.endswith("streamed")
    out, ending = asyncio.run(made(whole, [], EFFECTS[name], streamed=streamed))
    assert ending == ENDINGS.get(name, "whole")
    assert out != whole


@pytest.mark.parametrize("name", sorted(OF_CALLS))
def test_what_changes_calls_leaves_an_answer_without_one_as_it_was(name: str) -> None:
    out, _ = asyncio.run(made(PLAIN.encode(), [], EFFECTS[name], streamed=False))
    assert json.loads(out) == json.loads(PLAIN)


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("function_call") | st.just("message")
NAMES = st.sampled_from(
    ["choices", "message", "delta", "content", "tool_calls", "function", "usage", "type", "output", "item", "part"]
)
ODD = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3))
KINDS = st.sampled_from(
    [
        {"choices": [{}]}, {"type": "message"}, {"type": "message_start"}, {"type": "content_block_start"},
        {"type": "content_block_delta"}, {"type": "message_delta"}, {"object": "response"},
        {"type": "response.completed"}, {"type": "response.output_item.added", "output_index": 0},
        {"type": "response.output_text.delta", "output_index": 0}, {"object": "list", "data": [1]},
    ]
)  # fmt: skip


@pytest.mark.parametrize("name", sorted({one.rewrite for one in EFFECTS.values() if one.rewrite}))
@given(answers=st.lists(st.tuples(KINDS, st.dictionaries(NAMES, ODD, max_size=4)), min_size=1, max_size=5))
def test_no_answer_is_so_strange_that_a_change_of_it_fails(name: str, answers: list[tuple[dict, dict]]) -> None:
    rewrite = Rewrite(name)
    for kind, odd in answers:
        data = json.dumps({**odd, **kind})
        Rewrite(name).body(data.encode())
        rewrite.event(f"data: {data}\n\n".encode(), data)
