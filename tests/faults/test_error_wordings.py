"""Every error in every dialect's own shape is read back by that dialect as what it is."""

from __future__ import annotations

import json
import pkgutil
from random import Random
from typing import Any

import pytest

import chaos.errors
from chaos.errors import WORDINGS, error_body, error_event, error_headers, wording
from chaos.faults import FAULTS, resolve
from chaos.model import ErrorReply
from monitor.dialects import DIALECTS
from monitor.exchange import Event, Fate, Reply
from monitor.model import Reason
from monitor.sse import EventReader

REASONS = {
    "bad_request": Reason.BAD_REQUEST,
    "context_length": Reason.CONTEXT_LENGTH,
    "unauthorized": Reason.UNAUTHORIZED,
    "out_of_credit": Reason.OUT_OF_CREDIT,
    "forbidden": Reason.FORBIDDEN,
    "moderated": Reason.MODERATED,
    "model_gone": Reason.MODEL_GONE,
    "no_endpoint": Reason.NO_ENDPOINT,
    "request_timeout": Reason.TIMEOUT,
    "too_large": Reason.CONTEXT_LENGTH,
    "unprocessable": Reason.BAD_REQUEST,
    "rate_limited": Reason.RATE_LIMITED,
    "rate_limited_unsaid": Reason.RATE_LIMITED,
    "rate_limited_absurd": Reason.RATE_LIMITED,
    "rate_limited_burst": Reason.RATE_LIMITED,
    "server_error": Reason.SERVER_ERROR,
    "bad_gateway": Reason.SERVER_ERROR,
    "unavailable": Reason.SERVER_ERROR,
    "status": Reason.SERVER_ERROR,
    "gateway_timeout": Reason.TIMEOUT,
    "edge_timeout": Reason.TIMEOUT,
    "overloaded": Reason.OVERLOADED,
}
ALL = [(dialect, fault) for dialect in WORDINGS for fault in REASONS]


def error_of(fault: str) -> ErrorReply:
    error = FAULTS[fault].effect(resolve(fault, {}), Random(3)).error
    assert error is not None
    return error


def test_every_dialect_and_every_file_of_the_folder_is_in_the_list() -> None:
    assert set(WORDINGS) == set(DIALECTS)
    files = {module.name for module in pkgutil.iter_modules(chaos.errors.__path__)} - {"wording", "of_responses"}
    assert files == set(WORDINGS)


def test_every_fault_that_is_an_error_is_in_the_table() -> None:
    assert set(REASONS) == {
        name for name, fault in FAULTS.items() if fault.effect(resolve(name, {}), Random(3)).error is not None
    }


@pytest.mark.parametrize(("dialect", "fault"), ALL, ids=map(" ".join, ALL))
def test_an_error_is_read_as_what_it_is(dialect: str, fault: str) -> None:
    error = error_of(fault)
    headers = {"content-type": "application/json", **{k.lower(): v for k, v in error_headers(error).items()}}
    body = error_body(error, WORDINGS[dialect])
    reply = Reply(fate=Fate.ANSWERED, status=error.status, headers=headers, body=body)
    answer = DIALECTS[dialect].read(reply, now=1_790_000_000.0)
    assert answer.finding.reason is REASONS[fault]
    if fault == "rate_limited":
        assert answer.finding.retry_after == 30.0


@pytest.mark.parametrize("dialect", WORDINGS)
def test_an_error_in_a_stream_is_read_as_one(dialect: str) -> None:
    event = error_event(error_of("overloaded"), WORDINGS[dialect])
    (data,) = EventReader().feed(event)
    before = _token(dialect)
    reply = Reply(
        fate=Fate.ANSWERED,
        status=200,
        headers={"content-type": "text/event-stream"},
        events=(Event(at=0.1, data=before), Event(at=0.2, data=data)),
    )
    assert DIALECTS[dialect].read(reply, now=0.0).finding.reason is Reason.OVERLOADED
    assert event.startswith(b"event: error\n") is (dialect == "anthropic")


def _token(dialect: str) -> str:
    if dialect == "anthropic":
        delta: dict[str, Any] = {"type": "text_delta", "text": "po"}
        return json.dumps({"type": "content_block_delta", "index": 0, "delta": delta})
    return json.dumps({"choices": [{"index": 0, "delta": {"content": "po"}}]})


@pytest.mark.parametrize(
    ("dialect", "path", "expected"),
    [
        ("openrouter", "/v1/chat/completions", "openrouter"),
        ("litellm", "/chat/completions?x=1", "litellm"),
        ("openai_compatible", "/v1/embeddings", "openai_compatible"),
        ("openrouter", "/v1/messages", "anthropic"),
        ("litellm", "/v1/messages/?beta=true", "anthropic"),
        (None, "/v1/chat/completions", "openrouter"),
    ],
)
def test_the_shape_follows_from_the_endpoint_and_from_what_was_asked(
    dialect: str | None, path: str, expected: str
) -> None:
    assert wording(dialect, path) is WORDINGS[expected]
