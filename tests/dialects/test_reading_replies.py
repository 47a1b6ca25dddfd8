"""What a reply says: who served, after which attempts, what it cost, and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.dialects import DIALECTS
from monitor.exchange import Event, Fate, Reply
from monitor.model import Attempt, Reason, Tokens

OPENROUTER = DIALECTS["openrouter"]
NOW = 1_790_000_000.0
METADATA = {
    "attempts": [
        {"provider": "Anthropic", "model": "anthropic/claude-sonnet-4.5", "status": 503},
        {"provider": "OpenAI", "model": "openai/gpt-5-mini", "status": 200},
    ]
}
ATTEMPTS = (
    Attempt(
        model="anthropic/claude-sonnet-4.5", provider="Anthropic", status_code=503, reason=Reason.SERVER_ERROR
    ),
    Attempt(model="openai/gpt-5-mini", provider="OpenAI", status_code=200),
)  # fmt: skip
USAGE = {
    "prompt_tokens": 21, "completion_tokens": 40, "cost": 0.00021,
    "completion_tokens_details": {"reasoning_tokens": 32},
}  # fmt: skip


def completion(content: Any = "okay", finish: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    return {
        "id": "gen-7", "model": "openai/gpt-5-mini-2025-08-07", "provider": "OpenAI", "usage": USAGE,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}], **more,
    }  # fmt: skip


def read(body: Any, status: int = 200, dialect=OPENROUTER, **headers: str):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dialect.read(Reply(fate=Fate.ANSWERED, status=status, headers=headers, body=raw), now=NOW)


def test_a_whole_answer_says_who_served_what_it_cost_and_after_which_attempts():
    answer = read(completion(openrouter_metadata=METADATA))
    assert answer.finding.reason is Reason.NONE
    assert (answer.text, answer.finish, answer.model, answer.provider, answer.generation) == (
        "okay", "stop", "openai/gpt-5-mini-2025-08-07", "OpenAI", "gen-7",
    )  # fmt: skip
    assert answer.tokens == Tokens(prompt=21, completion=40, reasoning=32)
    assert answer.cost == 0.00021
    assert answer.attempts_reported
    assert answer.attempts == ATTEMPTS


def test_the_plain_api_reports_no_attempts():
    answer = read(completion(openrouter_metadata=METADATA), dialect=DIALECTS["openai_compatible"])
    assert (answer.attempts_reported, answer.attempts) == (False, ())


def test_an_empty_report_of_attempts_is_a_report():
    answer = read(completion(openrouter_metadata={"attempts": []}))
    assert (answer.attempts_reported, answer.attempts) == (True, ())
    assert not read(completion(openrouter_metadata={"attempt": 1})).attempts_reported


def test_an_error_still_tells_its_attempts_and_its_generation():
    body = {"error": {"code": 503, "message": "Provider returned error"}, "openrouter_metadata": METADATA}
    answer = read(body, 503, **{"x-generation-id": "gen-9"})
    assert answer.finding.reason is Reason.SERVER_ERROR
    assert (answer.attempts, answer.generation) == (ATTEMPTS, "gen-9")


def test_text_comes_in_parts_too_and_tools_are_called():
    assert read(completion([{"type": "text", "text": "ok"}, {"type": "text", "text": "ay"}])).text == "okay"
    call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
    answer = read(completion(None, "tool_calls", message={"tool_calls": [call]}))
    assert (answer.finding.reason, answer.tool_calls) == (Reason.NONE, (call,))
    assert read(completion(None, message={"refusal": "I will not"})).text == "I will not"


THINKING = {**USAGE, "completion_tokens": 32}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (completion(""), Reason.EMPTY),
        (completion(" \n"), Reason.EMPTY),
        (completion(None), Reason.EMPTY),
        (completion("", "length"), Reason.EMPTY),
        (completion("", "length", usage=THINKING), Reason.STARVED),
        (completion("", "length", message={"reasoning": "let me see"}), Reason.STARVED),
        (completion("", "stop", usage=THINKING), Reason.EMPTY),
        (completion("half an ans", "length", usage=THINKING), Reason.NONE),
        (completion("half", "content_filter"), Reason.MODERATED),
        (completion("", "error"), Reason.SERVER_ERROR),
        (completion("okay", choices=[]), Reason.MALFORMED),
        ({"object": "list", "data": []}, Reason.MALFORMED),
        ({"error": {"code": 502, "message": "bad"}}, Reason.SERVER_ERROR),
        (b"", Reason.EMPTY),
        (b"<html>", Reason.MALFORMED),
        (b'{"choices": [', Reason.MALFORMED),
    ],
)
def test_a_200_that_is_no_answer_has_a_finding(body, reason):
    assert read(body).finding.reason is reason


def test_all_tokens_in_reasoning_is_said_so():
    assert read(completion("", "length", usage=THINKING)).finding.detail == "all 32 tokens went into reasoning"


def chunk(content: str = "", finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {"role": "assistant", "content": content, **more.pop("delta", {})}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "gen-7", "model": "m", "provider": "OpenAI", "choices": choices, **more}


def stream(*chunks: Any, done: bool = True, fate: Fate = Fate.ANSWERED, status: int = 200, detail: str = ""):
    """Chunk n arrives n seconds after the request."""
    events = tuple(
        Event(at=float(at), data=data if isinstance(data, str) else json.dumps(data))
        for at, data in enumerate(chunks, 1)
    )
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    reply = Reply(fate=fate, status=status, headers=headers, events=events, done=done, detail=detail)
    return OPENROUTER.read(reply, now=NOW)


LAST = {"id": "gen-7", "model": "m", "choices": [], "usage": USAGE, "openrouter_metadata": METADATA}


def test_a_stream_is_read_to_its_end():
    answer = stream(chunk(), chunk("ok"), chunk("ay"), chunk(finish="stop"), LAST)
    assert answer.finding.reason is Reason.NONE
    assert (answer.text, answer.finish, answer.model, answer.provider) == ("okay", "stop", "m", "OpenAI")
    assert (answer.first_token, answer.last_token, answer.longest_gap) == (2.0, 3.0, 1.0)
    assert (answer.tokens.completion, answer.streamed_tokens, answer.cost) == (40, 8, 0.00021)
    assert answer.attempts == ATTEMPTS


def test_reasoning_that_is_seen_is_the_first_token_and_counts_as_streamed():
    answer = stream(chunk(), chunk(delta={"reasoning": "hm"}), chunk(), chunk("okay"), chunk(finish="stop"), LAST)
    assert (answer.first_token, answer.longest_gap, answer.streamed_tokens) == (2.0, 2.0, 40)


def test_a_tool_call_is_gathered_from_its_pieces():
    pieces = (
        {"index": 0, "id": "call-1", "function": {"name": "add", "arguments": '{"a"'}},
        {"index": 1, "id": "call-2", "function": {"name": "sub", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": ": 1}"}},
    )
    answer = stream(*(chunk(delta={"tool_calls": [piece]}) for piece in pieces), chunk(finish="tool_calls"))
    assert answer.finding.reason is Reason.NONE
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in answer.tool_calls] == [
        ("call-1", "add", '{"a": 1}'),
        ("call-2", "sub", "{}"),
    ]


BROKEN = {"error": {"code": "server_error", "message": "Provider disconnected"}, **chunk(finish="error")}


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (stream(done=True), Reason.EMPTY, "a stream without a single chunk"),
        (stream(done=False), Reason.EMPTY, None),
        (stream(chunk("ok"), done=False), Reason.CUT, "the stream ended without [DONE] (after 1 piece of the answer)"),
        (stream(chunk("ok", "stop"), done=False), Reason.CUT, None),
        (stream(chunk("ok")), Reason.CUT, "the stream ended without a finish reason (after 1 piece of the answer)"),
        (stream(chunk(finish="stop")), Reason.EMPTY, "a 200 without content (finish_reason stop)"),
        (stream(chunk(finish="length"), {"usage": THINKING, "choices": []}), Reason.STARVED, None),
        (stream(chunk(delta={"reasoning": "x"}), chunk(finish="length")), Reason.STARVED, None),
        (
            stream(chunk("ok"), BROKEN, done=False), Reason.SERVER_ERROR,
            "server_error inside HTTP 200: Provider disconnected (after 1 piece of the answer)",
        ),
        (stream({"error": {"code": 429, "message": "slow down"}}), Reason.RATE_LIMITED, None),
        (
            stream(chunk("ok"), "{oops", chunk(finish="stop")), Reason.MALFORMED,
            "chunk 2 of the stream is not JSON: {oops",
        ),
        (stream("[1]"), Reason.MALFORMED, None),
        (
            stream(chunk("o"), chunk("k"), done=False, fate=Fate.STALLED, detail="nothing for 20 s"), Reason.STALLED,
            "nothing for 20 s (after 2 pieces of the answer)",
        ),
        (stream(chunk("ok"), done=False, fate=Fate.RESET), Reason.CUT, None),
        (stream(done=False, fate=Fate.FIRST_TOKEN_TIMEOUT), Reason.FIRST_TOKEN_TIMEOUT, None),
        (stream(chunk("ok", "stop"), done=True, fate=Fate.RESET), Reason.NONE, None),
        (stream(done=False, status=503), Reason.SERVER_ERROR, None),
    ],
)  # fmt: skip
def test_a_stream_that_does_not_end_well_has_a_finding(answer, reason, detail):
    assert answer.finding.reason is reason
    assert detail is None or answer.finding.detail == detail


def test_the_error_in_a_stream_speaks_before_its_broken_connection():
    assert stream(chunk("ok"), BROKEN, done=False, fate=Fate.RESET).finding.reason is Reason.SERVER_ERROR


def test_an_absurd_report_is_read_for_what_it_is_worth():
    usage = {"prompt_tokens": -5, "completion_tokens": "12", "cost": float("inf"), "completion_tokens_details": 3}
    attempts = [7, {"provider": None, "model": [], "status": "503"}, {"status": "ok"}, {"status": "odd"}] + [{}] * 99
    answer = read(completion(usage=usage, model=["x"], provider=5, openrouter_metadata={"attempts": attempts}))
    assert answer.tokens == Tokens(completion=12)
    assert (answer.cost, answer.model, answer.provider) == (None, None, None)
    assert [attempt.reason for attempt in answer.attempts[:4]] == [
        Reason.NONE, Reason.SERVER_ERROR, Reason.NONE, Reason.SERVER_ERROR,
    ]  # fmt: skip
    assert len(answer.attempts) == 50


def test_a_name_that_cannot_be_stored_is_made_so():
    answer = read(b'{"model": "a\\ud800b", "choices": [{"message": {"content": "x"}}]}')
    assert answer.model == "a?b"


WORDS = ("choices", "delta", "message", "content", "error", "usage", "finish_reason", "tool_calls", "index", "function",
         "openrouter_metadata", "attempts", "status", "model", "id", "cost", "completion_tokens_details")  # fmt: skip
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["error", "length"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=15,
)
ANY_DATA = st.text() | ANY_JSON.map(json.dumps)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
@given(
    body=st.binary() | ANY_DATA.map(lambda text: text.encode("utf-8", "surrogatepass")),
    data=st.lists(ANY_DATA, max_size=4),
    status=st.none() | st.integers(0, 999),
    fate=st.sampled_from(list(Fate)),
    done=st.booleans(),
)
def test_any_bytes_are_read(dialect, body, data, status, fate, done):
    events = tuple(Event(at=float(at), data=text) for at, text in enumerate(data))
    answer = dialect.read(Reply(fate=fate, status=status, body=body, events=events, done=done), now=NOW)
    answer.finding.detail.encode()
    assert answer.finding.reason is not Reason.NONE or answer.text or answer.tool_calls
