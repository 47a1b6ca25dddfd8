"""The newer rules as PromQL: promises, dead fallbacks, lost capabilities, and fallbackd itself. Pure."""

from __future__ import annotations

from monitor.alerting.promql import metric, series, span
from monitor.alerting.saying import MINUTE, Example, Said, Unsaid, Watched
from monitor.conditions.burning import LEAST_BAD
from monitor.config.model import ChainConfig, RuleConfig


def burn_rate(rule: RuleConfig, watched: Watched) -> Said:
    """In full: the same counts, the same promise, the same gates."""
    factor, long, short = rule.factor or 1.0, span(rule.window), span(rule.short_window)
    records = {name: expr for window in (long, short) for name, expr in _burning(window).items()}
    where = f"{{{watched.selector}}}" if watched.selector else ""
    expr = (
        f"{_rate(long)}{where} >= {factor:g} and {_rate(short)}{where} >= {factor:g}"
        f" and round({_asked(long)}{where}) >= {rule.min_samples} and round({_bad(long)}{where}) >= {LEAST_BAD}"
    )
    return Said(
        rule=rule,
        title="Chain {{ $labels.chain }} breaks its promise",
        expr=expr,
        records=records,
        examples=_burn_examples(rule, watched),
        caveat="Prometheus extrapolates increases: counts may differ by one at the edges of the window.",
        keep=min(300.0, rule.short_window),
    )


def _burning(window: str) -> dict[str, str]:
    total, bad = _asked(window), _bad(window)
    allowed = "(1 - fallbackd_chain_objective_ratio)"
    return {
        total: f"sum without (result) (increase(fallbackd_chain_objective_total[{window}]))",
        bad: f'sum without (result) (increase(fallbackd_chain_objective_total{{result="bad"}}[{window}]))',
        _rate(window): f"{bad} / ({total} > 0) / ({allowed} > 0)",
    }


def _asked(window: str) -> str:
    return f"chain:fallbackd_objective:increase{window}"


def _bad(window: str) -> str:
    return f"chain:fallbackd_objective_bad:increase{window}"


def _rate(window: str) -> str:
    return f"chain:fallbackd_burn_rate:ratio{window}"


def _burn_examples(rule: RuleConfig, watched: Watched) -> tuple[Example, ...]:
    """Nothing but errors burns at 1 / (1 - promise); one error a window, and good answers alone, are quiet."""
    chain = watched.chains[0]
    promise = series("fallbackd_chain_objective_ratio", chain=chain.name)
    good, bad = (series("fallbackd_chain_objective_total", chain=chain.name, result=word) for word in ("good", "bad"))
    # As long as the short window: the long one then holds the same, and promtool is not kept busy for minutes.
    length = rule.short_window + rule.for_
    interval = MINUTE if length <= 3600 else 5 * MINUTE
    steps = int(length // interval) + 3
    each = 1 + int(2 * rule.min_samples / max(1, length // interval))
    at = steps * interval
    kept = {promise: f"{chain.objective.success:g}x{steps}"}
    quiet = Example(series={**kept, good: f"0+{each}x{steps}", bad: f"0x{steps}"}, at=at, interval=interval)
    loud = Example(
        series={**kept, good: f"0x{steps}", bad: f"0+{each}x{steps}"},
        at=at,
        labels={"chain": chain.name},
        interval=interval,
    )
    lone = Example(
        series={**kept, good: f"0+{each}x{steps}", bad: f"0x{steps - 2} 1x2"}, at=at, interval=interval
    )  # fmt: skip
    can_fire = chain.objective.success < 1 and (rule.factor or 1.0) <= 1 / (1 - chain.objective.success)
    return (loud, quiet, lone) if can_fire else (quiet, lone)


def all_fallbacks_dead(rule: RuleConfig, watched: Watched) -> Said | Unsaid:
    """By the labels of the config, since no series says which target is the primary."""
    chains = [chain for chain in watched.chains if len(chain.targets) > 1]
    if not chains:
        return Unsaid(rule=rule, because="no chain that it is for has a fallback")
    first = chains[0]
    at = rule.for_ + 2 * MINUTE
    steps = int(at // MINUTE)
    labels = {"chain": first.name}
    dead = {_health(first.name, target.label, target.provider): f"1x{steps}" for target in first.targets[1:]}
    up = {_health(first.name, first.targets[0].label, first.targets[0].provider): f"0x{steps}"}
    one_left = dict(dead) | {next(iter(dead)): f"0x{steps}"}
    return Said(
        rule=rule,
        title="Chain {{ $labels.chain }} has no fallback left",
        expr=" or ".join(_all_dead(chain) for chain in chains),
        records={},
        examples=(
            Example(series={**dead, **up}, at=at, labels=labels),
            Example(series={**one_left, **up}, at=at),
            Example(series={**dead, **dict.fromkeys(up, f"1x{steps}")}, at=at),
        ),
    )


def _all_dead(chain: ChainConfig) -> str:
    fallbacks = " and on (chain, job, instance) ".join(
        f"max by (chain, job, instance) ({_health(chain.name, target.label, target.provider)}) == 1"
        for target in chain.targets[1:]
    )
    first = chain.targets[0]
    primary = _health(chain.name, first.label, first.provider)
    return f"({fallbacks} unless on (chain, job, instance) ({primary} == 1))"


def _health(chain: str, target: str, provider: str | None) -> str:
    """An empty provider is none: whoever the router picks."""
    return series("fallbackd_target_health", chain=chain, target=target, provider=provider or "", state="down")


def capability_lost(rule: RuleConfig, watched: Watched) -> Said | Unsaid:
    needy = [chain for chain in watched.chains if chain.needs]
    if not needy:
        return Unsaid(rule=rule, because="no chain that it is for needs anything of its targets")
    chain, at = needy[0], rule.for_ + 2 * MINUTE
    labels = {"chain": chain.name, "target": chain.targets[0].label, "capability": chain.needs[0]}
    shown, steps = series("fallbackd_target_capability", **labels), int(at // MINUTE)
    return Said(
        rule=rule,
        title="{{ $labels.chain }}/{{ $labels.target }} cannot do what the chain needs: {{ $labels.capability }}",
        expr=f"{metric('fallbackd_target_capability', watched.selector)} == 0",
        records={},
        examples=(
            Example(series={shown: f"0x{steps}"}, at=at, labels=labels),
            Example(series={shown: f"1x{steps}"}, at=at),
        ),
        caveat="One alert for each capability, where fallbackd has one for each target.",
    )


def daemon_unwell(rule: RuleConfig, _watched: Watched) -> Said:
    lost = 'fallbackd_runs_skipped_total{reason=~"still_running|missed|crashed"}'
    signs = {
        "fallbackd_network_up == 0": ("fallbackd_network_up", "0x{n}", "1x{n}"),
        "fallbackd_config_reload_successful == 0": ("fallbackd_config_reload_successful", "0x{n}", "1x{n}"),
    }
    expr = " or ".join(
        [
            *signs,
            f"round(sum without (reason) (increase({lost}[10m]))) >= {rule.skipped}",
            f"min_over_time(fallbackd_outbox_pending[{span(rule.waits)}]) > 0",
            f"min_over_time(fallbackd_store_pending[{span(rule.waits)}]) > 0",
        ]
    )
    at = rule.for_ + 2 * MINUTE
    steps = int(at // MINUTE)
    examples = [Example(series={name: bad.format(n=steps)}, at=at, labels={}) for name, bad, _ in signs.values()]
    good = {name: fine.format(n=steps) for name, _, fine in signs.values()}
    return Said(
        rule=rule,
        title="fallbackd itself is unwell",
        expr=expr,
        records={},
        examples=(*examples, Example(series=good, at=at)),
        caveat="Does not see how late runs are: a histogram has no times.",
        keep=30.0,
    )
