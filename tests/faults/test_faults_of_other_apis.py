"""Every fault of the gateway in the Responses and Embeddings APIs, as the real OpenAI SDK sees it over real sockets.

The table is the promise of the README's: what it marks as working in an API must be seen here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import pytest
from openai import AsyncOpenAI

from chaos.apis import Api, changes
from chaos.faults import FAULTS, resolve
from chaos.gateway import Gateway, Rule
from chaos.injectors.gateway import UNTOLD
from monitor.offering import Catalogue
from tests.fakes.openai_endpoint import VECTOR, OpenAIEndpoint
from tests.faults.sdk_stage import (
    FOR_EVER,
    HANGS,
    PATIENCE,
    PICTURE,
    TROUBLE,
    WAIT,
    ShortClock,
    Way,
    application,
    named,
    strike,
    told,
)  # fmt: skip
from tests.gateway.conftest import SONNET, Passing, config

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

TEXT = {"input": "Tell me something."}
TOOL = {"type": "function", "name": "look_up", "strict": False, "parameters": {"type": "object", "properties": {}}}
SEEING = [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": PICTURE, "detail": "auto"}]
QUESTIONS: dict[str, dict[str, Any]] = {
    "tool_call_as_text": {**TEXT, "tools": [TOOL]},
    "broken_tool_arguments": {**TEXT, "tools": [TOOL]},
    "broken_json": {**TEXT, "text": {"format": {"type": "json_object"}}},
    "blind": {"input": [{"role": "user", "content": SEEING}]},
    "forgetful": {"input": f"The secret code is 4711. {'x ' * 5000} Say the secret."},
}
ERRORS = {
    "unavailable": "InternalServerError 503",
    "status": "InternalServerError 503",
    "rate_limited": "RateLimitError 429",
    "rate_limited_unsaid": "RateLimitError 429",
    "rate_limited_absurd": "RateLimitError 429",
    "rate_limited_burst": "RateLimitError 429",
    "overloaded": "InternalServerError 529",
    "server_error": "InternalServerError 500",
    "bad_gateway": "InternalServerError 502",
    "gateway_timeout": "InternalServerError 504",
    "edge_timeout": "InternalServerError 524",
    "request_timeout": "APIStatusError 408",
    "unauthorized": "AuthenticationError 401",
    "out_of_credit": "APIStatusError 402",
    "forbidden": "PermissionDeniedError 403",
    "moderated": "PermissionDeniedError 403",
    "model_gone": "NotFoundError 404",
    "no_endpoint": "NotFoundError 404",
    "bad_request": "BadRequestError 400",
    "context_length": "BadRequestError 400",
    "too_large": "APIStatusError 413",
    "unprocessable": "UnprocessableEntityError 422",
    "refused": "APIConnectionError (RemoteProtocolError)",
    "reset": "APIConnectionError (ReadError)",
    "reset_after_headers": "APIConnectionError (ReadError)",
    "silent": "APITimeoutError (ReadTimeout)",
}
"""What is the same in every API, plain and streamed."""
RESPONSES: dict[str, tuple[str, str]] = {
    **{fault: (error, error) for fault, error in ERRORS.items()},
    "delay": ("words, completed, late",) * 2,
    "slow_first_token": ("words, completed, late",) * 2,
    "slow_chunks": ("words, completed", "words, completed, late"),
    "bandwidth": ("words, completed, late",) * 2,
    "stall": ("APITimeoutError (ReadTimeout)", "APITimeoutError (ReadTimeout) after 1 token"),
    "cut": ("APIConnectionError (RemoteProtocolError)", "APIConnectionError (RemoteProtocolError) after 1 token"),
    "truncated": ("JSONDecodeError", "'Once upon a time ', never ended"),
    "malformed": ("JSONDecodeError", "JSONDecodeError after 1 token"),
    "garbage": ("UnicodeDecodeError",) * 2,
    "html": ("a text: '<!DOCTYPE'", "'' by nobody, never ended"),
    "empty": ("JSONDecodeError", "'' by nobody, never ended"),
    "error_in_200": ("no output, error server_error", "an error event server_error after 1 token"),
    "empty_content": ("'', completed",) * 2,
    "refusal": ("a refusal, completed",) * 2,
    "wrong_model": ("words by fallbackd/another-model, completed",) * 2,
    "wrong_answer": ("'I would rather not say.', completed",) * 2,
    "starved": ("'', incomplete",) * 2,
    "tool_call_as_text": ("a tool call as text, completed",) * 2,
    "broken_tool_arguments": ("a tool call of bad JSON, completed",) * 2,
    "broken_json": ("bad JSON, completed",) * 2,
    "blind": ("'There is no picture that I could see. ', completed",) * 2,
    "forgetful": ("'The text does not tell of it. ', completed",) * 2,
}
"""fault -> what a plain and what a streamed question get."""
EMBEDDINGS: dict[str, str] = {
    **ERRORS,
    "delay": "the vector, late",
    "slow_first_token": "the vector, late",
    "slow_chunks": "the vector",
    "bandwidth": "the vector, late",
    "stall": "APITimeoutError (ReadTimeout)",
    "cut": "APIConnectionError (RemoteProtocolError)",
    "truncated": "JSONDecodeError",
    "malformed": "JSONDecodeError",
    "garbage": "UnicodeDecodeError",
    "html": "AttributeError",
    "empty": "JSONDecodeError",
    "error_in_200": "ValueError: No embedding data received",
    "empty_content": "ValueError: No embedding data received",
    "wrong_model": "the vector by fallbackd/another-model",
    "wrong_answer": "another vector",
}
BY_GATEWAY = sorted(FAULTS.keys() - UNTOLD)


def rewrite_of(fault: str) -> str | None:
    return FAULTS[fault].effect(resolve(fault, {}), Random(1)).rewrite


OF_VECTORS = [one for one in BY_GATEWAY if (name := rewrite_of(one)) is None or changes(name, Api.EMBEDDINGS)]


@asynccontextmanager
async def way(fault: str, *, retries: int = 0, dialect: str = "openrouter") -> AsyncIterator[tuple[Way, Passing]]:
    async with AsyncExitStack() as stack:
        endpoint = OpenAIEndpoint()
        url = await endpoint.start()
        stack.push_async_callback(endpoint.stop)
        clock, passing = ShortClock(), Passing()
        made = config(url, dialect=dialect)
        assert made.gateway is not None
        passing.gateway = gateway = Gateway(
            made, made.gateway, told=passing.tell, catalogue=lambda _: Catalogue(), clock=clock
        )
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        gateway.rules.arm(
            Rule(
                id="r", chain="chat", drill="gone", run="r", strikes=(strike(fault),), until=clock.now() + 600,
                max_count=100,
            )
        )  # fmt: skip
        asking = application(f"{gateway.url}/v1", retries=retries, default_headers={"X-Fallbackd-Drill": "r"})
        await stack.enter_async_context(asking)
        timed = asking.with_options(timeout=PATIENCE) if fault in HANGS else asking
        yield Way(timed, clock, lambda: gateway.rules.listed()[0][1]), passing


def late(one: Way, fault: str, seen: str) -> str:
    slept = sum(wait for wait in one.clock.slept if wait < FOR_EVER)
    return f"{seen}, late" if fault not in HANGS and slept >= WAIT else seen


async def plain(asking: AsyncOpenAI, fault: str) -> str:
    try:
        answer = await asking.responses.create(model=SONNET, **QUESTIONS.get(fault, TEXT))
    except TROUBLE as error:
        return named(error)
    if isinstance(answer, str):
        return f"a text: {answer[:9]!r}"
    if not answer.output and answer.error:
        return f"no output, error {answer.error.code}"
    return summed_up(answer)


def summed_up(answer: Any) -> str:
    refusals = [part.refusal for one in answer.output if one.type == "message" for part in one.content
                if part.type == "refusal"]  # fmt: skip
    calls = [one.arguments for one in answer.output if one.type == "function_call"]
    return told(answer.model, answer.output_text, "".join(refusals), calls, answer.status)


async def streamed(asking: AsyncOpenAI, fault: str) -> str:
    """What the deltas add up to; the last event must say the same."""
    tokens: list[str] = []
    model, refusal, arguments, whole = "", "", "", None
    try:
        async for event in await asking.responses.create(model=SONNET, stream=True, **QUESTIONS.get(fault, TEXT)):
            match event.type:
                case "response.created":
                    model = event.response.model
                case "response.output_text.delta":
                    tokens.append(event.delta)
                case "response.refusal.delta":
                    refusal += event.delta
                case "response.function_call_arguments.delta":
                    arguments += event.delta
                case "response.completed" | "response.incomplete":
                    whole = event.response
                case "error":
                    return f"an error event {event.code} after {len(tokens)} token"
    except TROUBLE as error:
        return named(error, len(tokens))
    seen = told(model, "".join(tokens), refusal, [arguments] if arguments else [], whole and whole.status)
    if whole is None:
        return f"{''.join(tokens)!r}{' by nobody' if not model else ''}, never ended"
    assert summed_up(whole) == seen
    return seen


async def embedded(asking: AsyncOpenAI) -> str:
    try:
        answer = await asking.embeddings.create(model=SONNET, input="words")
    except AttributeError:  # the SDK's own mistake about a text
        return "AttributeError"
    except TROUBLE as error:
        return named(error)
    except ValueError as error:
        return f"ValueError: {error}"
    vector = answer.data[0].embedding
    what = "the vector" if vector == list(VECTOR) else "another vector" if len(vector) == len(VECTOR) else "nonsense"
    return f"{what}{'' if answer.model == SONNET else f' by {answer.model}'}"


def test_no_fault_is_left_out() -> None:
    assert set(RESPONSES) == set(BY_GATEWAY)
    assert set(EMBEDDINGS) == set(OF_VECTORS)


@pytest.mark.parametrize("fault", BY_GATEWAY)
async def test_a_fault_of_responses(fault: str) -> None:
    async with way(fault) as (one, _):
        seen = late(one, fault, await plain(one.application, fault))
        one.clock.slept.clear()
        assert (seen, late(one, fault, await streamed(one.application, fault))) == RESPONSES[fault]
        assert one.met() == 2


@pytest.mark.parametrize("fault", OF_VECTORS)
async def test_a_fault_of_embeddings(fault: str) -> None:
    async with way(fault) as (one, _):
        assert late(one, fault, await embedded(one.application)) == EMBEDDINGS[fault]
        assert one.met() == 1


@pytest.mark.parametrize("fault", sorted(set(BY_GATEWAY) - set(OF_VECTORS)))
async def test_what_has_no_meaning_for_embeddings_meets_none(fault: str) -> None:
    async with way(fault) as (one, _):
        assert await embedded(one.application) == "the vector"
        assert one.met() == 0


@pytest.mark.parametrize("fault", ["tool_call_as_text", "broken_tool_arguments", "blind", "forgetful"])
async def test_a_question_that_gives_a_fault_nothing_to_break_meets_none(fault: str) -> None:
    async with way(fault) as (one, _):
        assert await plain(one.application, "none of them") == "words, completed"
        assert one.met() == 0


@pytest.mark.parametrize(
    "fault", ["empty_content", "refusal", "wrong_answer", "starved", "tool_call_as_text", "broken_json", "wrong_model"]
)
async def test_a_changed_stream_is_one_that_the_sdk_can_put_together(fault: str) -> None:
    async with way(fault) as (one, _):
        numbers = []
        async with one.application.responses.stream(model=SONNET, **QUESTIONS.get(fault, TEXT)) as stream:
            numbers = [event.sequence_number async for event in stream if hasattr(event, "sequence_number")]
            if fault != "starved":  # of an incomplete answer the SDK keeps none
                assert summed_up(await stream.get_final_response()) == RESPONSES[fault][1]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize(("fault", "met"), [("unavailable", 3), ("bad_request", 1)])
async def test_the_sdk_asks_again_what_may_pass(fault: str, met: int) -> None:
    async with way(fault, retries=2) as (one, _):
        assert await plain(one.application, fault) == ERRORS[fault]
        assert one.met() == met
    async with way(fault, retries=2) as (one, _):
        assert await embedded(one.application) == ERRORS[fault]
        assert one.met() == met


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openrouter", {"error": {"code": "rate_limit_exceeded", "message": "Rate limit exceeded"}, "metadata": None}),
        ("openai_compatible", {"error": {"code": "rate_limit_exceeded", "type": "requests", "param": None}}),
    ],
)
async def test_an_error_has_the_shape_of_the_endpoint(dialect: str, body: dict[str, Any]) -> None:
    async with way("rate_limited", dialect=dialect) as (one, _):
        reply = await one.application._client.post(
            f"{one.application.base_url}responses", json={"model": SONNET, **TEXT}, headers={"X-Fallbackd-Drill": "r"}
        )
    error = reply.json()["error"]
    assert body["error"].items() <= error.items()
    assert reply.json().get("metadata", "none") == body.get("metadata", "none")
