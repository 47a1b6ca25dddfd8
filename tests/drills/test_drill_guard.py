"""The guard: every refusal of the safety rules, with its sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.guard import GuardView, Refusal, Running, permit
from chaos.model import Drill, Expect, Phase
from monitor.model import Health

from .drill_samples import chain, drill

GOOD = GuardView(health=Health.HEALTHY, targets=dict.fromkeys(range(3), Health.HEALTHY))
REJECTED = Expect(served_by=None, within=1.0, rejected=True)
OTHER = Running(
    run="r0",
    drill=drill(name="other-drill", chain="other"),
    asked_by="schedule",
    started=0.0,
    phase=Phase.INJECT,
    providers=frozenset({"anthropic"}),
)


def with_targets(**health: Health) -> GuardView:
    positions = {"primary": 0, "secondary": 1, "last_resort": 2}
    return replace(GOOD, targets=dict(GOOD.targets) | {positions[name]: value for name, value in health.items()})


def decide(view: GuardView = GOOD, one: Drill | None = None, **facts: Any) -> Any:
    usual = {"stopped": None, "running": (), "providers": frozenset({"anthropic"}), "requests": 8}
    return permit(one or drill(), chain(), view, **(usual | facts))


REFUSALS = [
    (
        "stopped",
        {"stopped": "ordered by ops"},
        Refusal.STOPPED,
        "all drills are stopped until they are released: ordered by ops",
    ),
    (
        "the chain is down",
        {"view": replace(GOOD, health=Health.DOWN)},
        Refusal.CHAIN_DOWN,
        "chat is down for real, so nothing may be broken on purpose",
    ),
    (
        "a fallback that is up but unfit",
        {"view": replace(GOOD, lacks={0: ("vision",), 1: ("tools", "structured")}, incidents=("chain_degraded",))},
        Refusal.UNFIT_FALLBACK,
        "secondary, which is to answer, is up but unfit: missing_capability (tools, structured)",
    ),
    (
        "an open incident",
        {"view": replace(GOOD, incidents=("drill_deviated", "burn_rate", "chain_degraded", "burn_rate"))},
        Refusal.OPEN_INCIDENT,
        "chat has an open incident (burn_rate, chain_degraded)",
    ),
    (
        "trouble that is no incident yet",
        {"view": replace(GOOD, pending=("edge_unproven", "burn_rate", "burn_rate"))},
        Refusal.TROUBLE_AHEAD,
        "chat has no open incident yet, but what becomes one if it lasts (burn_rate); try again after it",
    ),
    (
        "an open incident, and more to come",
        {"view": replace(GOOD, incidents=("chain_degraded",), pending=("chain_down",))},
        Refusal.OPEN_INCIDENT,
        "chat has an open incident (chain_degraded)",
    ),
    (
        "the primary is down",
        {"view": with_targets(primary=Health.DOWN)},
        Refusal.ALREADY_BROKEN,
        "primary is down for real: there is nothing left to break, the outage is the proof",
    ),
    (
        "the fallback is down",
        {"view": with_targets(secondary=Health.DOWN)},
        Refusal.NO_HEALTHY_FALLBACK,
        "secondary, which is to answer, is down, not healthy",
    ),
    (
        "the fallback is limited",
        {"view": with_targets(secondary=Health.LIMITED)},
        Refusal.NO_HEALTHY_FALLBACK,
        "secondary, which is to answer, is limited, not healthy",
    ),
    (
        "the fallback is degraded",
        {"view": with_targets(secondary=Health.DEGRADED)},
        Refusal.NO_HEALTHY_FALLBACK,
        "secondary, which is to answer, is degraded, not healthy",
    ),
    (
        "the fallback was never asked",
        {"view": GuardView(health=Health.HEALTHY, targets={0: Health.HEALTHY})},
        Refusal.NO_HEALTHY_FALLBACK,
        "secondary, which is to answer, has not been proven healthy yet",
    ),
    (
        "the expected target is broken as well",
        {"one": drill(breaks=(0, 1))},
        Refusal.NO_HEALTHY_FALLBACK,
        "secondary is to answer and to be broken at once",
    ),
    (
        "nothing stays whole",
        {"one": drill(breaks=(0, 1, 2), expect=Expect(served_by=None, within=1.0))},
        Refusal.NO_HEALTHY_FALLBACK,
        "the drill breaks every target, so none is left to answer",
    ),
    (
        "a rejection is expected and no fallback is proven",
        {"one": drill(expect=REJECTED), "view": GuardView()},
        Refusal.NO_HEALTHY_FALLBACK,
        "no target of chat is known to be healthy",
    ),
    (
        "another drill on the chain",
        {"running": (replace(OTHER, drill=drill(name="twin"), providers=frozenset()),)},
        Refusal.CHAIN_BUSY,
        "the drill twin is running on chat (run r0)",
    ),
    (
        "another drill on a shared provider",
        {"running": (OTHER,)},
        Refusal.PROVIDER_BUSY,
        "the drill other-drill on other is taking anthropic away (run r0)",
    ),
    (
        "the budget is too small",
        {"view": replace(GOOD, budget=0.01, cost=0.002)},
        Refusal.BUDGET,
        "the budget has 0.0100 USD left today, and 8 requests may cost 0.0160 USD",
    ),
    (
        "the budget is spent and the price unknown",
        {"view": replace(GOOD, budget=0.0)},
        Refusal.BUDGET,
        "the budget has 0.0000 USD left today, and 8 requests may cost 0.0000 USD",
    ),
]


@pytest.mark.parametrize(
    ("facts", "refusal", "because"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_the_guard_refuses(facts: dict[str, Any], refusal: Refusal, because: str) -> None:
    decision = decide(**facts)
    assert (decision.allowed, decision.refusal, decision.because) == (False, refusal, because)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({}, id="all is well"),
        pytest.param({"view": replace(GOOD, health=Health.DEGRADED)}, id="a degraded chain whose fallback is healthy"),
        pytest.param(
            {"view": replace(GOOD, incidents=("drill_deviated",))}, id="the incident that a new drill resolves"
        ),
        pytest.param({"view": with_targets(last_resort=Health.DOWN)}, id="a dead target that the drill does not need"),
        pytest.param({"view": replace(GOOD, lacks={0: ("tools",), 2: ("vision",)})}, id="others are unfit"),
        pytest.param({"running": (OTHER,), "providers": frozenset({"openai"})}, id="another chain, other providers"),
        pytest.param({"view": replace(GOOD, budget=0.016, cost=0.002)}, id="a budget that just covers it"),
        pytest.param({"view": replace(GOOD, budget=0.01)}, id="a budget with an unknown price"),
        pytest.param({"one": drill(expect=REJECTED)}, id="a rejection is expected"),
        pytest.param({"one": drill(breaks=(0, 1, 2), expect=REJECTED)}, id="a rejection of all targets is expected"),
    ],
)
def test_the_guard_allows(facts: dict[str, Any]) -> None:
    decision = decide(**facts)
    assert decision.allowed, decision.because
    assert "healthy" in decision.because


def test_every_refusal_but_the_injectors_own_is_in_the_table() -> None:
    assert {row[2] for row in REFUSALS} == set(Refusal) - {Refusal.NOT_POSSIBLE}


def test_a_stop_outweighs_everything_else() -> None:
    decision = decide(GuardView(health=Health.DOWN), stopped="ordered")
    assert decision.refusal is Refusal.STOPPED


@pytest.mark.parametrize(
    ("healthy", "allowed"),
    [({0}, False), ({1}, True), ({2}, True), (set(), False)],
)
def test_a_drill_that_expects_a_rejection_needs_one_target_that_stays_whole(healthy: set[int], allowed: bool) -> None:
    view = replace(GOOD, targets=dict.fromkeys(healthy, Health.HEALTHY))
    assert decide(view, drill(expect=REJECTED)).allowed is allowed


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (drill(), "secondary is healthy, chat has"),
        (drill(expect=REJECTED), "primary, secondary, last-resort are healthy, chat has"),
    ],
)
def test_a_permit_says_who_is_healthy(one: Drill, told: str) -> None:
    assert decide(one=one).because.startswith(told)
