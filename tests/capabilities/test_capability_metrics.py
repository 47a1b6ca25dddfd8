"""What of capabilities and of single probes' budgets is on the metrics page, before, while and after."""

from __future__ import annotations

import math
from typing import Any

from monitor.capability import Capability
from monitor.health import Ability, Standing
from monitor.metrics import Metrics
from monitor.model import Target
from tests.metrics.metric_samples import config, metrics, specs

TARGET = Target(
    chain="chat", position=1, label="secondary", model="m", provider=None, endpoint="openrouter", timeout=30.0
)


def shown(of: Metrics, name: str, **labels: str) -> float | None:
    return of.registry.get_sample_value(name, labels)


def capability(of: Metrics, target: str, name: str) -> float | None:
    return shown(of, "fallbackd_target_capability", chain="chat", target=target, provider="", capability=name)


def of_needs(*needs: str) -> Any:
    return config(needs=list(needs))


def test_every_need_of_every_target_is_there_from_the_start_and_not_known() -> None:
    page = metrics(of_needs("tool_calling", "vision"))
    for target in ("primary", "secondary"):
        for name in ("tools", "vision"):
            value = capability(page, target, name)
            assert value is not None
            assert math.isnan(value)
    assert capability(page, "primary", "reasoning") is None


def test_what_is_shown_is_1_and_what_is_missing_0() -> None:
    page = metrics(of_needs("tools", "vision", "budget"))
    standings = (Standing.PROVEN, Standing.MISSING, Standing.UNKNOWN)
    needs = (Capability.TOOLS, Capability.VISION, Capability.BUDGET)
    page.set_abilities(TARGET, [Ability(capability=n, standing=s) for n, s in zip(needs, standings, strict=True)])
    assert (capability(page, "secondary", "tools"), capability(page, "secondary", "vision")) == (1.0, 0.0)
    unknown = capability(page, "secondary", "budget")
    assert unknown is not None
    assert math.isnan(unknown)


def test_a_need_that_is_gone_is_shown_no_more() -> None:
    page = metrics(of_needs("tools", "vision"))
    page.set_abilities(TARGET, [Ability(capability=Capability.TOOLS, standing=Standing.PROVEN)])
    kept = of_needs("tools")
    page.apply(kept, specs(kept), [])
    assert capability(page, "secondary", "tools") == 1.0
    assert capability(page, "secondary", "vision") is None


def test_a_probe_with_a_budget_shows_what_is_left_of_it() -> None:
    name, labels = "fallbackd_probe_budget_remaining_usd", {"chain": "chat", "kind": "completion"}
    probes = [{"kind": "completion", "every": "60s", "budget": {"usd_per_day": 0.1}}, {"kind": "stream", "every": "5m"}]
    page = metrics(config(probes=probes))
    page.set_probe_budget_remaining("chat", "completion", 0.07)
    page.set_probe_budget_remaining("gone", "completion", 0.07)
    assert shown(page, name, **labels) == 0.07
    assert shown(page, name, chain="gone", kind="completion") is None
    without = config()
    page.apply(without, specs(without), [])
    assert shown(page, name, **labels) is None
