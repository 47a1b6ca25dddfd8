"""What a caller sees of the router: attempts, metadata, failing over, streams, records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from chaos.sandbox import Sandbox

from .conftest import FLASH, LLAMA, MINI, SONNET, Caller

pytestmark = pytest.mark.anyio

PINNED = {"order": ["anthropic"]}
ALL_OF_SONNET = ["anthropic", "amazon-bedrock", "google-vertex"]


async def test_an_answer_names_its_dated_model_its_provider_and_its_price(caller: Caller) -> None:
    seen = await caller.complete(model=SONNET, provider=PINNED)
    assert (seen.status, seen.text) == (200, "PONG")
    body = seen.body
    assert (body["model"], body["provider"]) == ("anthropic/claude-4.5-sonnet-20250929", "Anthropic")
    assert body["id"] == seen.headers["x-generation-id"]
    assert body["id"].startswith("gen-")
    assert body["choices"][0]["native_finish_reason"] == "stop"
    assert body["usage"]["cost"] == pytest.approx(body["usage"]["prompt_tokens"] * 3e-6 + 1 * 15e-6)
    details = body["usage"]["cost_details"]
    assert details["upstream_inference_completions_cost"] == pytest.approx(15e-6)
    meta = body["openrouter_metadata"]
    assert (meta["requested"], meta["strategy"], meta["attempt"]) == (SONNET, "direct", 1)
    assert meta["endpoints"]["total"] == 3
    assert [one["provider"] for one in meta["endpoints"]["available"] if one["selected"]] == ["Anthropic"]
    assert meta["summary"] == "available=3, attempts=1, selected=Anthropic"


@pytest.mark.parametrize(
    ("headers", "there"),
    [
        ({}, False),
        ({"X-OpenRouter-Metadata": "disabled"}, False),
        ({"X-OpenRouter-Metadata": "enabled"}, True),
        ({"X-OpenRouter-Experimental-Metadata": "enabled"}, True),
    ],
)
async def test_metadata_comes_only_when_asked_for(caller: Caller, headers: dict[str, str], there: bool) -> None:
    url, body = f"{caller.base}/chat/completions", {"model": LLAMA, "messages": [{"role": "user", "content": "x"}]}
    async with caller.session.post(url, json=body, headers={"Authorization": "Bearer x", **headers}) as reply:
        assert ("openrouter_metadata" in await reply.json()) is there


async def test_a_failed_provider_is_followed_by_the_next_and_then_by_the_next_model(
    sandbox: Sandbox, caller: Caller
) -> None:
    sandbox.break_(SONNET, "anthropic", "rate_limited")
    seen = await caller.complete(models=[SONNET, MINI], provider={"order": ["anthropic", "amazon-bedrock"]})
    assert seen.attempts == [(SONNET, "Anthropic", 429), (SONNET, "Amazon Bedrock", 200)]
    sandbox.break_(SONNET, None, "unavailable")
    seen = await caller.complete(models=[SONNET, MINI], provider={"order": [*ALL_OF_SONNET, "openai"]})
    assert seen.attempts == [
        (SONNET, "Anthropic", 429),
        (SONNET, "Amazon Bedrock", 503),
        (SONNET, "Google", 503),
        (MINI, "OpenAI", 200),
    ]
    assert seen.body["openrouter_metadata"]["attempt"] == 4


async def test_a_filtered_primary_is_not_among_the_attempts(caller: Caller) -> None:
    seen = await caller.complete(models=[SONNET, MINI], provider={"ignore": ALL_OF_SONNET, "order": ["openai"]})
    assert seen.attempts == [(MINI, "OpenAI", 200)]
    meta = seen.body["openrouter_metadata"]
    assert meta["strategy"] == "fallback"
    assert (meta["endpoints"]["total"], len(meta["endpoints"]["available"])) == (5, 2)


STATUS: dict[str, int] = {
    "refused": 502,
    "dns": 502,
    "tls": 502,
    "reset": 502,
    "malformed": 502,
    "html": 502,
    "empty": 502,
    "cut": 502,
    "unavailable": 503,
    "overloaded": 529,
    "server_error": 500,
    "bad_gateway": 502,
    "unauthorized": 401,
    "out_of_credit": 402,
    "moderated": 403,
    "model_gone": 404,
    "bad_request": 400,
    "context_length": 400,
}


@pytest.mark.parametrize(("fault", "status"), STATUS.items(), ids=STATUS)
async def test_any_error_before_the_first_token_moves_on(
    sandbox: Sandbox, caller: Caller, fault: str, status: int
) -> None:
    sandbox.break_(LLAMA, "groq", fault)
    seen = await caller.complete(models=[LLAMA, FLASH], provider={"order": ["groq", "together"]})
    assert seen.attempts == [(LLAMA, "Groq", status), (LLAMA, "Together", 200)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["silent", "delay", "slow_first_token", "stall"])
async def test_an_endpoint_without_a_first_token_in_time_is_left(fault: str, stream: bool) -> None:
    sandbox = Sandbox(seed=1, router_timeout=0.15)
    base = await sandbox.start()
    try:
        async with aiohttp.ClientSession() as session:
            sandbox.break_(LLAMA, "groq", fault, {"after": 0} if fault == "stall" else {})
            how = {"provider": {"order": ["groq", "together"]}, "stream": stream}
            seen = await Caller(session, base).complete(models=[LLAMA], **how)
        assert seen.attempts == [(LLAMA, "Groq", 408), (LLAMA, "Together", 200)]
        assert seen.text == "PONG"
    finally:
        await sandbox.stop()


PASSED_ON: dict[str, str] = {"empty_content": "", "wrong_answer": "I would rather not say.", "starved": ""}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fault", "text"), PASSED_ON.items(), ids=PASSED_ON)
async def test_a_200_that_says_nothing_useful_does_not_move_on(
    sandbox: Sandbox, caller: Caller, fault: str, text: str, stream: bool
) -> None:
    sandbox.break_(LLAMA, None, fault)
    seen = await caller.complete(models=[LLAMA, FLASH], stream=stream)
    assert (seen.status, seen.text, len(seen.attempts)) == (200, text, 1)
    last = seen.events[-3]["choices"][0] if stream else seen.body["choices"][0]
    assert last["finish_reason"] == ("length" if fault == "starved" else "stop")


async def test_an_answer_may_come_from_another_model(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.break_(LLAMA, None, "wrong_model")
    seen = await caller.complete(model=LLAMA)
    assert seen.body["model"] == "sandbox/another-model"
    assert seen.text == "PONG"


async def test_everything_exhausted_is_the_last_error_with_the_ones_before(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.break_(SONNET, None, "unavailable")
    sandbox.break_(MINI, None, "rate_limited", {"retry_after": 12.2})
    how = {"order": ["anthropic", "openai"], "allow_fallbacks": False}
    seen = await caller.complete(models=[SONNET, MINI], provider=how)
    assert (seen.status, seen.headers["retry-after"]) == (429, "13")
    error = seen.body["error"]
    assert (error["code"], error["message"]) == (429, "Provider returned error")
    assert error["metadata"]["error_type"] == "rate_limit_exceeded"
    assert error["metadata"]["provider_name"] == "OpenAI"
    assert "Rate limit exceeded" in error["metadata"]["raw"]
    (before,) = error["metadata"]["previous_errors"]
    assert (before["code"], before["provider_name"]) == (503, "Anthropic")
    assert error["availability"]["code"] == "capacity_exhausted"
    assert seen.attempts == [(SONNET, "Anthropic", 503), (MINI, "OpenAI", 429)]
    assert seen.body["openrouter_metadata"]["endpoints"]["total"] == 5


async def test_a_500_is_masked(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.break_(LLAMA, None, "server_error")
    seen = await caller.complete(model=LLAMA)
    assert seen.body == {"error": {"code": 500, "message": "Internal Server Error"}}
    assert seen.headers["x-generation-id"].startswith("gen-")


async def test_a_refusal_of_the_router_reached_nobody(caller: Caller) -> None:
    seen = await caller.complete(model=LLAMA, provider={"only": ["openai"]})
    assert seen.status == 404
    assert seen.body["error"]["metadata"]["failed_routing_step"] == "Filter by Allowed Providers"
    assert (seen.attempts, seen.body["openrouter_metadata"]["attempt"]) == ([], 0)


@pytest.mark.parametrize("body", [{"model": "no/such"}, {"models": [SONNET, MINI, FLASH, LLAMA]}])
async def test_a_rejection_before_routing_has_no_metadata(caller: Caller, body: dict[str, Any]) -> None:
    seen = await caller.complete(**body)
    assert seen.status == 400
    assert "openrouter_metadata" not in seen.body
    assert "x-generation-id" in seen.headers


@pytest.mark.parametrize("key", [None, "", "  "])
async def test_completions_need_a_key_and_any_will_do(caller: Caller, key: str | None) -> None:
    seen = await caller.complete(model=LLAMA, key=key)
    assert (seen.status, seen.body["error"]["metadata"]["error_type"]) == (401, "authentication")


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("POST", "/chat/completions", b"{", 400),
        ("POST", "/chat/completions", b"[" * 100_000, 400),
        ("POST", "/chat/completions", b"\xff\xfe", 400),
        ("POST", "/chat/completions", b"", 400),
        ("GET", "/chat/completions", None, 405),
        ("GET", "/nothing", None, 404),
        ("POST", "/completions", b"{}", 404),
    ],
)
async def test_bad_requests_are_answered_in_the_envelope(
    caller: Caller, method: str, path: str, data: bytes | None, status: int
) -> None:
    headers = {"Authorization": "Bearer k", "Content-Type": "application/json; charset=nonsense"}
    async with caller.session.request(method, f"{caller.base}{path}", data=data, headers=headers) as reply:
        body = await reply.json()
    assert (reply.status, body["error"]["code"]) == (status, status)
    assert body["error"]["metadata"]["error_type"]


async def test_too_few_tokens_for_a_provider_are_an_error_of_that_provider(caller: Caller) -> None:
    seen = await caller.complete(models=[MINI, LLAMA], max_tokens=1, provider={"order": ["openai", "azure", "groq"]})
    assert seen.attempts == [(MINI, "OpenAI", 400), (MINI, "Azure", 400), (LLAMA, "Groq", 200)]


async def test_reasoning_that_is_mandatory_cannot_be_switched_off(caller: Caller) -> None:
    seen = await caller.complete(model=MINI, reasoning={"enabled": False})
    assert seen.status == 400
    assert "mandatory" in seen.body["error"]["metadata"]["raw"]


async def test_a_stream_has_comments_chunks_a_usage_chunk_and_an_end(caller: Caller) -> None:
    seen = await caller.complete("Reply with exactly: abcdefghij", model=SONNET, stream=True, provider=PINNED)
    assert seen.headers["content-type"] == "text/event-stream"
    assert seen.comments[0] == ": OPENROUTER PROCESSING"
    assert seen.events[-1] == "[DONE]"
    assert seen.text == "abcdefghij"
    *chunks, usage = seen.events[:-1]
    assert [len(chunk["choices"]) for chunk in chunks] == [1] * 4
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 3
    assert [("openrouter_metadata" in one, "usage" in one) for one in chunks] == [(False, False)] * 4
    assert seen.attempts == [(SONNET, "Anthropic", 200)]
    assert {one["id"] for one in seen.events[:-1]} == {seen.headers["x-generation-id"]}


async def test_an_error_before_the_first_token_of_a_stream_is_an_ordinary_one(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.break_(LLAMA, None, "unavailable")
    seen = await caller.complete(model=LLAMA, stream=True)
    assert (seen.status, seen.body["error"]["code"]) == (503, 503)


async def test_an_error_after_the_first_token_ends_the_stream_and_does_not_move_on(
    sandbox: Sandbox, caller: Caller
) -> None:
    sandbox.break_(LLAMA, None, "error_in_200")
    seen = await caller.complete("Tell me", models=[LLAMA, FLASH], stream=True)
    assert seen.status == 200
    last = seen.events[-1]
    assert (last["error"]["code"], last["error"]["metadata"]["error_type"]) == (502, "provider_unavailable")
    assert last["choices"] == [
        {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "native_finish_reason": "error"}
    ]
    assert len(seen.events) == 2


async def test_an_error_inside_a_plain_200_does_not_move_on(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.break_(LLAMA, None, "error_in_200")
    seen = await caller.complete(models=[LLAMA, FLASH])
    assert (seen.status, seen.body["error"]["code"]) == (200, 502)
    assert "choices" not in seen.body
    assert len(seen.attempts) == 1


async def test_a_stream_whose_every_endpoint_is_late_ends_with_only_an_error() -> None:
    sandbox = Sandbox(seed=1, router_timeout=0.1)
    base = await sandbox.start()
    try:
        async with aiohttp.ClientSession() as session:
            sandbox.break_(FLASH, None, "slow_first_token")
            seen = await Caller(session, base).complete(model=FLASH, stream=True)
    finally:
        await sandbox.stop()
    assert seen.status == 200
    assert [one["error"]["code"] for one in seen.events] == [408]


@pytest.fixture
async def slow() -> AsyncIterator[tuple[Sandbox, Caller]]:
    sandbox = Sandbox(seed=1, generation_delay=3600)
    base = await sandbox.start()
    async with aiohttp.ClientSession() as session:
        yield sandbox, Caller(session, base)
    await sandbox.stop()


async def test_a_generation_can_be_read_a_while_after_the_call(slow: tuple[Sandbox, Caller]) -> None:
    caller = slow[1]
    id_ = (await caller.complete(model=LLAMA)).body["id"]
    assert (await caller.get(f"/generation?id={id_}")).status == 404
    assert (await caller.get("/generation?id=")).status == 404


async def test_a_generation_counts_the_responses_of_all_providers() -> None:
    sandbox = Sandbox(seed=1, generation_delay=0)
    base = await sandbox.start()
    sandbox.break_(LLAMA, "groq", "unavailable")
    async with aiohttp.ClientSession() as session:
        caller = Caller(session, base)
        seen = await caller.complete(model=LLAMA, provider={"order": ["groq", "together"]})
        record = (await caller.get(f"/generation?id={seen.body['id']}")).body["data"]
        assert (await caller.get(f"/generation?id={seen.body['id']}", key=None)).status == 401
    await sandbox.stop()
    assert [(one["provider_name"], one["status"]) for one in record["provider_responses"]] == [
        ("Groq", 503),
        ("Together", 200),
    ]
    assert (record["model"], record["provider_name"]) == (LLAMA, "Together")
    assert record["total_cost"] == seen.body["usage"]["cost"]
    assert record["cancelled"] is False


async def test_the_lists_are_narrowed_and_unknown_models_are_404(caller: Caller) -> None:
    everything = (await caller.get("/models", key=None)).body["data"]
    assert {SONNET, MINI} <= {one["id"] for one in everything}
    assert {one["id"] for one in (await caller.get("/models?q=gpt")).body["data"]} == {MINI, "openai/gpt-4o-mini"}
    with_groq = (await caller.get("/models?providers=groq")).body["data"]
    assert [one["id"] for one in with_groq] == [LLAMA]
    seeded = (await caller.get("/models?supported_parameters=seed,tools")).body["data"]
    assert {one["id"] for one in seeded} == {MINI, "openai/gpt-4o-mini", LLAMA}
    assert (await caller.get(f"/model/{MINI}:nitro")).body["data"]["id"] == MINI
    assert (await caller.get("/model/no/such")).status == 404
    assert (await caller.get("/models/no/such/endpoints")).status == 404
    assert (await caller.get("/models/user", key=None)).status == 401
    zdr = (await caller.get("/endpoints/zdr")).body["data"]
    assert {"Azure", "Fireworks"} <= {one["provider_name"] for one in zdr}


async def test_endpoints_tell_tags_prices_and_limits_and_latency_only_with_a_key(caller: Caller) -> None:
    found = (await caller.get(f"/models/{SONNET}/endpoints")).body["data"]
    assert [one["tag"] for one in found["endpoints"]] == ["anthropic", "amazon-bedrock/us", "google-vertex/us-east5"]
    first = found["endpoints"][0]
    assert first["pricing"]["prompt"] == "0.000003"
    assert (first["status"], first["max_completion_tokens"], first["context_length"]) == (0, 64000, 200000)
    assert first["latency_last_30m"]["p50"] == 90
    plain = (await caller.get(f"/models/{SONNET}/endpoints", key=None)).body["data"]
    assert plain["endpoints"][0]["latency_last_30m"] is None


async def test_many_at_once_are_answered_in_the_time_of_one(caller: Caller) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    seen = await asyncio.gather(*(caller.complete(model=LLAMA, provider={"order": ["groq"]}) for _ in range(100)))
    assert {one.text for one in seen} == {"PONG"}
    assert loop.time() - begun < 100 * 0.03  # one after the other would take longer than that
