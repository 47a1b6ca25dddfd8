"""Breaking and mending: what is broken for how long, from Python and over the control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chaos.faults import FAULTS
from chaos.sandbox import Sandbox
from chaos.sandbox.breaks import Breaks, UnknownNameError
from chaos.sandbox.catalogue import shipped
from chaos.shapes import SHAPES

from .conftest import LLAMA, MINI, SONNET, Caller

pytestmark = pytest.mark.anyio


class Time:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def made(now: Callable[[], float] | None = None) -> Breaks:
    return Breaks(shipped(), now or Time(), seed=1)


def status(breaks: Breaks, model: str, provider: str) -> int | None:
    effect = breaks.visit().strike(model, provider)
    return effect.error.status if effect and effect.error else None


def test_a_break_strikes_its_model_everywhere_or_at_one_provider() -> None:
    breaks = made()
    breaks.add(SONNET, None, "unavailable", {})
    breaks.add(LLAMA, "groq", "rate_limited", {})
    assert [status(breaks, SONNET, provider) for provider in ("anthropic", "amazon-bedrock")] == [503, 503]
    assert [status(breaks, LLAMA, provider) for provider in ("groq", "together")] == [429, None]
    assert status(breaks, MINI, "openai") is None


def test_the_more_exact_break_counts_and_a_second_one_replaces_the_first() -> None:
    breaks = made()
    breaks.add(LLAMA, None, "unavailable", {})
    breaks.add(LLAMA, "groq", "rate_limited", {})
    assert [status(breaks, LLAMA, provider) for provider in ("groq", "together")] == [429, 503]
    breaks.add(LLAMA, "groq", "status", {"code": 418})
    assert status(breaks, LLAMA, "groq") == 418
    assert len(breaks.all) == 2


def test_a_break_ends_at_its_deadline() -> None:
    now = Time()
    breaks = made(now)
    breaks.add(SONNET, None, "unavailable", {}, seconds=30)
    now.at += 29.9
    assert status(breaks, SONNET, "anthropic") == 503
    now.at += 0.1
    assert status(breaks, SONNET, "anthropic") is None
    assert breaks.all == ()
    assert breaks.mend() == 0


def test_a_break_ends_after_its_count_of_requests_however_many_providers_each_meets() -> None:
    breaks = made()
    breaks.add(SONNET, None, "unavailable", {}, count=2)
    for _ in range(2):
        visit = breaks.visit()
        assert all(visit.strike(SONNET, provider) for provider in ("anthropic", "amazon-bedrock", "google-vertex"))
    assert status(breaks, SONNET, "anthropic") is None


def test_a_break_with_a_shape_meets_some_requests_each_with_all_of_its_providers() -> None:
    breaks = made()
    breaks.add(SONNET, None, "unavailable", {}, shape="every_nth", shape_options={"n": 2})
    for struck in (False, True, False, True):
        visit = breaks.visit()
        seen = [visit.strike(SONNET, provider) is not None for provider in ("anthropic", "amazon-bedrock")]
        assert seen == [struck, struck]


def test_only_requests_that_met_a_break_use_its_count_up() -> None:
    breaks = made()
    breaks.add(SONNET, None, "unavailable", {}, shape="every_nth", shape_options={"n": 2}, count=1)
    assert [status(breaks, SONNET, "anthropic") for _ in range(4)] == [None, 503, None, None]
    assert breaks.all == ()


def test_a_break_flaps_by_the_clock_and_ends_at_its_time() -> None:
    now = Time()
    breaks = made(now)
    flapping = {"down": 10.0, "up": 5.0}
    breaks.add(SONNET, None, "unavailable", {}, shape="flapping", shape_options=flapping, seconds=30)
    seen = []
    for at in (0, 9, 11, 14, 16, 29, 31):
        now.at = 1000.0 + at
        seen.append(status(breaks, SONNET, "anthropic"))
    assert seen == [503, 503, None, None, 503, None, None]


def test_a_fault_with_a_shape_of_its_own_has_it_unless_another_is_given() -> None:
    breaks = made()
    assert breaks.add(SONNET, None, "rate_limited_burst", {}).shape == "first_n"
    assert [status(breaks, SONNET, "anthropic") for _ in range(3)] == [429, 429, None]
    assert breaks.add(SONNET, None, "rate_limited_burst", {}, shape="always").shape == "always"


@pytest.mark.parametrize(
    ("model", "provider", "mended", "left"),
    [
        (None, None, 3, set()),
        (LLAMA, None, 2, {(SONNET, None)}),
        (LLAMA, "groq", 1, {(SONNET, None), (LLAMA, "together")}),
        (None, "groq", 1, {(SONNET, None), (LLAMA, "together")}),
        (MINI, None, 0, {(SONNET, None), (LLAMA, "groq"), (LLAMA, "together")}),
    ],
)
def test_mending_ends_what_it_names(model: str | None, provider: str | None, mended: int, left: set[Any]) -> None:
    breaks = made()
    for place in ((SONNET, None), (LLAMA, "groq"), (LLAMA, "together")):
        breaks.add(*place, "unavailable", {})
    assert breaks.mend(model, provider) == mended
    assert {(one.model, one.provider) for one in breaks.all} == left


def test_a_model_may_be_named_by_its_dated_slug() -> None:
    breaks = made()
    breaks.add("openai/gpt-5-mini-2025-08-07", None, "unavailable", {})
    assert breaks.all[0].model == MINI


UNKNOWN: dict[str, tuple[tuple[str, str | None, str], str]] = {
    "model": (
        ("openai/gpt5-mini", None, "refused"),
        '"openai/gpt5-mini" is no model; did you mean "openai/gpt-5-mini"?',
    ),
    "provider": (
        (LLAMA, "grok", "refused"),
        f'"grok" is no provider of {LLAMA}; did you mean "groq"?',
    ),
    "provider far from all": (
        (MINI, "x", "refused"),
        f'"x" is no provider of {MINI}; choose one of openai, azure',
    ),
    "fault": ((MINI, None, "rate_limit"), '"rate_limit" is no fault; did you mean "rate_limited"?'),
    "provider of the front door": (
        ("*", "openai", "refused"),
        '"openai" is no place to break: the front door has no providers',
    ),
}


@pytest.mark.parametrize(("place", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_name_gets_a_hint(place: tuple[str, str | None, str], message: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        made().add(*place, {})
    assert str(raised.value) == message


async def test_the_control_api_breaks_lists_and_mends(sandbox: Sandbox, caller: Caller) -> None:
    broken = {"model": LLAMA, "provider": "groq", "with": "rate_limited", "options": {"retry_after": 7}, "seconds": 60}
    answer = await caller.control("POST", "/breaks", broken)
    assert answer.status == 201
    assert {"model": LLAMA, "provider": "groq", "fault": "rate_limited", "left": None}.items() <= answer.body.items()
    assert answer.body["options"] == {"retry_after": 7}
    assert (await caller.control("GET", "/breaks")).body["breaks"] == [answer.body]
    assert [one.fault for one in sandbox.breaks] == ["rate_limited"]
    seen = await caller.complete(models=[LLAMA], provider={"only": ["groq"]})
    assert (seen.status, seen.headers["retry-after"]) == (429, "7")
    assert (await caller.control("DELETE", f"/breaks?model={LLAMA}&provider=together")).body == {"mended": 0}
    assert (await caller.control("DELETE", f"/breaks?model={LLAMA}")).body == {"mended": 1}
    assert (await caller.complete(models=[LLAMA], provider={"only": ["groq"]})).status == 200


async def test_the_control_api_works_while_the_front_door_is_broken(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.break_("*", None, "unavailable")
    assert (await caller.get("/models")).status == 503
    assert (await caller.control("DELETE", "/breaks")).body == {"mended": 1}
    assert (await caller.get("/models")).status == 200


async def test_the_control_api_lists_every_fault_with_its_options(caller: Caller) -> None:
    found = {one["name"]: one for one in (await caller.control("GET", "/faults")).body["faults"]}
    assert set(found) == set(FAULTS)
    shapes = {one["name"]: one for one in (await caller.control("GET", "/faults")).body["shapes"]}
    assert set(shapes) == set(SHAPES)
    assert found["rate_limited"]["options"]["retry_after"] == {
        "unit": "seconds",
        "default": 30,
        "low": 0,
        "high": 3600,
    }
    assert found["refused"]["meaning"] == "the connection is refused"


BAD: dict[str, tuple[Any, int, str]] = {
    "no object": (["x"], 422, "write a JSON object of model, provider, with, options, seconds, count"),
    "unknown key": ({"modle": SONNET}, 422, "unknown: modle; known are"),
    "no fault": ({"model": SONNET}, 422, '"model" and "with" are needed, as text'),
    "odd provider": ({"model": SONNET, "with": "cut", "provider": 5}, 422, "provider: a slug, as text"),
    "odd options": ({"model": SONNET, "with": "cut", "options": [1]}, 422, "options: an object of numbers"),
    "odd option": ({"model": SONNET, "with": "cut", "options": {"after": "1"}}, 422, "after of cut is not a number"),
    "unknown option": ({"model": SONNET, "with": "cut", "options": {"aftr": 1}}, 422, 'cut has no option "aftr"'),
    "no time": ({"model": SONNET, "with": "cut", "seconds": 0}, 422, "seconds: a number above 0"),
    "endless time": ({"model": SONNET, "with": "cut", "seconds": float("nan")}, 422, "seconds: a number above 0"),
    "half a request": ({"model": SONNET, "with": "cut", "count": 1.5}, 422, "count: a whole number"),
    "unknown model": ({"model": "x", "with": "cut"}, 404, '"x" is no model'),
    "unknown shape": ({"model": SONNET, "with": "cut", "shape": "flap"}, 404, '"flap" is no shape; did you mean'),
    "odd shape": ({"model": SONNET, "with": "cut", "shape": 3}, 422, "shape: a name, as text"),
    "odd option of a shape": (
        {"model": SONNET, "with": "cut", "shape": "every_nth", "shape_options": {"n": 0}},
        422,
        "n of every_nth is 0, but must be from 1 to 10000",
    ),
    "unknown fault": ({"model": SONNET, "with": "cutt"}, 404, '"cutt" is no fault; did you mean "cut"?'),
}


@pytest.mark.parametrize(("body", "status", "message"), BAD.values(), ids=BAD)
async def test_the_control_api_refuses_with_a_sentence(
    caller: Caller, sandbox: Sandbox, body: Any, status: int, message: str
) -> None:
    answer = await caller.control("POST", "/breaks", body)
    assert answer.status == status
    assert answer.body["error"]["message"].startswith(message)
    assert sandbox.breaks == ()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/breaks", 422),
        ("DELETE", "/breaks?model=x", 404),
        ("GET", "/requests?limit=-1", 422),
        ("GET", "/requests?limit=²", 422),
        ("PUT", "/breaks", 405),
        ("GET", "/nothing", 404),
    ],
)
async def test_the_control_api_answers_in_json_whatever_comes(
    caller: Caller, method: str, path: str, status: int
) -> None:
    answer = await caller.control(method, path)
    assert answer.status == status
    assert answer.body["error"]["message"]


async def test_requests_are_remembered_without_their_key(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.break_(SONNET, None, "unavailable")
    await caller.complete(models=[SONNET, MINI], provider={"order": ["anthropic", "openai"]}, key="sk-secret-key")
    await caller.get("/models?q=gpt")
    await caller.complete(model="no/such")
    answer = await caller.control("GET", "/requests?limit=2")
    assert [one["path"] for one in answer.body["requests"]] == ["/api/v1/models?q=gpt", "/api/v1/chat/completions"]
    assert answer.body["requests"][1]["answered"] == {"status": 400}
    first = (await caller.control("GET", "/requests")).body["requests"][0]
    assert (first["method"], first["body"]["models"]) == ("POST", [SONNET, MINI])
    assert first["answered"]["status"] == 200
    assert (first["answered"]["model"], first["answered"]["provider"]) == ("openai/gpt-5-mini-2025-08-07", "OpenAI")
    assert [(one["provider"], one["status"]) for one in first["answered"]["attempts"]][::3] == [
        ("anthropic", 503),
        ("openai", 200),
    ]
    assert "sk-secret-key" not in str(sandbox.requests)


async def test_any_body_can_be_remembered_and_shown(sandbox: Sandbox, caller: Caller) -> None:
    url, headers = f"{caller.base}/chat/completions", {"Authorization": "Bearer k"}
    for data in (
        b"[" * 700 + b"]" * 700,
        b'{"x": "\\ud800", "y": NaN, "z": 1e999}',
        b"x" * 100,
        b'"' + b"x" * 70_000 + b'"',
    ):
        async with caller.session.post(url, data=data, headers=headers) as reply:
            assert reply.status == 400
    answer = await caller.control("GET", "/requests")
    assert answer.status == 200
    assert [one["body"] for one in answer.body["requests"]][2:] == [None, "70002 bytes"]
