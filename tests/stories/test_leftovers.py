"""What stands in a gateway without a drill of ours: found over its real control, taken away where it is surely over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from chaos.gateway import Gateway, Rule
from chaos.injectors import Reach
from chaos.model import Strike
from monitor.clock import SystemClock
from monitor.conditions import ActiveFault, Itself, World, evaluate
from monitor.config.model import RuleConfig
from monitor.leftovers import Leftovers
from monitor.offering import Catalogue
from tests.fakes.clock import FakeClock
from tests.gateway.conftest import config

pytestmark = pytest.mark.anyio

STUCK = RuleConfig(name="stuck", when="fault_stuck")


@dataclass
class Drills:
    begun: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    faults: tuple[ActiveFault, ...] = ()

    def has_ended(self, run: str) -> bool:
        return run in self.ended


@dataclass
class Gauge:
    values: dict[tuple[str, ...], bool] = field(default_factory=dict)

    def set_fault(self, *labels: str, active: bool) -> None:
        self.values[labels] = active


@dataclass
class Scene:
    gateway: Gateway
    clock: FakeClock
    drills: Drills = field(default_factory=Drills)
    gauge: Gauge = field(default_factory=Gauge)
    reach: Reach | None = None

    def __post_init__(self) -> None:
        control = self.gateway.control_url
        self.reach = Reach(url=self.gateway.url, control=control, chains=frozenset({"chat"}))
        parts: dict[str, Any] = {"drilling": self.drills, "metrics": self.gauge, "clock": self.clock}
        self.leftovers = Leftovers(reach=lambda: self.reach, **parts)

    def arm(self, run: str, *, lasts: float = 60.0) -> None:
        strikes = tuple(Strike(positions=(0,), fault=fault) for fault in ("delay", "unavailable"))
        until = SystemClock().now() + lasts
        self.gateway.rules.arm(
            Rule(id=run, chain="chat", drill="gone", run=run, strikes=strikes, until=until, max_count=9)
        )

    async def look(self) -> list[str]:
        await self.leftovers.look()
        return [f"{one.run} {one.fault}" for one in self.leftovers.faults]

    def stuck(self) -> list[str]:
        world = World(itself=Itself(faults=self.leftovers.faults))
        return [one.title for one in evaluate((STUCK,), world, self.clock.now())]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = config("http://127.0.0.1:9/v1")
    assert made.gateway is not None
    gateway = Gateway(made, made.gateway, told=lambda _: None, catalogue=lambda _: Catalogue(), clock=SystemClock())
    await gateway.start()
    yield Scene(gateway, FakeClock(SystemClock().now()))
    await gateway.stop()


def gauged(active: bool) -> dict[tuple[str, ...], bool]:
    return {("chat", "gone", fault, "gateway"): active for fault in ("delay", "unavailable")}


async def test_a_fault_of_a_daemon_that_was_killed_is_shown_until_it_ends_by_itself(scene: Scene) -> None:
    scene.arm("of-before")
    assert await scene.look() == ["of-before delay", "of-before unavailable"]
    assert scene.gauge.values == gauged(True)
    assert scene.stuck() == []  # it may still come to its own end
    scene.gateway.rules.release_all()
    assert await scene.look() == []
    assert scene.gauge.values == gauged(False)


async def test_a_fault_of_a_drill_that_is_under_way_is_none(scene: Scene) -> None:
    scene.drills.begun = ("now",)
    scene.arm("now")
    assert await scene.look() == []
    assert scene.gateway.rules
    assert scene.gauge.values == {}


async def test_a_fault_whose_drill_is_over_is_taken_away(scene: Scene) -> None:
    scene.drills.ended = ("over",)
    scene.arm("over")
    scene.arm("of-before")
    assert await scene.look() == ["of-before delay", "of-before unavailable"]
    assert [rule.run for rule, _ in scene.gateway.rules.listed()] == ["of-before"]


async def test_a_gateway_that_does_not_let_go_is_told_of(scene: Scene) -> None:
    scene.drills.ended = ("over",)
    scene.arm("over", lasts=3000.0)
    scene.gateway.rules.release = lambda _: False  # type: ignore[method-assign]  # a bug
    for passed, expected in ((0.0, 0), (9.0, 0), (2.0, 2), (10.0, 2)):
        scene.clock.advance(passed)
        assert await scene.look() == ["over delay", "over unavailable"]
        assert len(scene.stuck()) == expected
    del scene.gateway.rules.release
    assert await scene.look() == []
    assert scene.stuck() == []


async def test_a_fault_past_its_own_end_is_told_of_whoever_put_it_there(scene: Scene) -> None:
    scene.arm("of-before", lasts=30.0)
    scene.gateway.rules.release = lambda _: False  # type: ignore[method-assign]  # a bug
    scene.clock.advance(39.0)
    assert await scene.look() == ["of-before delay", "of-before unavailable"]
    assert scene.stuck() == []
    scene.clock.advance(2.0)
    assert len(scene.stuck()) == 2


async def test_where_no_gateway_is_left_no_fault_is(scene: Scene) -> None:
    scene.arm("of-before")
    await scene.look()
    await scene.gateway.stop()
    assert await scene.look() == []
    assert scene.gauge.values == gauged(False)


async def test_a_config_without_a_gateway_has_no_leftovers(scene: Scene) -> None:
    scene.arm("of-before")
    await scene.look()
    scene.reach = None
    assert await scene.look() == []


@pytest.mark.parametrize("body", ["<html>", "[]", '{"rules": 3}'])
async def test_what_a_gateway_does_not_say_stays_as_it_was(scene: Scene, body: str) -> None:
    scene.arm("of-before")
    before = await scene.look()
    app = web.Application()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body)

    app.router.add_get("/rules", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    scene.reach = Reach(url=url, control=url, chains=frozenset({"chat"}))
    assert await scene.look() == before
    await runner.cleanup()


@pytest.mark.parametrize("rule", [3, {}, {"id": "x", "chain": "chat", "drill": "d", "run": "r", "until": 1e12}])
async def test_what_is_no_rule_is_passed_over(scene: Scene, rule: object) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"rules": [rule]})

    app = web.Application()
    app.router.add_get("/rules", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    scene.reach = Reach(url=url, control=url, chains=frozenset({"chat"}))
    assert await scene.look() == []
    await runner.cleanup()
