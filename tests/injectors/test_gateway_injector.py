"""What the gateway injector does on which chain, and when it refuses."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from chaos.drills import resolve_one
from chaos.edits import Edit
from chaos.injectors import GatewayInjector, Reach
from chaos.injectors.gateway import Armed, changes
from chaos.injectors.injector import Refused
from chaos.model import Drill, Injection
from chaos.plans import ApplicationPlan, LivePlan
from monitor.config.model import DrillConfig
from monitor.offering import Catalogue
from tests.drills.drill_samples import SONNET, catalogue, chain, drill, offer
from tests.drills.drill_stage import HandClock

HERE = Reach(url="http://gw", control="http://control", chains=frozenset({"chat"}), live=frozenset({"chat"}))
BOTH = ("amazon-bedrock", "anthropic")


@pytest.mark.parametrize(
    ("mode", "dialect", "fault", "edits"),
    [
        ("client", "openrouter", "unavailable", []),
        ("server", "openrouter", "unavailable", [Edit(kind="ignore", values=BOTH)]),
        ("server", "openrouter", "ignore", [Edit(kind="ignore", values=BOTH)]),
        ("server", "openrouter", "unknown_id", [Edit(kind="unknown_id", values=(SONNET,))]),
        ("provider", "openrouter", "ignore", [Edit(kind="ignore", values=("anthropic",))]),
        ("provider", "openrouter", "only", [Edit(kind="only", values=("amazon-bedrock", "google-vertex"))]),
        ("server", "litellm", "unavailable", [Edit(kind="field", values=("mock_testing_fallbacks",))]),
        ("server", "litellm", "moderated", [Edit(kind="field", values=("mock_testing_content_policy_fallbacks",))]),
    ],
)
def test_what_is_changed_in_requests(mode: str, dialect: str, fault: str, edits: list[Edit]) -> None:
    found = changes(drill(fault=fault, injector="gateway"), chain(mode), catalogue(), dialect)
    assert not isinstance(found, Refused), found
    assert [one.reshape for one in found] == edits


SHARED = catalogue(sonnet=(offer("azure"),), mini=(offer("azure"),))


@pytest.mark.parametrize(
    ("reach", "mode", "offered", "changed", "why"),
    [
        (None, "server", catalogue(), {}, "no gateway runs"),
        (HERE, "server", Catalogue(), {}, "it is not known which providers serve primary"),
        (HERE, "server", SHARED, {}, "secondary is served only by azure, who serve primary too"),
        (Reach(url="", control="", chains=frozenset()), "provider", catalogue(), {}, "no traffic of chat passes"),
        (
            Reach(url="", control="", chains=frozenset({"chat"})),
            "server",
            catalogue(),
            {"live": LivePlan()},
            "chat is not opted in to live traffic",
        ),
        (
            Reach(url="", control="", chains=frozenset({"chat"})),
            "provider",
            catalogue(),
            {"application": ApplicationPlan(url="http://app/")},
            "chat is not opted in to live traffic",
        ),
        (
            Reach(url="", control="", chains=frozenset({"chat"}), dialect="litellm"),
            "server",
            catalogue(),
            {"breaks": (1,), "fault": "unavailable"},
            "a LiteLLM proxy can be told to fail the group that is asked for",
        ),
    ],
)
def test_a_drill_that_cannot_be_done_is_refused_before_anything_is_armed(
    reach: Reach | None, mode: str, offered: Catalogue, changed: dict[str, Any], why: str
) -> None:
    one, walked = drill(injector="gateway", **changed), chain(mode)
    injector = GatewayInjector(lambda: reach)
    refused = injector.check(one, walked, offered)
    assert refused is not None
    assert why in refused.because
    assert injector.arm(injection_of(one), one, walked, offered, HandClock(), Random(1)) == refused


def injection_of(one: Drill) -> Injection:
    return Injection(
        chain=one.chain, drill=one.name, run="r1", strikes=one.strikes, injector="gateway", until=1060.0, max_count=2
    )


@pytest.mark.parametrize(
    ("mode", "fault", "says"),
    [
        (
            "server",
            "ignore",
            "in the gateway requests tell the router to leave out amazon-bedrock, anthropic, which is everyone",
        ),
        ("client", "reset", "requests through the gateway for primary meet the fault on their way"),
    ],
)
def test_what_is_armed_says_what_it_does(mode: str, fault: str, says: str) -> None:
    one = drill(injector="gateway", fault=fault)
    armed = GatewayInjector(lambda: HERE).arm(injection_of(one), one, chain(mode), catalogue(), HandClock(), Random(1))
    assert isinstance(armed, Armed)
    assert armed.says.startswith(says)
    assert (armed.count, armed.met, armed.reshape) == (0, {}, None)


@pytest.mark.parametrize(
    ("mode", "dialect", "fault", "options"),
    [
        ("client", "openrouter", "rate-limited", {"retry_after": 30.0}),
        ("server", "openrouter", "max-price", {}),
        ("provider", "openrouter", "ignore", {}),
        ("server", "litellm", "context-length", {}),
    ],
)
def test_a_drill_of_the_config_has_the_faults_of_its_chain(
    mode: str, dialect: str, fault: str, options: dict[str, float]
) -> None:
    for more in ({"by": "gateway"}, {"live": {}}, {"application": {"url": "http://app/"}}):
        written = DrillConfig.model_validate({"name": "a", "chain": "chat", "with": fault, **more})
        found = resolve_one(written, chain(mode), dialect)
        assert found.injector == "gateway"
        assert (found.strikes[0].fault, found.options) == (fault.replace("-", "_"), options)
        assert found.expect.served_by == "secondary"
