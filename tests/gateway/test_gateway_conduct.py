"""What the gateway sees of clients: the OpenAI SDK with its retries on and off, and applications that do it wrong."""

from __future__ import annotations

from typing import Any

import anyio
import openai
import pytest
from openai import AsyncOpenAI

from chaos.conduct import conduct
from chaos.gateway.watches import Watch
from chaos.passing import Call, calls_of
from chaos.plans import ClientPlan
from chaos.sandbox import Sandbox
from monitor.clock import SystemClock
from monitor.model import Misdeed
from tests.gateway.conftest import KEY, MINI, SONNET, Passing, Start

pytestmark = pytest.mark.anyio

PLAN = ClientPlan(attempts=4, backoff=0.2, amplification=4.0)


@pytest.fixture
async def watched(start: Start, sandbox: tuple[Sandbox, str]) -> Passing:
    passing = await start(sandbox[1], live={"chat": {"percent": "100%"}})
    passing.gateway.watches.begin(Watch(run="run-1", chain="chat", until=SystemClock().now() + 300))
    return passing


async def calls(passing: Passing, exchanges: int) -> tuple[Call, ...]:
    """The calls, once so many exchanges were read."""
    with anyio.fail_after(30):
        while True:
            found = passing.gateway.watches.passed("run-1", 0)
            assert found is not None
            if found[0] >= exchanges:
                return calls_of(found[1])
            await anyio.sleep(0.01)


def client(passing: Passing, retries: int) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=passing.base, api_key=KEY, max_retries=retries, timeout=20)


async def ask(application: AsyncOpenAI, text: str, *models: str) -> str | None:
    """The answer of the first model that gives one."""
    for model in models:
        try:
            found = await application.chat.completions.create(model=model, messages=[{"role": "user", "content": text}])
        except openai.APIError:
            continue
        return found.choices[0].message.content
    return None


def misdeeds(found: tuple[Call, ...]) -> set[Misdeed]:
    return {one.misdeed for one in conduct(found, PLAN)}


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (2, 3)])
async def test_the_sdks_own_retries_are_one_call_and_moving_on_belongs_to_it(
    watched: Passing, retries: int, attempts: int
) -> None:
    watched.arm("server_error", live=True)
    async with client(watched, retries) as application:
        assert await ask(application, "one", SONNET, MINI)
        assert await ask(application, "two", SONNET, MINI)
    found = await calls(watched, 2 * (attempts + 1))
    assert [len(call.exchanges) for call in found] == [attempts + 1] * 2
    assert all(call.met and call.fell_back and call.ok for call in found)
    assert [one.retry for one in found[0].exchanges] == [*range(attempts), 0]
    assert misdeeds(found) == set()


async def test_the_sdk_waits_as_long_as_it_is_told_and_repeats_nothing_that_is_final(watched: Passing) -> None:
    watched.arm("rate_limited", live=True, options={"retry_after": 1.0}, max_count=1)
    async with client(watched, 2) as application:
        assert await ask(application, "patience", SONNET)
        watched.gateway.rules.release_all()
        watched.arm("unauthorized", live=True)
        assert await ask(application, "final", SONNET) is None
    found = await calls(watched, 3)
    assert [len(call.exchanges) for call in found] == [2, 1]
    assert found[0].exchanges[0].retry_after == 1.0
    assert misdeeds(found) == {Misdeed.NEVER_FELL_BACK}


async def test_a_client_without_patience_is_found_out(watched: Passing) -> None:
    watched.arm("rate_limited", live=True, options={"retry_after": 30.0})
    async with client(watched, 0) as application:
        assert await ask(application, "now", *[SONNET] * 9) is None
    found = await calls(watched, 9)
    assert len(found) == 1
    assert misdeeds(found) == {
        Misdeed.IGNORED_RETRY_AFTER, Misdeed.TOO_MANY_ATTEMPTS, Misdeed.NO_BACKOFF, Misdeed.NEVER_FELL_BACK,
        Misdeed.RETRY_STORM,
    }  # fmt: skip


@pytest.mark.parametrize("careful", [True, False])
async def test_a_stream_that_breaks_off_is_a_torso_unless_the_client_asks_on(watched: Passing, careful: bool) -> None:
    watched.arm("cut", live=True, options={"after": 1.0})

    async def stream(application: AsyncOpenAI, model: str) -> None:
        message: Any = [{"role": "user", "content": "tell"}]
        async for _ in await application.chat.completions.create(model=model, messages=message, stream=True):
            pass

    async with client(watched, 0) as application:
        with pytest.raises(openai.APIError):
            await stream(application, SONNET)
        if careful:
            await stream(application, MINI)
    found = await calls(watched, 1 + careful)
    assert len(found) == 1
    assert misdeeds(found) == (set() if careful else {Misdeed.TOOK_A_TORSO})


async def test_questions_at_the_same_time_are_calls_of_their_own(watched: Passing) -> None:
    watched.arm("server_error", live=True)
    async with client(watched, 1) as application, anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(ask, application, f"question {number}", SONNET, MINI)
    found = await calls(watched, 24)
    assert [len(call.exchanges) for call in found] == [3] * 8
    assert misdeeds(found) == set()


async def test_equal_questions_are_told_apart_by_the_name_of_the_call(watched: Passing) -> None:
    message: Any = [{"role": "user", "content": "ping"}]

    async def named(application: AsyncOpenAI, name: str) -> None:
        headers = {"X-Fallbackd-Call": name}
        await application.chat.completions.create(model=SONNET, messages=message, extra_headers=headers)

    async with client(watched, 0) as application, anyio.create_task_group() as tasks:
        for name in ("a", "b", "a"):
            tasks.start_soon(named, application, name)
    assert len(await calls(watched, 3)) == 3  # the second "a" is no retry: the first had its answer, or was under way
