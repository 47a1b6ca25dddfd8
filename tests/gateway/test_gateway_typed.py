"""Answers of Responses, Messages and Embeddings: what they are worth, and whose they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.gateway.outcomes import Reading, outcome_of
from chaos.gateway.places import Places, read_asked
from chaos.gateway.record import Record
from monitor.dialects import DIALECTS
from monitor.model import Outcome, Path, Reason, Status
from monitor.offering import Catalogue
from tests.gateway.conftest import SONNET, chain

USAGE = {"input_tokens": 3, "output_tokens": 5}
SPENT = {**USAGE, "output_tokens_details": {"reasoning_tokens": 5}}
THOUGHT = {"type": "reasoning", "summary": []}


def read(
    path: str,
    answer: dict[str, Any] | list[dict[str, Any]],
    mode: str = "client",
    *,
    dialect: str = "openai_compatible",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Outcome:
    record = Record(at=1.0, started=1.0, path=path)
    record.asked.take(json.dumps({"model": SONNET, "input": "ping"}).encode(), 1.0)
    if isinstance(answer, list):
        record.headers = ((b"Content-Type", b"text/event-stream"),)
        for number, event in enumerate(answer):
            record.answer.take(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode(), 1.1 + number)
    else:
        record.answer.take(json.dumps(answer).encode(), 1.1)
    record.headers = (*record.headers, *headers)
    record.status, record.ended = 200, 9.0
    asked = read_asked(record.asked)
    place = Places([chain("chat", mode)]).find(asked)
    assert place is not None
    reading = Reading(dialect=DIALECTS[dialect], catalogue=Catalogue)
    return outcome_of(record, asked, place, reading, identity="x")


def response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "r", "object": "response", "model": SONNET, "status": "completed", "output": list(output),
            "usage": USAGE, "error": None, **more}  # fmt: skip


def message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "output_text", "text": words}


SPENT_ALL = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "usage": SPENT}
ANSWERS = {
    "words": (response(THOUGHT, message(text("pong"))), Reason.NONE),
    "a call": (response({"type": "function_call", "name": "f", "arguments": "{}"}), Reason.NONE),
    "a refusal": (response(message({"type": "refusal", "refusal": "no"})), Reason.NONE),
    "words that were cut short": (response(message(text("po")), **{**SPENT_ALL, "usage": USAGE}), Reason.NONE),
    "nothing": (response(), Reason.EMPTY),
    "a message of no parts": (response(message()), Reason.EMPTY),
    "blanks": (response(message(text(" \n"))), Reason.EMPTY),
    "thoughts alone": (response(THOUGHT), Reason.EMPTY),
    "all tokens for thoughts": (response(THOUGHT, **SPENT_ALL), Reason.STARVED),
    "withheld": (response(status="incomplete", incomplete_details={"reason": "content_filter"}), Reason.MODERATED),
    "no list": (response(output="pong"), Reason.EMPTY),
    "parts of another shape": (response(message(text("pong")), 3, output_text=None), Reason.NONE),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("answer", "reason"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_of_responses_is_worth(answer: dict[str, Any], reason: Reason, streamed: bool) -> None:
    delta = {"type": "response.reasoning_text.delta", "delta": "hm"}
    told = read("/v1/responses", [delta, {"type": "response.completed", "response": answer}] if streamed else answer)
    assert told.reason is reason
    assert (told.tokens.prompt, told.tokens.completion, told.generation) == (3, 5, "r")


FAILURES = {
    "an error event": ({"type": "error", "code": "rate_limit_exceeded", "message": "slow down"}, Reason.RATE_LIMITED),
    "a failed response": (
        {"type": "response.failed", "response": response(status="failed", error={"code": 503, "message": "down"})},
        Reason.SERVER_ERROR,
    ),
    "no end": ({"type": "response.output_text.delta", "delta": "pong"}, Reason.CUT),
}


@pytest.mark.parametrize(("event", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_stream_of_responses_that_fails(event: dict[str, Any], reason: Reason) -> None:
    told = read("/v1/responses", [{"type": "response.output_text.delta", "delta": "po"}, event])
    assert (told.status, told.reason) == (Status.FAILED, reason)


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/v1/embeddings", {"object": "list", "model": SONNET, "data": [{"embedding": [0.5]}]}, Reason.NONE),
        ("/v1/embeddings", {"object": "list", "model": SONNET, "data": []}, Reason.EMPTY),
        ("/v1/messages", {"type": "message", "content": [{"type": "text", "text": "pong"}]}, Reason.NONE),
        ("/v1/messages", {"type": "message", "content": [{"type": "tool_use", "input": {}}]}, Reason.NONE),
        ("/v1/messages", {"type": "message", "content": [], "stop_reason": "end_turn"}, Reason.EMPTY),
        (
            "/v1/messages",
            {"type": "message", "content": [{"type": "thinking", "thinking": "hm"}], "stop_reason": "max_tokens"},
            Reason.STARVED,
        ),
    ],
)
def test_what_other_answers_are_worth(path: str, answer: dict[str, Any], reason: Reason) -> None:
    assert read(path, answer).reason is reason


@pytest.mark.parametrize("mode", ["client", "server"])
def test_an_answer_of_a_stranger_is_not_the_targets_whoever_walks_the_chain(mode: str) -> None:
    told = read("/v1/responses", {**response(message(text("pong"))), "model": "somebody/else"}, mode)
    assert (told.status, told.reason, told.path, told.served_by, told.model) == (
        Status.FAILED, Reason.WRONG_MODEL, Path.WRONG_MODEL, None, "somebody/else",
    )  # fmt: skip


@pytest.mark.parametrize("named", [SONNET, "anthropic/claude-sonnet-4.5-20250929", "claude-sonnet-4.5"])
def test_a_target_may_say_its_name_in_other_words(named: str) -> None:
    told = read("/v1/responses", {**response(message(text("pong"))), "model": named})
    assert (told.status, told.path, told.served_by) == (Status.OK, Path.PRIMARY, "primary")


PACKED = (b"Content-Encoding", b"br")


@pytest.mark.parametrize("more", [(), (PACKED,)], ids=["read", "packed in a way that is not read"])
@pytest.mark.parametrize("mode", ["client", "server"])
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/embeddings"])
def test_a_proxy_says_in_its_headers_which_of_its_groups_answered(
    path: str, mode: str, more: tuple[tuple[bytes, bytes], ...]
) -> None:
    headers = ((b"x-litellm-model-group", SONNET.encode()), (b"x-litellm-model-id", b"deployment-1"), *more)
    body = {**response(message(text("pong"))), "model": "some-deployment-of-azure", "data": [{"embedding": [0.5]}]}
    told = read(path, body, mode, dialect="litellm", headers=headers)
    assert (told.status, told.served_by, told.model, told.served_provider) == (
        Status.OK, "primary", SONNET, "deployment-1",
    )  # fmt: skip
