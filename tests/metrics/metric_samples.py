"""A small config with everything that shows up in labels."""

from __future__ import annotations

from typing import Any

from chaos.model import Drill, Expect, Strike
from monitor.config.model import AlertsFile, ChainConfig, Config
from monitor.metrics import Metrics
from monitor.model import ProbeSpec, Target

PARTS: dict[str, Any] = {
    "chat": {
        "name": "chat",
        "endpoint": "openrouter",
        "mode": "server",
        "targets": [
            {"label": "primary", "model": "anthropic/claude-sonnet-4.5", "providers": ["anthropic", "google-vertex"]},
            {"label": "secondary", "model": "openai/gpt-5-mini"},
        ],
        "probes": [{"kind": "completion", "every": "60s"}, {"kind": "stream", "every": "5m", "of": ["chain"]}],
        "budget": {"usd_per_day": 1.0},
    },
    "spare": {
        "name": "spare",
        "endpoint": "openrouter",
        "mode": "client",
        "targets": [{"label": "only", "model": "openai/gpt-4o-mini"}],
        "probes": [{"kind": "completion", "every": "60s"}],
    },
}

ALERTS: dict[str, Any] = {
    "notifiers": [{"name": "log", "kind": "log"}],
    "routes": [{"notify": ["log"]}],
    "rules": [{"name": "chain-down", "when": "chain_down", "severity": "critical"}],
}


def config(*chains: str, **changed: Any) -> Config:
    """The named chains (both by default); ``changed`` replaces keys of ``chat``."""
    names = chains or ("chat", "spare")
    parts = {**PARTS, "chat": {**PARTS["chat"], **changed}}
    return Config(
        endpoints={},
        chains=tuple(ChainConfig.model_validate(parts[name]) for name in names),
        drills=(),
        alerts=AlertsFile.model_validate(ALERTS),
    )


def specs(of: Config) -> list[ProbeSpec]:
    """Each chain and each of its targets, as the probes ask them."""
    found = []
    for chain in of.chains:
        asked: list[Target | None] = [None, *chain.all_targets()]
        asked += [chain.target(0, provider) for provider in chain.targets[0].providers]
        found += [_spec(chain, target, "completion") for target in asked]
        if len(chain.probes) > 1:
            found.append(_spec(chain, None, "stream"))
    return found


def drills(of: Config) -> list[Drill]:
    expect = Expect(served_by="secondary", within=10.0)
    gone = Drill(
        name="primary-gone",
        chain="chat",
        strikes=(Strike(positions=(0,), fault="ignore"),),
        injector="request",
        expect=expect,
    )
    return [gone] if any(chain.name == "chat" for chain in of.chains) else []


def metrics(of: Config | None = None) -> Metrics:
    chosen = of or config()
    return Metrics(chosen, specs(chosen), drills(chosen), "1.2.3")


def _spec(chain: ChainConfig, target: Target | None, kind: str) -> ProbeSpec:
    name = chain.name if target is None else f"{chain.name}/{target.key}"
    return ProbeSpec(
        key=f"{name}:{kind}", chain=chain.name, kind=kind, target=target, every=60.0, first_token=15.0, max_tokens=48
    )
