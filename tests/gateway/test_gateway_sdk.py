"""The real OpenAI SDK as the application behind the gateway, with its own retries on and off."""

from __future__ import annotations

import json
from typing import Any

import anyio.to_thread
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from chaos.sandbox import Sandbox
from monitor.model import Path, Reason, Status
from tests.gateway.conftest import KEY, MINI, SONNET, Passing, Start

pytestmark = pytest.mark.anyio

ASK = [{"role": "user", "content": "ping"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
MARK = {"X-Fallbackd-Drill": "run-1"}


@pytest.fixture
async def passing(start: Start, sandbox: tuple[Sandbox, str]) -> Passing:
    return await start(sandbox[1])


def client(passing: Passing, *, retries: int = 0) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=passing.base, api_key=KEY, max_retries=retries, timeout=5)


async def test_a_plain_completion(passing: Passing) -> None:
    async with client(passing) as application:
        answer = await application.chat.completions.create(model=SONNET, messages=ASK)
    assert answer.choices[0].message.content
    (outcome,) = await passing.told()
    assert (outcome.status, outcome.path, outcome.served_by, outcome.kind) == (
        Status.OK, Path.PRIMARY, "primary", "completion",
    )  # fmt: skip
    assert (outcome.tokens.prompt, outcome.generation) == (answer.usage.prompt_tokens, answer.id)


async def test_a_stream(passing: Passing) -> None:
    async with client(passing) as application:
        stream = await application.chat.completions.create(model=SONNET, messages=ASK, stream=True)
        text = "".join([event.choices[0].delta.content or "" async for event in stream if event.choices])
    assert text
    (outcome,) = await passing.told()
    assert (outcome.status, outcome.path, outcome.kind) == (Status.OK, Path.PRIMARY, "stream")
    assert outcome.first_token is not None
    assert 0 < outcome.first_token <= outcome.duration
    assert outcome.tokens.completion


async def test_a_tool_call(passing: Passing) -> None:
    async with client(passing) as application:
        answer = await application.chat.completions.create(
            model=SONNET, messages=ASK, tools=[TOOL], tool_choice="required"
        )
    assert answer.choices[0].message.tool_calls
    assert (await passing.told())[0].status is Status.OK


async def test_a_client_that_blocks(passing: Passing) -> None:
    def ask() -> str | None:
        with OpenAI(base_url=passing.base, api_key=KEY, max_retries=0) as application:
            return application.chat.completions.create(model=MINI, messages=ASK).choices[0].message.content

    assert await anyio.to_thread.run_sync(ask)
    (outcome,) = await passing.told()
    assert (outcome.path, outcome.served_by) == (Path.FELL_BACK, "secondary")


async def test_the_list_of_models_passes_and_belongs_to_no_chain(passing: Passing) -> None:
    async with client(passing) as application:
        models = await application.models.list()
        await application.chat.completions.create(model=SONNET, messages=ASK)
    assert models.data
    assert len(await passing.told()) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unavailable", openai.InternalServerError),
        ("rate_limited", openai.RateLimitError),
        ("unauthorized", openai.AuthenticationError),
        ("moderated", openai.PermissionDeniedError),
        ("context_length", openai.BadRequestError),
        ("overloaded", openai.InternalServerError),
        ("refused", openai.APIConnectionError),
        ("reset", openai.APIConnectionError),
    ],
)
async def test_a_fault_reaches_the_application_as_its_own_error(
    passing: Passing, fault: str, error: type[Exception]
) -> None:
    passing.arm(fault)
    async with client(passing) as application:
        with pytest.raises(error):
            await application.chat.completions.create(model=SONNET, messages=ASK, extra_headers=MARK)
        whole = await application.chat.completions.create(model=MINI, messages=ASK, extra_headers=MARK)
    assert whole.choices[0].message.content


async def test_a_silent_endpoint_runs_into_the_applications_own_timeout(passing: Passing) -> None:
    passing.arm("silent")
    async with client(passing) as application:
        with pytest.raises(openai.APITimeoutError):
            await application.chat.completions.create(model=SONNET, messages=ASK, extra_headers=MARK, timeout=0.3)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("cut", openai.APIConnectionError), ("error_in_200", openai.APIError), ("malformed", json.JSONDecodeError)],
)
async def test_a_stream_that_is_broken_in_its_middle(passing: Passing, fault: str, error: type[Exception]) -> None:
    passing.arm(fault)
    async with client(passing) as application:
        stream = await application.chat.completions.create(model=SONNET, messages=ASK, stream=True, extra_headers=MARK)
        with pytest.raises(error):
            await drain(stream)


async def drain(stream: openai.AsyncStream[Any]) -> None:
    async for _ in stream:
        pass


async def test_an_answer_that_is_changed_is_still_one(passing: Passing) -> None:
    passing.arm("wrong_model")
    async with client(passing) as application:
        answer = await application.chat.completions.create(model=SONNET, messages=ASK, extra_headers=MARK)
    assert answer.model == "fallbackd/another-model"


async def test_retries_of_the_sdk_meet_a_fault_that_ends_by_its_count(passing: Passing) -> None:
    passing.arm("unavailable", max_count=2)
    async with client(passing, retries=2) as application:
        answer = await application.chat.completions.create(model=SONNET, messages=ASK, extra_headers=MARK)
    assert answer.choices[0].message.content
    assert [count for _, count in passing.gateway.rules.listed()] == [2]


async def test_without_retries_the_first_failure_is_the_applications(passing: Passing) -> None:
    passing.arm("unavailable", max_count=2)
    async with client(passing) as application:
        with pytest.raises(openai.InternalServerError):
            await application.chat.completions.create(model=SONNET, messages=ASK, extra_headers=MARK)
    assert [count for _, count in passing.gateway.rules.listed()] == [1]


async def test_traffic_without_the_mark_meets_no_fault(passing: Passing) -> None:
    passing.arm("unavailable")
    async with client(passing) as application:
        await application.chat.completions.create(model=SONNET, messages=ASK)
    assert [count for _, count in passing.gateway.rules.listed()] == [0]


async def test_live_traffic_is_broken_where_the_config_opts_in_and_never_counted(
    start: Start, sandbox: tuple[Sandbox, str]
) -> None:
    passing = await start(sandbox[1], live={"chat": {"percent": "100%"}})
    passing.arm("unavailable", live=True)
    async with client(passing) as application:
        with pytest.raises(openai.InternalServerError):
            await application.chat.completions.create(model=SONNET, messages=ASK)
    (outcome,) = await passing.told()
    assert (outcome.drill, outcome.reason) == ("gone", Reason.SERVER_ERROR)
