"""The record of an answer is looked up when the answer names no attempts: later, and behind the watching."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from monitor.config.model import AlertsFile, ChainConfig, Config, EndpointConfig
from monitor.generations import MOST_WAITING, TRIES, Generations, attempts_of, explained, is_unexplained
from monitor.model import Attempt, Outcome, Path, Reason, Status
from monitor.offering import Catalogue
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, outcome

pytestmark = pytest.mark.anyio

CHAT = ChainConfig.model_validate(
    {
        "name": "chat",
        "endpoint": "router",
        "mode": "server",
        "targets": [{"label": "primary", "model": "a/one"}, {"label": "secondary", "model": "b/two"}],
        "probes": [{"kind": "completion", "every": "60s"}],
    }
)
CONFIG = Config(
    endpoints={"router": EndpointConfig(dialect="openrouter", url="http://router/api/v1/", headers={"X-Team": "t"})},
    chains=(CHAT,),
    drills=(),
    alerts=AlertsFile.model_validate(
        {
            "notifiers": [{"name": "log", "kind": "log"}],
            "routes": [{"notify": ["log"]}],
            "rules": [{"name": "r", "when": "chain_down"}],
        }
    ),
)
FAILED = {"provider_name": "X", "model_permaslug": "a/one-20260101", "status": 503, "latency": 120}
GOOD = {"provider_name": "Z", "model_permaslug": "b/two", "status": 200, "latency": 80}


def fell_back(**changed: Any) -> Outcome:
    base: dict[str, Any] = {
        "id": "o1",
        "path": Path.FELL_BACK,
        "served_by": "secondary",
        "position": 1,
        "model": "b/two",
        "served_provider": "Z",
        "generation": "gen-1",
        "detail": "Z answered; the endpoint does not say",
    }
    return outcome(**{**base, **changed})


def record(*responses: dict[str, Any]) -> dict[str, Any]:
    return {"id": "gen-1", "model": "b/two", "provider_name": "Z", "provider_responses": list(responses)}


class Stage:
    """Generations on a clock that is moved by hand, before an endpoint that answers as it is told."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.clock = FakeClock(NOW)
        self.asked: list[httpx.Request] = []
        self.amended: list[Outcome] = []
        self.learned: list[Outcome] = []
        self.results: list[str] = []

        def heard(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return answer(request)

        transport = httpx.MockTransport(heard)
        self.generations = Generations(
            config=CONFIG,
            transport=lambda _: transport,
            catalogue=lambda _: Catalogue(),
            knowledge=SimpleNamespace(amend=self.learned.append),
            metrics=SimpleNamespace(generation_looked_up=self.results.append),
            store=SimpleNamespace(amend_outcome=self.amended.append),
            clock=self.clock,
        )

    async def settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        await self.settle()
        self.clock.advance(seconds)
        await self.settle()


def says(*statuses: int, body: dict[str, Any] | None = None) -> Callable[[httpx.Request], httpx.Response]:
    left = list(statuses)

    def answer(_: httpx.Request) -> httpx.Response:
        status = left.pop(0) if left else 404
        return httpx.Response(status, content=json.dumps({"data": body or {}}) if status == 200 else b"{}")

    return answer


async def test_a_record_that_comes_late_tells_failed_over_from_filtered() -> None:
    stage = Stage(says(404, 200, body=record(FAILED, GOOD)))
    stage.generations.notice(fell_back())
    await stage.pass_by(4.9)
    assert stage.asked == [], "not before its time"
    await stage.pass_by(0.2)
    assert len(stage.asked) == 1
    await stage.pass_by(5.0)
    (amended,) = stage.amended
    assert stage.learned == [amended]
    assert (amended.id, amended.path, amended.status) == ("o1", Path.FAILED_OVER, Status.OK)
    assert [(one.position, one.status_code, one.duration) for one in amended.attempts] == [
        (0, 503, 0.12),
        (1, 200, 0.08),
    ]
    assert amended.detail == "503 from X; moved on to b/two at Z (200) (from the record of the answer)"
    assert stage.results == ["found"]
    assert str(stage.asked[0].url) == "http://router/api/v1/generation?id=gen-1"
    assert stage.asked[0].headers["x-team"] == "t"


async def test_a_record_that_never_comes_is_given_up_after_the_last_try() -> None:
    stage = Stage(says())
    stage.generations.notice(fell_back())
    for _ in range(10):
        await stage.pass_by(5.0)
    assert len(stage.asked) == len(TRIES)
    assert (stage.results, stage.amended) == (["not_found"], [])


@pytest.mark.parametrize(
    ("statuses", "body", "result"),
    [((500, 500, 500), None, "failed"), ((200,), record(), "silent"), ((401, 401, 200), record(GOOD), "found")],
)
async def test_how_a_look_up_ends(statuses: tuple[int, ...], body: dict[str, Any] | None, result: str) -> None:
    stage = Stage(says(*statuses, body=body))
    stage.generations.notice(fell_back())
    for _ in range(5):
        await stage.pass_by(5.0)
    assert stage.results == [result]


async def test_what_waits_at_a_stop_is_looked_up_at_once() -> None:
    stage = Stage(says(200, body=record(GOOD)))
    stage.generations.notice(fell_back())
    await stage.settle()
    await stage.generations.drain(1.0)
    assert [one.path for one in stage.amended] == [Path.FILTERED]
    stage.generations.notice(fell_back())
    await stage.settle()
    assert len(stage.asked) == 1, "and nothing new is begun"


async def test_what_hangs_at_a_stop_is_given_up() -> None:
    stage = Stage(says())
    hold = asyncio.Event()

    async def hang(_: Outcome) -> tuple[str, None]:
        await hold.wait()
        raise AssertionError

    stage.generations._read = hang  # type: ignore[method-assign, assignment]
    stage.generations.notice(fell_back())
    await stage.settle()
    await stage.generations.drain(0.01)
    assert not stage.generations._waiting


async def test_a_flood_is_counted_and_left_out() -> None:
    stage = Stage(says())
    for _ in range(MOST_WAITING + 3):
        stage.generations.notice(fell_back())
    assert stage.results == ["dropped"] * 3
    await stage.generations.drain(0.0)


@pytest.mark.parametrize(
    ("of", "wanted"),
    [
        (fell_back(), True),
        (fell_back(path=Path.PRIMARY, served_by="primary"), True),
        (fell_back(path=Path.EXHAUSTED, status=Status.FAILED), True),
        (fell_back(attempts=(Attempt(model="b/two", status_code=200),)), False),
        (fell_back(generation=None), False),
        (fell_back(target="primary"), False),
        (fell_back(chain="gone"), False),
    ],
)
def test_what_is_looked_up(of: Outcome, wanted: bool) -> None:
    assert is_unexplained(of, CONFIG) is wanted


RECORDS: list[tuple[str, Outcome, dict[str, Any], Path | None, str]] = [
    ("failed over", fell_back(), record(FAILED, GOOD), Path.FAILED_OVER, "503 from X; moved on to"),
    ("filtered", fell_back(), record(GOOD), Path.FILTERED, "a/one was left out before any call"),
    (
        "the primary",
        fell_back(path=Path.PRIMARY, model="a/one", served_provider="X", served_by="primary", position=0),
        record({**FAILED, "status": 200}),
        Path.PRIMARY,
        "answered by a/one at X",
    ),
    (
        "nobody said who",
        fell_back(path=None, model=None, served_provider=None, served_by=None, position=None),
        record(FAILED, GOOD),
        Path.FAILED_OVER,
        "503 from X; moved on to",
    ),
    (
        "a refusal that says nothing of the chain",
        fell_back(path=None, served_by=None, status=Status.ERROR, reason=Reason.UNAUTHORIZED, detail="401"),
        record({**GOOD, "status": 401}),
        None,
        "401",
    ),
    (
        "nobody",
        fell_back(path=Path.EXHAUSTED, model=None, status=Status.FAILED, reason=Reason.OVERLOADED, detail="503"),
        record(FAILED, {**FAILED, "status": 429}),
        Path.EXHAUSTED,
        "503; 503 from X, 429 from X",
    ),
]


@pytest.mark.parametrize(("of", "found", "path", "says"), [row[1:] for row in RECORDS], ids=[row[0] for row in RECORDS])
def test_what_a_record_shows(of: Outcome, found: dict[str, Any], path: Path | None, says: str) -> None:
    amended = explained(of, found, attempts_of(found), CHAT, Catalogue())
    assert amended.path is path
    assert amended.detail.startswith(says)
    assert (amended.status, amended.reason, amended.cost) == (of.status, of.reason, of.cost)


@pytest.mark.parametrize("responses", [None, "x", [None, 3, {}], [{"provider_name": "X"}]])
def test_a_record_without_attempts_says_nothing(responses: Any) -> None:
    assert attempts_of({"provider_responses": responses}) == ()
