"""What stands in for Grafana and for a large installation."""

from __future__ import annotations

from typing import Any

from chaos.model import Drill, Expect, Strike
from monitor.config.model import AlertsFile, ChainConfig, Config, GatewayConfig
from monitor.findings import Drift
from monitor.gauges import BURN_WINDOWS
from monitor.metrics import Metrics
from monitor.model import ProbeSpec, Target

CHAINS = 100
TARGETS = 6
PROVIDERS = 6
RULES = ("chain_down", "chain_degraded", "wrong_model", "drill_deviated", "probe_stale", "budget_exhausted")

OF_GRAFANA = {"__range": "6h", "__rate_interval": "1m15s", "__interval": "20s"}


def one_of_each(uid: str, chain: str, provider: str) -> dict[str, str]:
    """Values of the variables that follow the data. Overviews show every chain, the others one."""
    every = uid in ("fallbackd-overview", "fallbackd-drills", "fallbackd-gateway")
    return {**OF_GRAFANA, "chain": ".+" if every else chain, "provider": provider, "datasource": "prometheus"}


def large() -> Metrics:
    """100 chains of 6 targets, each pinned to one of 6 providers, asked two kinds of questions, with two drills; their
    applications go through the gateway."""
    config = Config(
        endpoints={},
        gateway=GatewayConfig(endpoint="one"),
        chains=tuple(_chain(number) for number in range(CHAINS)),
        drills=(),
        alerts=AlertsFile.model_validate(
            {
                "notifiers": [{"name": "log", "kind": "log"}],
                "routes": [{"notify": ["log"]}],
                "rules": [{"name": rule.replace("_", "-"), "when": rule} for rule in RULES],
            }
        ),
    )
    specs = [
        _spec(chain, target, kind)
        for chain in config.chains
        for target in (None, *chain.all_targets())
        for kind in ("completion", "stream")
    ]
    drills = [_drill(chain, fault) for chain in config.chains for fault in ("rate_limited", "stall")]
    found = Metrics(config, specs, drills, "1.2.3")
    steps = [f"t{position}->t{position + 1}" for position in range(TARGETS - 1)]
    cells = [
        (chain.name, step, fault) for chain in config.chains for step in steps for fault in ("rate_limited", "stall")
    ]
    found.set_series("fallbackd_edge_proven_timestamp_seconds", dict.fromkeys(cells, 0.0))
    states = [(*cell, state) for cell in cells for state in ("never", "stale", "broken")]
    found.set_series("fallbackd_edge_unproven", dict.fromkeys(states, 0.0))
    names = [chain.name for chain in config.chains]
    found.set_series("fallbackd_chain_objective_ratio", {(name,): 0.99 for name in names})
    found.set_series("fallbackd_chain_burn_rate", {(name, window): 0.0 for name in names for window in BURN_WINDOWS})
    kinds = [kind.value for kind in Drift]
    found.set_series("fallbackd_catalogue_findings", {(name, kind): 0.0 for name in names for kind in kinds})
    places = [(f"vendor/model-{model}", f"p{provider}") for model in range(TARGETS) for provider in range(PROVIDERS)]
    found.set_series("fallbackd_reported_status", dict.fromkeys(places, 0.0))
    uptimes = {(*place, window): 1.0 for place in places for window in ("5m", "30m", "1d")}
    found.set_series("fallbackd_reported_uptime_ratio", uptimes)
    return found


def _chain(number: int) -> ChainConfig:
    targets: list[dict[str, Any]] = [
        {"label": f"t{position}", "model": f"vendor/model-{position}", "provider": f"p{position % PROVIDERS}"}
        for position in range(TARGETS)
    ]
    settings = {"name": f"c{number}", "endpoint": "one", "mode": "client", "targets": targets}
    probes = [{"kind": "completion", "every": "60s"}, {"kind": "stream", "every": "60s"}]
    return ChainConfig.model_validate({**settings, "probes": probes, "budget": {"usd_per_day": 1.0}})


def _spec(chain: ChainConfig, target: Target | None, kind: str) -> ProbeSpec:
    key = f"{chain.name}/{target.key if target else ''}:{kind}"
    return ProbeSpec(key=key, chain=chain.name, kind=kind, target=target, every=60.0, first_token=15.0, max_tokens=48)


def _drill(chain: ChainConfig, fault: str) -> Drill:
    expect = Expect(served_by="t1", within=10.0)
    return Drill(
        name=f"{fault}-of-{chain.name}",
        chain=chain.name,
        strikes=(Strike(positions=(0,), fault=fault),),
        injector="transport",
        expect=expect,
    )
