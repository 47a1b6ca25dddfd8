"""What an exchange cost: as its answer says, else by its tokens and the catalogue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.gateway.outcomes import Reading, outcome_of
from chaos.gateway.places import Places, read_asked
from chaos.gateway.record import Record
from monitor.dialects import DIALECTS
from monitor.model import Outcome
from monitor.offering import Catalogue, ModelEntry, Price
from tests.gateway.conftest import SONNET, chain

PRICED = Catalogue(
    models={SONNET: ModelEntry(id=SONNET, canonical=SONNET, price=Price(prompt=2e-6, completion=1e-5, request=0.0))}
)


def read(path: str, answer: dict[str, Any] | list[dict[str, Any]], catalogue: Catalogue) -> Outcome:
    record = Record(at=1.0, started=1.0, path=path)
    record.asked.take(json.dumps({"model": SONNET, "messages": []}).encode(), 1.0)
    if isinstance(answer, list):
        record.headers = ((b"Content-Type", b"text/event-stream"),)
        for number, event in enumerate(answer):
            record.answer.take(f"data: {json.dumps(event)}\n\n".encode(), 1.1 + number)
    else:
        record.answer.take(json.dumps(answer).encode(), 1.1)
    record.status, record.ended = 200, 9.0
    asked = read_asked(record.asked)
    place = Places([chain()]).find(asked)
    assert place is not None
    reading = Reading(dialect=DIALECTS["openrouter"], catalogue=lambda: catalogue)
    return outcome_of(record, asked, place, reading, identity="x")


MESSAGE = {
    "id": "m", "model": SONNET, "type": "message", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "pong"}], "usage": {"input_tokens": 10, "output_tokens": 5},
}  # fmt: skip
MESSAGES = [
    {"type": "message_start", "message": {"id": "m", "model": SONNET, "usage": {"input_tokens": 10}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "pong"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]  # fmt: skip
RESPONSE = {"id": "r", "model": SONNET, "status": "completed", "usage": {"input_tokens": 10, "output_tokens": 5}}
RESPONSES = [
    {"type": "response.created", "response": {"id": "r", "model": SONNET}},
    {"type": "response.output_text.delta", "delta": "pong"},
    {"type": "response.completed", "response": RESPONSE},
]
CHAT = {
    "id": "c", "model": SONNET, "choices": [{"message": {"content": "pong"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        pytest.param("/v1/messages", MESSAGE, id="messages"),
        pytest.param("/v1/messages", MESSAGES, id="messages, streamed"),
        pytest.param("/v1/responses", RESPONSE, id="responses"),
        pytest.param("/v1/responses", RESPONSES, id="responses, streamed"),
        pytest.param("/v1/chat/completions", CHAT, id="chat"),
    ],
)
def test_tokens_cost_what_the_catalogue_says(path: str, answer: Any) -> None:
    outcome = read(path, answer, PRICED)
    assert (outcome.tokens.prompt, outcome.tokens.completion) == (10, 5)
    assert outcome.cost == pytest.approx(10 * 2e-6 + 5 * 1e-5)
    assert read(path, answer, Catalogue()).cost is None


@pytest.mark.parametrize(("path", "first"), [("/v1/messages", MESSAGES), ("/v1/responses", RESPONSES)])
def test_the_first_token_of_a_stream_is_its_first_text(path: str, first: Any) -> None:
    outcome = read(path, first, PRICED)
    assert outcome.first_token == pytest.approx(1.1)
    assert outcome.duration == pytest.approx(8.0)


def test_an_answer_that_tells_its_cost_is_believed() -> None:
    told = {**CHAT, "usage": {"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.25}}
    assert read("/v1/chat/completions", told, PRICED).cost == 0.25


def test_an_answer_under_a_dated_name_costs_what_was_declared_for_the_name_that_was_asked_for() -> None:
    dated = {**CHAT, "model": "anthropic/claude-sonnet-4-5-20250929"}
    assert read("/v1/chat/completions", dated, PRICED).cost == pytest.approx(10 * 2e-6 + 5 * 1e-5)
    other = {**CHAT, "model": "openai/gpt-5-mini"}
    assert read("/v1/chat/completions", other, PRICED).cost is None
