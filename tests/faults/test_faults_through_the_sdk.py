"""Every fault by every means that can do it, as the real OpenAI SDK sees it over real sockets.

The table is the promise of the README's: a pair that it marks as working must be seen here.
"""

from __future__ import annotations

from random import Random

import pytest

from chaos.faults import FAULTS
from chaos.faults.rate_limited_absurd import ABSURD
from chaos.injectors import INJECTORS
from tests.faults.sdk_stage import WAYS, by_gateway, seen, seen_blocking

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SEEN: dict[str, tuple[str, str]] = {
    "refused": ("APIConnectionError (RemoteProtocolError)",) * 2,
    "dns": ("APIConnectionError (ConnectError)",) * 2,
    "tls": ("APIConnectionError (ConnectError)",) * 2,
    "reset": ("APIConnectionError (ReadError)",) * 2,
    "slow_connect": ("words, stop, late",) * 2,
    "delay": ("words, stop, late",) * 2,
    "silent": ("APITimeoutError (ReadTimeout)",) * 2,
    "slow_first_token": ("words, stop, late",) * 2,
    "slow_chunks": ("words, stop", "words, stop, late"),
    "bandwidth": ("words, stop, late",) * 2,
    "unavailable": ("InternalServerError 503",) * 2,
    "status": ("InternalServerError 503",) * 2,
    "rate_limited": ("RateLimitError 429",) * 2,
    "rate_limited_unsaid": ("RateLimitError 429",) * 2,
    "rate_limited_absurd": ("RateLimitError 429",) * 2,
    "rate_limited_burst": ("RateLimitError 429",) * 2,
    "overloaded": ("InternalServerError 529",) * 2,
    "server_error": ("InternalServerError 500",) * 2,
    "bad_gateway": ("InternalServerError 502",) * 2,
    "gateway_timeout": ("InternalServerError 504",) * 2,
    "edge_timeout": ("InternalServerError 524",) * 2,
    "request_timeout": ("APIStatusError 408",) * 2,
    "unauthorized": ("AuthenticationError 401",) * 2,
    "out_of_credit": ("APIStatusError 402",) * 2,
    "forbidden": ("PermissionDeniedError 403",) * 2,
    "moderated": ("PermissionDeniedError 403",) * 2,
    "model_gone": ("NotFoundError 404",) * 2,
    "no_endpoint": ("NotFoundError 404",) * 2,
    "bad_request": ("BadRequestError 400",) * 2,
    "context_length": ("BadRequestError 400",) * 2,
    "too_large": ("APIStatusError 413",) * 2,
    "unprocessable": ("UnprocessableEntityError 422",) * 2,
    "reset_after_headers": ("APIConnectionError (ReadError)",) * 2,
    "stall": ("APITimeoutError (ReadTimeout)", "APITimeoutError (ReadTimeout) after 1 token"),
    "cut": ("APIConnectionError (RemoteProtocolError)", "APIConnectionError (RemoteProtocolError) after 1 token"),
    "truncated": ("JSONDecodeError", "a beginning, None"),
    "malformed": ("JSONDecodeError", "JSONDecodeError after 1 token"),
    "garbage": ("UnicodeDecodeError",) * 2,
    "html": ("a text: '<!DOCTYPE'", "'' by nobody, None"),
    "empty": ("JSONDecodeError", "'' by nobody, None"),
    "empty_content": ("'', stop",) * 2,
    "error_in_200": ("no choices, error 502", "APIError after 1 token"),
    "refusal": ("a refusal, stop",) * 2,
    "wrong_model": ("words by fallbackd/another-model, stop",) * 2,
    "wrong_answer": ("'I would rather not say.', stop",) * 2,
    "starved": ("'', length",) * 2,
    "tool_call_as_text": ("a tool call as text, stop",) * 2,
    "broken_tool_arguments": ("a tool call of bad JSON, tool_calls",) * 2,
    "broken_json": ("bad JSON, stop",) * 2,
    "blind": ("'There is no picture that I could see. ', stop",) * 2,
    "forgetful": ("'The text does not tell of it. ', stop",) * 2,
}
"""fault -> what a plain and what a streamed question get behind the gateway, or by the transport where the gateway
cannot do it."""
ELSEWHERE: dict[tuple[str, str], tuple[str, str]] = {
    ("refused", "transport"): ("APIConnectionError (ConnectError)",) * 2,
    ("refused", "sandbox"): ("InternalServerError 502",) * 2,
    ("dns", "sandbox"): ("InternalServerError 502",) * 2,
    ("tls", "sandbox"): ("InternalServerError 502",) * 2,
    ("reset", "sandbox"): ("InternalServerError 502",) * 2,
    ("silent", "sandbox"): ("APIStatusError 408",) * 2,
    ("slow_chunks", "sandbox"): ("words, stop, late",) * 2,
    ("reset_after_headers", "sandbox"): ("InternalServerError 502", "APIError"),
    ("stall", "sandbox"): ("APIStatusError 408", "TimeoutError after 1 token"),
    ("cut", "sandbox"): ("InternalServerError 502", "APIConnectionError (RemoteProtocolError) after 1 token"),
    ("truncated", "sandbox"): ("InternalServerError 502", "a beginning, None"),
    ("malformed", "sandbox"): ("InternalServerError 502", "JSONDecodeError after 1 token"),
    ("garbage", "sandbox"): ("InternalServerError 502",) * 2,
    ("html", "sandbox"): ("InternalServerError 502",) * 2,
    ("empty", "sandbox"): ("InternalServerError 502",) * 2,
    ("wrong_model", "sandbox"): ("words by sandbox/another-model, stop",) * 2,
}
"""(fault, means) -> where it shows otherwise: a router tries the next provider first, and words what it saw."""

BY = {"transport": INJECTORS["transport"].faults, "gateway": INJECTORS["gateway"].faults, "sandbox": FAULTS}
PAIRS = [(fault, by) for by, able in BY.items() for fault in able]


def expected(fault: str, by: str) -> tuple[str, str]:
    return ELSEWHERE.get((fault, by), SEEN[fault])


def test_the_table_knows_every_fault() -> None:
    assert set(SEEN) == set(FAULTS)


@pytest.mark.parametrize(("fault", "by"), PAIRS, ids=map(" by ".join, PAIRS))
async def test_a_fault_is_seen_by_the_application(fault: str, by: str) -> None:
    async with WAYS[by](fault, 0) as way:
        assert (await seen(way, fault, stream=False), await seen(way, fault, stream=True)) == expected(fault, by)
        assert way.met() == 2


@pytest.mark.parametrize("fault", BY["gateway"])
async def test_a_fault_is_the_same_for_a_client_that_blocks(fault: str) -> None:
    async with WAYS["gateway"](fault, 0) as way:
        assert await seen_blocking(way, fault) == SEEN[fault][0]


ERRORS = [fault for fault in BY["gateway"] if "Error" in SEEN[fault][0]]


@pytest.mark.parametrize("fault", ERRORS)
async def test_a_fault_is_the_same_for_a_question_with_tools(fault: str) -> None:
    async with WAYS["gateway"](fault, 0) as way:
        assert await seen(way, fault, stream=False, tools=True) == SEEN[fault][0]


RETRIED = ("APIConnectionError", "APITimeoutError", "InternalServerError", "RateLimitError", "APIStatusError 408")
"""What the SDK asks again by itself: no connection, no answer in time, 408, 409, 429 and 5xx."""


@pytest.mark.parametrize("fault", BY["gateway"])
async def test_the_sdk_asks_again_what_may_pass_and_nothing_else(fault: str) -> None:
    async with WAYS["gateway"](fault, 2) as way:
        told = await seen(way, fault, stream=False)
        if fault == "rate_limited_burst":  # it has cleared by the third time
            assert (told, way.met()) == ("words, stop", 2)
        elif fault != "rate_limited_absurd":  # whose waits are told apart below
            assert told == SEEN[fault][0]
            assert way.met() == (3 if told.startswith(RETRIED) else 1)


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        ("rate_limited", 30.0, 30.0),
        ("rate_limited_burst", 1.0, 1.0),
        ("rate_limited_unsaid", 0.1, 8.0),
        ("unavailable", 0.1, 8.0),
    ],
)
async def test_the_sdk_obeys_an_honest_retry_after_and_helps_itself_without_one(
    fault: str, least: float, most: float
) -> None:
    async with WAYS["gateway"](fault, 2) as way:
        await seen(way, fault, stream=False)
        assert len(way.application.waits) == 2
        assert all(least <= wait <= most for wait in way.application.waits)


def seed_of(absurd: str) -> int:
    """A seed with which the gateway asks to wait for that: it draws once for the rule before."""

    def drawn(seed: int) -> str:
        rng = Random(seed)
        rng.random()
        return rng.choice(ABSURD)

    return next(seed for seed in range(1000) if drawn(seed) == absurd)


@pytest.mark.parametrize("absurd", ABSURD)
async def test_the_sdk_gives_up_where_it_should_wait_for_years_and_overlooks_other_nonsense(absurd: str) -> None:
    async with by_gateway("rate_limited_absurd", 2, seed=seed_of(absurd), most=1) as way:
        told = await seen(way, "rate_limited_absurd", stream=False)
        assert told == ("RateLimitError 429" if absurd in ("315360000", "1e99") else "words, stop")
        assert all(wait <= 8.0 for wait in way.application.waits)


@pytest.mark.parametrize("by", ["transport", "gateway"])
async def test_an_answer_that_began_is_not_asked_for_again(by: str) -> None:
    async with WAYS[by]("cut", 2) as way:
        assert await seen(way, "cut", stream=True) == SEEN["cut"][1]
        assert way.met() == 1
