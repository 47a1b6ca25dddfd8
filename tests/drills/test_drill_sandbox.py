"""Drills end to end: the real runner, injectors, probes and sockets, against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from chaos.drills import resolve
from chaos.guard import GuardView
from chaos.model import Drill, Journal
from chaos.runner import Runner
from chaos.sandbox import Sandbox
from monitor.catalogue import read_catalogue
from monitor.clock import SystemClock
from monitor.config.model import AlertsFile, ChainConfig, Config, DrillConfig, EndpointConfig
from monitor.model import Health, Origin, Outcome, Path, ProbeSpec, Status, VerdictKind
from monitor.offering import Catalogue
from monitor.probes import Prober, specify
from monitor.transport import AioTransport

from .drill_samples import FLASH, MINI, SONNET

pytestmark = pytest.mark.anyio

LLAMA = "meta-llama/llama-3.3-70b-instruct"
TIMEOUT = "1500ms"
ALERTS = AlertsFile.model_validate(
    {
        "notifiers": [{"name": "log", "kind": "log"}],
        "routes": [{"notify": ["log"]}],
        "rules": [{"name": "down", "when": "chain_down"}],
    }
)


def chain_of(mode: str) -> dict[str, Any]:
    models = [("primary", SONNET), ("secondary", MINI), ("last-resort", FLASH)]
    targets = [{"label": label, "model": model, "timeout": TIMEOUT} for label, model in models]
    if mode == "provider":
        targets = [{"label": slug, "provider": slug, "timeout": TIMEOUT} for slug in ("groq", "together", "deepinfra")]
    return {
        "name": "chat",
        "endpoint": "sandbox",
        "mode": mode,
        "model": LLAMA if mode == "provider" else None,
        "targets": targets,
        "probes": [{"kind": "completion", "every": "60s", "first_token": "1s"}],
    }


class Hurried(SystemClock):
    """For the sandbox: its latencies shrunk, so that only what a drill adds takes time."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 20)


class Field:
    """One chain on a sandbox with everything that a drill needs; the guard knows what single probes found."""

    def __init__(self, url: str, mode: str, transport: AioTransport, **drill: Any) -> None:
        self.clock = SystemClock()
        self.chain = ChainConfig.model_validate(chain_of(mode))
        self.endpoint = EndpointConfig(dialect="openrouter", url=url)
        written = {"name": "d", "chain": "chat", "requests": 1, "max_duration": "20s"} | drill
        self.config = Config(
            endpoints={"sandbox": self.endpoint},
            chains=(self.chain,),
            drills=(DrillConfig.model_validate(written),),
            alerts=ALERTS,
            secrets={"endpoints/sandbox": SecretStr("any-key")},
        )
        (self.drill,) = resolve(self.config)
        self.transport = transport
        self.catalogue = Catalogue()
        self.health: dict[int, Health] = {}
        self.prober = Prober(
            config=self.config,
            transport=lambda _: transport,
            catalogue=lambda _: self.catalogue,
            clock=self.clock,
            rng=Random(3),
        )

    async def look(self) -> None:
        """What runs all day: the catalogue is read and every target is asked on its own."""
        models = [target.model for target in self.chain.all_targets()]
        self.catalogue = await read_catalogue(self.transport, self.endpoint, "any-key", models, self.clock)
        for target in self.chain.all_targets():
            outcome = await self.prober.probe(self.spec(target), origin=Origin.MANUAL)
            self.health[target.position] = Health.HEALTHY if outcome.status is Status.OK else Health.DOWN

    def spec(self, target: Any = None) -> ProbeSpec:
        kind = self.drill.kind if target is None else "completion"
        return specify(self.chain, self.chain.probes[0].model_copy(update={"kind": kind}), target)

    async def ask(self, drill: Drill, run: str, reshape: Any, wrap: Any) -> Outcome:
        return await self.prober.probe(self.spec(), origin=Origin.DRILL, drill=drill.name, reshape=reshape, wrap=wrap)

    async def run(self) -> Journal:
        runner = Runner(
            chains=lambda _: self.chain,
            ask=self.ask,
            view=lambda _: GuardView(health=Health.HEALTHY, targets=self.health),
            catalogue=lambda _: self.catalogue,
            clock=self.clock,
            rng=Random(5),
        )
        return await runner.run(self.drill, asked_by="a test")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(seed=1, clock=Hurried())
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with AioTransport() as made:
        yield made


@pytest.fixture
def field(sandbox: Sandbox, transport: AioTransport) -> Any:
    async def build(mode: str, **drill: Any) -> Field:
        made = Field(f"{sandbox.control_url}/api/v1", mode, transport, **drill)
        await made.look()
        return made

    return build


def told(journal: Journal) -> tuple[VerdictKind, Path | None, str | None]:
    return journal.verdict.kind, journal.verdict.path, journal.verdict.served_by


@pytest.mark.parametrize("fault", ["ignore", "unavailable", "only", "max_price"])
async def test_a_router_filters_the_broken_primary_of_a_server_chain(field: Any, fault: str) -> None:
    journal = await (await field("server", **{"with": fault})).run()
    assert told(journal) == (VerdictKind.PASSED, Path.FILTERED, "secondary"), journal.verdict.because
    assert (journal.injected, journal.verdict.edge) == (1, (0, 1))
    assert [outcome.path for outcome in (*journal.baseline, *journal.recovered)] == [Path.PRIMARY, Path.PRIMARY]


async def test_a_router_rejects_an_unknown_id_whole(field: Any) -> None:
    journal = await (await field("server", **{"with": "unknown-id"})).run()
    assert told(journal) == (VerdictKind.PASSED, Path.EXHAUSTED, None), journal.verdict.because
    assert journal.broken[0].status_code == 400


@pytest.mark.parametrize("fault", ["ignore", "only"])
async def test_a_router_filters_the_broken_provider_of_a_provider_chain(field: Any, fault: str) -> None:
    journal = await (await field("provider", **{"with": fault, "break": "groq"})).run()
    assert told(journal) == (VerdictKind.PASSED, Path.FILTERED, "together"), journal.verdict.because


@pytest.mark.parametrize(
    "fault",
    [
        "refused",
        "dns",
        "tls",
        "reset",
        "rate_limited",
        "unavailable",
        "server_error",
        "malformed",
        "html",
        "empty",
        "cut",
    ],
)
async def test_a_caller_fails_over_from_the_broken_primary_of_a_client_chain(field: Any, fault: str) -> None:
    journal = await (await field("client", **{"with": fault, "expect": {"path": "failed_over"}})).run()
    assert told(journal) == (VerdictKind.PASSED, Path.FAILED_OVER, "secondary"), journal.verdict.because
    assert journal.injected == 1
    assert [attempt.position for attempt in journal.broken[0].attempts] == [0, 1]


@pytest.mark.parametrize("fault", ["stall", "cut", "slow_first_token", "error_in_200"])
async def test_a_caller_fails_over_from_a_broken_stream(field: Any, fault: str) -> None:
    journal = await (await field("client", **{"with": fault, "kind": "stream"})).run()
    assert told(journal) == (VerdictKind.PASSED, Path.FAILED_OVER, "secondary"), journal.verdict.because


async def test_two_broken_targets_are_passed_over_to_the_third(field: Any) -> None:
    journal = await (await field("client", **{"with": "refused", "break": ["primary", "secondary"]})).run()
    assert told(journal) == (VerdictKind.PASSED, Path.FAILED_OVER, "last-resort"), journal.verdict.because
    assert journal.injected == 2


async def test_an_answer_that_comes_too_late_deviates(field: Any) -> None:
    journal = await (await field("client", **{"with": "silent", "expect": {"within": "100ms"}})).run()
    assert told(journal) == (VerdictKind.DEVIATED, Path.FAILED_OVER, "secondary")
    assert "later than the 100ms that the drill allows; primary was called, failed" in journal.verdict.because


async def test_a_primary_that_is_only_slow_is_not_passed_over(field: Any) -> None:
    journal = await (await field("client", **{"with": {"delay": {"seconds": "200ms"}}})).run()
    assert told(journal) == (VerdictKind.DEVIATED, Path.PRIMARY, "primary")
    assert "not by secondary (the break did not take it away)" in journal.verdict.because


async def test_a_real_outage_of_the_primary_is_no_time_for_a_drill(field: Any, sandbox: Sandbox) -> None:
    sandbox.break_(SONNET, None, "unavailable", {})
    journal = await (await field("server", **{"with": "ignore"})).run()
    assert journal.verdict.kind is VerdictKind.INCONCLUSIVE
    assert "primary is down for real" in journal.verdict.because
    assert journal.baseline == ()


async def test_an_outage_that_the_guard_has_not_seen_yet_shows_in_the_baseline(field: Any, sandbox: Sandbox) -> None:
    made = await field("server", **{"with": "ignore"})
    sandbox.break_(SONNET, None, "unavailable", {})
    journal = await made.run()
    assert journal.verdict.kind is VerdictKind.INCONCLUSIVE
    assert "not in its steady state" in journal.verdict.because
    assert journal.baseline[0].path is Path.FAILED_OVER
    assert journal.broken == ()


async def test_a_fallback_that_dies_unseen_deviates(field: Any, sandbox: Sandbox) -> None:
    made = await field("server", **{"with": "ignore"})
    sandbox.break_(MINI, None, "server_error", {})
    journal = await made.run()
    assert told(journal)[::2] == (VerdictKind.DEVIATED, "last-resort")
    assert "not by secondary" in journal.verdict.because


async def test_a_fallback_without_a_provider_of_its_own_is_not_drilled(field: Any) -> None:
    made = await field("server", **{"with": "ignore"})
    shared = made.catalogue.models[SONNET].offers
    made.catalogue = Catalogue(
        at=1.0,
        models={
            name: entry.__class__(id=entry.id, canonical=entry.canonical, price=entry.price, offers=shared)
            for name, entry in made.catalogue.models.items()
        },
    )
    journal = await made.run()
    assert "leaving them out would take both away" in journal.verdict.because
    assert journal.baseline == ()


async def test_a_cascade_moves_a_client_chain_on_target_by_target(field: Any) -> None:
    faults = [{"with": "overloaded"}, {"break": "secondary", "with": "refused", "after": 1}]
    journal = await (await field("client", faults=faults, requests=3, **{"with": None})).run()
    assert journal.verdict.kind is VerdictKind.PASSED, journal.verdict.because
    assert [outcome.served_by for outcome in journal.broken] == ["secondary", "last-resort", "last-resort"]
    assert journal.met == ((0,), (0, 1), (0, 1))
    assert (journal.verdict.fault, journal.verdict.edge) == ("overloaded+refused", (1, 2))


async def test_a_shape_lets_some_requests_of_a_server_chain_pass(field: Any) -> None:
    shaped = {"with": "ignore", "shape": {"every-nth": {"n": 2}}, "requests": 4}
    journal = await (await field("server", **shaped)).run()
    assert journal.verdict.kind is VerdictKind.PASSED, journal.verdict.because
    assert [outcome.served_by for outcome in journal.broken] == ["primary", "secondary"] * 2
    assert journal.met == ((), (0,), (), (0,))
    passed = next(event.text for event in journal.events if event.text.startswith("request 1 of 4"))
    assert passed.endswith("the fault did not meet it, since it is number 1, and the fault meets one in 2")


async def test_two_faults_on_one_target_strike_together(field: Any) -> None:
    faults = [{"with": {"delay": {"seconds": "200ms"}}}, {"with": "overloaded"}]
    journal = await (await field("client", faults=faults, **{"with": None})).run()
    assert journal.verdict.kind is VerdictKind.PASSED, journal.verdict.because
    (outcome,) = journal.broken
    assert outcome.attempts[0].status_code == 529
    assert outcome.attempts[0].duration >= 0.18
    assert journal.injected == 1
