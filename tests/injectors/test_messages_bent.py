"""Answers of Anthropic's Messages API, bent: read back by its dialect as what each change makes of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chaos.apis import Api
from chaos.errors import wording
from chaos.faults.unfit import UNFIT, concerns
from chaos.injectors.bending import bend
from chaos.injectors.sayings import NONSENSE, STRANGER
from chaos.model import Effect
from monitor.dialects import DIALECTS
from monitor.exchange import Answer, Event, Fate, Reply
from monitor.model import Reason
from monitor.sse import EventReader

pytestmark = pytest.mark.anyio

REPLIES = Path(__file__).parents[1] / "data" / "replies" / "anthropic"
CHANGES = ["empty_content", "refusal", "wrong_model", "wrong_answer", "starved", *UNFIT]


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REPLIES / f"{name}.json").read_text())
    return found


async def bent(rewrite: str | None, kind: str, *, streamed: bool) -> Answer:
    """A recorded answer (``answer`` or ``tool_use``), changed and read."""
    effect, words = Effect(rewrite=rewrite), wording("anthropic", "/v1/messages")
    if not streamed:
        body = json.dumps(recorded(kind)["body"]).encode()
        out = b"".join([piece async for piece in bend(pieces(body), effect, hold, words, streamed=False)])
        reply = Reply(fate=Fate.ANSWERED, status=200, headers={"content-type": "application/json"}, body=out)
        return DIALECTS["anthropic"].read(reply, now=0.0)
    events = recorded("stream" if kind == "answer" else "stream_tool_use")["events"]
    body = b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events)
    out = b"".join([piece async for piece in bend(pieces(body), effect, hold, words, streamed=True)])
    said = tuple(Event(at=0.1, data=data) for data in EventReader().feed(out))
    headers = {"content-type": "text/event-stream"}
    return DIALECTS["anthropic"].read(Reply(fate=Fate.ANSWERED, status=200, headers=headers, events=said), now=0.0)


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 70):
        yield body[at : at + 70]


async def hold(seconds: float = 0.0) -> None:
    assert seconds == 0.0


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("rewrite", "kind", "expected"),
    [
        ("empty_content", "answer", {"reason": Reason.EMPTY, "text": ""}),
        ("empty_content", "tool_use", {"reason": Reason.EMPTY, "text": ""}),
        ("refusal", "answer", {"reason": Reason.MODERATED, "text": ""}),
        ("wrong_model", "answer", {"reason": Reason.NONE, "model": STRANGER}),
        ("wrong_answer", "answer", {"reason": Reason.NONE, "text": NONSENSE}),
        ("starved", "answer", {"reason": Reason.STARVED, "text": ""}),
        ("blind", "answer", {"reason": Reason.NONE, "text": "There is no picture that I could see. "}),
        ("forgetful", "answer", {"reason": Reason.NONE, "text": "The text does not tell of it. "}),
    ],
)
async def test_a_change_is_read_as_what_it_makes(
    rewrite: str, kind: str, expected: dict[str, Any], streamed: bool
) -> None:
    answer = await bent(rewrite, kind, streamed=streamed)
    seen = {"reason": answer.finding.reason, "text": answer.text, "model": answer.model}
    assert expected.items() <= seen.items()


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
async def test_a_tool_call_comes_as_text(streamed: bool) -> None:
    whole, changed = [await bent(name, "tool_use", streamed=streamed) for name in (None, "tool_call_as_text")]
    assert whole.tool_calls
    assert not changed.tool_calls
    assert '<tool_call>{"name": ' in changed.text
    assert changed.finish == "stop"


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
async def test_arguments_of_a_tool_call_are_never_closed(streamed: bool) -> None:
    (call,) = (await bent("broken_tool_arguments", "tool_use", streamed=streamed)).tool_calls
    assert not is_object(call["function"]["arguments"])
    (whole,) = (await bent(None, "tool_use", streamed=streamed)).tool_calls
    assert is_object(whole["function"]["arguments"])


def is_object(arguments: Any) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("rewrite", "body", "api", "expected"),
    [
        (None, {"input": "hi"}, Api.EMBEDDINGS, True),
        ("wrong_model", {"input": "hi"}, Api.EMBEDDINGS, True),
        ("refusal", {"input": "hi"}, Api.EMBEDDINGS, False),
        ("refusal", {"input": "hi"}, Api.RESPONSES, True),
        ("forgetful", {"input": "x" * 9000}, Api.RESPONSES, True),
        ("forgetful", {"input": "hi"}, Api.RESPONSES, False),
        ("forgetful", {"input": [{"role": "user", "content": "x" * 9000}]}, Api.RESPONSES, True),
        ("blind", {"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, Api.RESPONSES, True),
        ("blind", {"input": "hi"}, Api.RESPONSES, False),
        ("tool_call_as_text", {"messages": [], "tools": [{}]}, Api.CHAT, True),
        ("broken_tool_arguments", {"messages": [], "tools": []}, Api.CHAT, False),
        ("broken_tool_arguments", [], Api.CHAT, False),
    ],
)
def test_a_change_concerns_what_it_has_a_meaning_for(rewrite: str | None, body: Any, api: Api, expected: bool) -> None:
    assert concerns(rewrite, body, api) is expected


def test_who_is_blind_to_a_picture_in_anthropics_words() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    assert concerns("blind", {"messages": [{"role": "user", "content": [image]}]})
