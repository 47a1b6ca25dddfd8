"""The official Python SDKs of OpenAI and of OpenRouter, unchanged, against the sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

from chaos.sandbox import Sandbox

from .conftest import FLASH, LLAMA, MINI, SONNET

pytestmark = pytest.mark.anyio

ASK: list[Any] = [{"role": "user", "content": "Reply with exactly: PONG"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
        },
    },
}


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{sandbox.control_url}/api/v1", api_key="any-key", max_retries=0, timeout=5
    ) as made:
        yield made


@pytest.fixture
async def router(sandbox: Sandbox) -> AsyncIterator[OpenRouter]:
    none = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), retry_connection_errors=False)
    url = f"{sandbox.control_url}/api/v1"
    async with OpenRouter(api_key="any-key", server_url=url, retry_config=none, timeout_ms=5000) as made:
        yield made


async def test_openai_gets_a_plain_answer(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model=SONNET, messages=ASK, max_tokens=32)
    assert answer.choices[0].message.content == "PONG"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "anthropic/claude-4.5-sonnet-20250929", "the dated slug, as production answers"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_openai_reads_a_stream_to_its_end(client: openai.AsyncOpenAI) -> None:
    text, usage = "", None
    stream = await client.chat.completions.create(model=MINI, messages=ASK, max_tokens=64, stream=True)
    async for chunk in stream:
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage
    assert text == "PONG"
    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == 24


async def test_openai_falls_back_over_models(client: openai.AsyncOpenAI, sandbox: Sandbox) -> None:
    sandbox.break_(SONNET, None, "unavailable")
    answer = await client.chat.completions.create(
        model=SONNET, messages=ASK, max_tokens=64, extra_body={"models": [MINI, FLASH]}
    )
    assert answer.model == "openai/gpt-5-mini-2025-08-07"


@pytest.mark.parametrize("stream", [False, True])
async def test_openai_calls_a_tool_and_gives_its_result_back(client: openai.AsyncOpenAI, stream: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": "Use get_weather for 'Oslo', in celsius."}]
    if stream:
        async with client.chat.completions.stream(model=FLASH, messages=messages, tools=[WEATHER]) as chunks:
            answer = await chunks.get_final_completion()
    else:
        answer = await client.chat.completions.create(model=FLASH, messages=messages, tools=[WEATHER])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Oslo", "unit": "celsius"}
    told: Any = {"role": "tool", "tool_call_id": call.id, "content": "7 degrees, rain"}
    said: Any = choice.message.model_dump(exclude_none=True)
    final = await client.chat.completions.create(model=FLASH, messages=[*messages, said, told], tools=[WEATHER])
    assert "7 degrees, rain" in (final.choices[0].message.content or "")


async def test_openai_lists_the_models(client: openai.AsyncOpenAI) -> None:
    models = [model.id async for model in client.models.list()]
    assert {SONNET, MINI, FLASH, LLAMA} <= set(models)
    assert len(models) >= 9


ERRORS: dict[str, type[openai.APIStatusError]] = {
    "bad_request": openai.BadRequestError,
    "unauthorized": openai.AuthenticationError,
    "moderated": openai.PermissionDeniedError,
    "model_gone": openai.NotFoundError,
    "rate_limited": openai.RateLimitError,
    "server_error": openai.InternalServerError,
    "overloaded": openai.InternalServerError,
}


@pytest.mark.parametrize(("fault", "error"), ERRORS.items(), ids=ERRORS)
async def test_openai_raises_its_own_error_classes(
    client: openai.AsyncOpenAI, sandbox: Sandbox, fault: str, error: type[openai.APIStatusError]
) -> None:
    sandbox.break_(LLAMA, None, fault)
    with pytest.raises(error) as raised:
        await client.chat.completions.create(model=LLAMA, messages=ASK)
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["code"] == raised.value.status_code


async def test_openai_meets_an_error_in_the_middle_of_a_stream(client: openai.AsyncOpenAI, sandbox: Sandbox) -> None:
    sandbox.break_(LLAMA, None, "error_in_200")
    with pytest.raises(openai.APIError, match="Provider"):
        async for _ in await client.chat.completions.create(model=LLAMA, messages=ASK, stream=True):
            pass


async def test_openrouter_gets_an_answer_with_metadata(router: OpenRouter) -> None:
    answer = await router.chat.send_async(
        models=[SONNET, MINI], messages=ASK, max_tokens=32, x_open_router_metadata="enabled"
    )
    assert answer.choices[0].message.content == "PONG"
    assert answer.openrouter_metadata is not None
    assert answer.openrouter_metadata.attempts is not None
    assert [(one.model, one.status) for one in answer.openrouter_metadata.attempts] == [(SONNET, 200)]
    assert answer.usage is not None
    assert answer.usage.cost == pytest.approx(answer.usage.prompt_tokens * 3e-6 + 15e-6, rel=0.05)


async def test_openrouter_reads_a_stream(router: OpenRouter) -> None:
    text, usage = "", None
    async with await router.chat.send_async(model=LLAMA, messages=ASK, max_tokens=32, stream=True) as stream:
        async for chunk in stream:
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
            usage = chunk.usage or usage
    assert text == "PONG"
    assert usage is not None


async def test_openrouter_reads_the_catalogue(router: OpenRouter) -> None:
    models = (await router.models.list_async()).result.data
    assert {SONNET, MINI, FLASH} <= {model.id for model in models}
    found = (await router.endpoints.list_async(author="anthropic", slug="claude-sonnet-4.5")).data
    assert [one.provider_name for one in found.endpoints] == ["Anthropic", "Amazon Bedrock", "Google"]
    assert found.endpoints[0].latency_last_30m is not None
    providers = (await router.providers.list_async()).data
    assert {"amazon-bedrock": "Amazon Bedrock"}.items() <= {one.slug: one.name for one in providers}.items()
    assert len(providers) >= 11


@pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")  # the SDK reads its own deprecated fields
async def test_openrouter_reads_its_key_and_its_credits(router: OpenRouter) -> None:
    key = (await router.api_keys.get_current_key_metadata_async()).data
    assert key.usage == 0
    await router.chat.send_async(model=SONNET, messages=ASK, max_tokens=32)
    assert (await router.api_keys.get_current_key_metadata_async()).data.usage > 0
    assert (await router.credits.get_credits_async()).data.total_usage > 0


async def test_openrouter_reads_a_generation(router: OpenRouter, sandbox: Sandbox) -> None:
    answer = await router.chat.send_async(model=LLAMA, messages=ASK, max_tokens=32)
    async with asyncio.timeout(5):
        while True:
            try:
                found = (await router.generations.get_generation_async(id=answer.id)).data
                break
            except errors.NotFoundResponseError:  # the record comes a while after the call
                await asyncio.sleep(0.05)
    assert (found.id, found.model, found.streamed) == (answer.id, LLAMA, False)
    assert found.provider_responses is not None
    assert [one.status for one in found.provider_responses] == [200]


async def test_openrouter_raises_its_own_error_classes(router: OpenRouter, sandbox: Sandbox) -> None:
    sandbox.break_(LLAMA, None, "rate_limited")
    with pytest.raises(errors.TooManyRequestsResponseError) as raised:
        await router.chat.send_async(model=LLAMA, messages=ASK)
    assert raised.value.headers["retry-after"] == "30"
    with pytest.raises(errors.BadRequestResponseError, match="no/such is not a valid model ID"):
        await router.chat.send_async(models=[LLAMA, "no/such"], messages=ASK)
    with pytest.raises(errors.NotFoundResponseError, match="No allowed providers"):
        await router.chat.send_async(model=LLAMA, messages=ASK, provider={"only": ["no-such-provider"]})
