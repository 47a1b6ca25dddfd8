"""The rules of ``alerts.yaml`` as PromQL over our own metrics, where PromQL can say them. Pure.

Each saying brings examples, from which promtool's unit tests are written: what makes it fire, and what does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from monitor.alerting.promql import counted, metric, one_of, series, span, surely
from monitor.alerting.saying import MINUTE, Example, Said, Unsaid, Watched
from monitor.alerting.sayings_of_promises import all_fallbacks_dead, burn_rate, capability_lost, daemon_unwell
from monitor.budget import Priority
from monitor.conditions import RULES
from monitor.conditions.fallbacks import FALLBACK_RATE, LEAST_BASELINE
from monitor.config.model import ChainConfig, Config, RuleConfig
from monitor.model import Path, ProbeSpec
from monitor.shares import wilson

DRILLS_SEEN = "7d"
_FALLBACKS = "|".join(path.value for path in Path if path.is_fallback)


def say(config: Config, specs: Sequence[ProbeSpec]) -> tuple[Said | Unsaid, ...]:
    """Every rule of the config, in its order. ``specs`` are the questions that the config expands to."""
    return tuple(_say(rule, config, specs) for rule in config.alerts.rules)


def _say(rule: RuleConfig, config: Config, specs: Sequence[ProbeSpec]) -> Said | Unsaid:
    chains = tuple(chain for chain in config.chains if not rule.chains or chain.name in rule.chains)
    names = {chain.name for chain in chains}
    watched = Watched(
        chains=chains, specs=tuple(spec for spec in specs if spec.chain in names), all_of_them=not rule.chains
    )
    if rule.when not in _SAYINGS:
        return Unsaid(rule=rule, because=_why_not(rule))
    return _SAYINGS[rule.when](rule, watched)


def _why_not(rule: RuleConfig) -> str:
    known = RULES.get(rule.when)
    return known.unsayable if known and known.unsayable else "what it looks at is in no metric of its own"


def _chain_down(rule: RuleConfig, watched: Watched) -> Said:
    return _health(rule, watched, ("down",), "Chain {{ $labels.chain }} is down")


def _chain_limited(rule: RuleConfig, watched: Watched) -> Said:
    return _health(rule, watched, ("limited",), "Chain {{ $labels.chain }} is rate limited at every target")


def _chain_degraded(rule: RuleConfig, watched: Watched) -> Said:
    return _health(rule, watched, ("limited", "degraded", "down"), "Chain {{ $labels.chain }} is degraded")


def _health(rule: RuleConfig, watched: Watched, states: tuple[str, ...], title: str) -> Said:
    expr = f"max without (state) ({metric('fallbackd_chain_health', watched.selector, one_of('state', states))}) == 1"
    after = rule.for_ + 2 * MINUTE
    examples = tuple(
        Example(series={_health_of(watched.sample, state): f"1x{_steps(after)}"}, at=after, labels=labels)
        for state, labels in (*((state, {"chain": watched.sample}) for state in states), ("healthy", None))
    )
    return Said(rule=rule, title=title, expr=expr, records={}, examples=examples)


def _fallback_rate(rule: RuleConfig, watched: Watched) -> Said | Unsaid:
    if rule.same_hour_days is not None:
        return Unsaid(rule=rule, because="what is usual at this hour of the days before would be a query for each day")
    window = span(rule.window)
    answers, fallbacks, share, least = (
        f"chain:fallbackd_{name}{window}"
        for name in ("answers:increase", "fallbacks:increase", "fallback_share:ratio", "fallback_share_surely:ratio")
    )
    records = {
        answers: counted(f'path!="{Path.EXHAUSTED}"', window),
        # Without a fallback there is no series to divide: nothing is then said, as nothing is to be said.
        fallbacks: counted(f'path=~"{_FALLBACKS}"', window),
        share: f"{fallbacks} / ({answers} > 0)",
        least: surely(share, answers),
    }
    where = f"{{{watched.selector}}}" if watched.selector else ""
    enough = f"round({answers}{where}) >= {rule.min_samples}"
    said = _above if rule.above is not None else _rise
    expr, extra, examples = said(rule, watched, f"{least}{where}")
    return Said(
        rule=rule,
        title="Chain {{ $labels.chain }} falls back too often",
        expr=f"{expr} and {enough}",
        records={**records, **extra},
        examples=examples,
        caveat="Prometheus extrapolates increases: counts may differ by one at the edges of the window.",
        keep=FALLBACK_RATE.hold(rule),
    )


def _above(rule: RuleConfig, watched: Watched, least: str) -> tuple[str, dict[str, str], tuple[Example, ...]]:
    above = rule.above or 0.0
    return f"{least} > {above:g}", {}, _share_examples(rule, watched, past=0.0, can_fire=_can_reach(above, rule))


def _rise(rule: RuleConfig, watched: Watched, least: str) -> tuple[str, dict[str, str], tuple[Example, ...]]:
    rise, window, baseline = rule.rise or 1.0, span(rule.window), span(rule.baseline)
    name = f"{baseline}_before_{window}"
    usual, past = f"chain:fallbackd_usual_share:ratio{name}", f"chain:fallbackd_usual_answers:increase{name}"
    shift = f"{baseline}] offset {window}"
    answered = counted(f'path!="{Path.EXHAUSTED}"', shift)
    fell = counted(f'path=~"{_FALLBACKS}"', shift)
    extra = {past: answered, usual: f"({fell} or 0 * {past}) / ({past} > 0)"}
    expr = f"{least} > {rise:g} * clamp_min({usual}, {LEAST_BASELINE:g}) and round({past}) >= {rule.min_samples}"
    return (
        expr,
        extra,
        _share_examples(rule, watched, past=rule.baseline, can_fire=_can_reach(rise * LEAST_BASELINE, rule)),
    )


def _can_reach(share: float, rule: RuleConfig) -> bool:
    """Whether fallbacks alone, as many as the examples hold, are surely more than a share."""
    return wilson(2 * rule.min_samples, 2 * rule.min_samples)[0] > share


def _share_examples(rule: RuleConfig, watched: Watched, *, past: float, can_fire: bool) -> tuple[Example, ...]:
    """Answers of the primary alone for ``past`` seconds, then of a fallback alone (or still of the primary)."""
    interval = MINUTE if rule.window >= 5 * MINUTE else max(1.0, rule.window // 8)
    before, after = _steps(past, interval), _steps(rule.window + rule.for_ + 2 * MINUTE, interval)
    # Many more than min_samples in any window, and at least one in each scrape.
    each = 1 + int(2 * rule.min_samples * interval / min(rule.window, past or rule.window))
    primary, fallback = (_answers(watched.sample, path) for path in (Path.PRIMARY, Path.FAILED_OVER))
    moved = {primary: f"0+{each}x{before} {each * before}+0x{after}", fallback: f"0x{before} 0+{each}x{after}"}
    stayed = {primary: f"0+{each}x{before + after}", fallback: f"0x{before + after}"}
    at = (before + after) * interval // MINUTE * MINUTE
    quiet = Example(series=stayed, at=at, interval=interval)
    loud = Example(series=moved, at=at, labels={"chain": watched.sample}, interval=interval)
    return (loud, quiet) if can_fire else (quiet,)


def _wrong_model(rule: RuleConfig, watched: Watched) -> Said:
    """Until as many good answers in a row as make it healthy again: about so many intervals."""
    every = [spec.every * _chain(watched, spec).health.recover_after for spec in watched.specs if spec.target is None]
    window = max([5 * MINUTE, *every])
    expr = counted('path="wrong_model"', span(window), watched.selector) + " > 0"
    series = _answers(watched.sample, Path.WRONG_MODEL)
    after = rule.for_ + 5 * MINUTE
    examples = (
        Example(series={series: f"0+1x{_steps(after)}"}, at=after, labels={"chain": watched.sample}),
        Example(series={series: f"7x{_steps(after)}"}, at=after),
    )
    return Said(
        rule=rule,
        title="Chain {{ $labels.chain }} was answered by a model outside it",
        expr=expr,
        records={},
        examples=examples,
        caveat=f"Fires for {span(window)} after such an answer; fallbackd, until right answers came again.",
    )


def _drill_deviated(rule: RuleConfig, watched: Watched) -> Said:
    record = "drill:fallbackd_drill_deviated:timestamp"
    latest = f"max_over_time({metric(record, watched.selector)}[{DRILLS_SEEN}]) - 120"
    proven = metric("fallbackd_drill_last_success_timestamp_seconds", watched.selector)
    labels = {"chain": watched.sample, "drill": "example"}
    runs = series("fallbackd_drills_total", **labels, verdict="deviated")
    passed = series("fallbackd_drill_last_success_timestamp_seconds", **labels)
    after = rule.for_ + 30 * MINUTE
    steps = _steps(after)
    examples = (
        Example(series={runs: f"0x10 1x{steps}", passed: f"60x{steps + 10}"}, at=after, labels=labels),
        Example(series={runs: f"0x10 1x{steps}", passed: f"60x15 900x{steps}"}, at=after),
        Example(series={runs: f"0x{steps + 10}", passed: f"0x{steps + 10}"}, at=after),
    )
    return Said(
        rule=rule,
        title="Drill {{ $labels.drill }} shows that chain {{ $labels.chain }} does not hold",
        expr=f"({latest} > 0) > ignoring (verdict) {proven}",
        records={record: 'time() * (increase(fallbackd_drills_total{verdict="deviated"}[2m]) > bool 0)'},
        examples=examples,
        caveat=f"Looks back {DRILLS_SEEN}; of two runs within two minutes it may take the wrong one for the later.",
    )


def _probe_stale(rule: RuleConfig, watched: Watched) -> Said:
    silent = [_silent(chain, kind, limit) for chain, kind, limit in _silences(rule, watched)]
    limited = 'unless on (chain, target, provider) (fallbackd_target_health{state="limited"} == 1)'
    expr = f"count without (target, provider, kind) (({' or '.join(silent)}) {limited}) > 0"
    chain, kind, limit = next(_silences(rule, watched))
    last = series("fallbackd_last_probe_timestamp_seconds", chain=chain, kind=kind)
    read = series("fallbackd_config_reload_timestamp_seconds")
    after = (int((limit + rule.for_) // MINUTE) + 3) * MINUTE
    steps = _steps(after)
    examples = (
        Example(series={last: f"0x{steps}", read: f"0x{steps}"}, at=after, labels={"chain": chain}),
        Example(series={last: f"0+60x{steps}", read: f"0x{steps}"}, at=after),
        Example(series={last: f"0x{steps}", read: f"{int(after)}x{steps}"}, at=after),
    )
    return Said(
        rule=rule,
        title="Chain {{ $labels.chain }} is not being watched as configured",
        expr=expr,
        records={},
        examples=examples,
        caveat="Does not see what fallbackd leaves out on purpose for the budget or for live traffic.",
    )


def _silences(rule: RuleConfig, watched: Watched) -> Iterator[tuple[str, str, float]]:
    """(chain, kind, seconds of silence that are too long), by the slowest question of each kind."""
    limits: dict[tuple[str, str], float] = {}
    for spec in watched.specs:
        chain = _chain(watched, spec)
        deadline = (spec.target.timeout if spec.target else chain.deadline) * (1 + chain.health.confirm)
        every = max(spec.every, (spec.pace.slowest or 0.0) if spec.pace else 0.0)
        key = (spec.chain, spec.kind)
        limits[key] = max(limits.get(key, 0.0), rule.intervals * every + deadline)
    return ((chain, kind, limit) for (chain, kind), limit in limits.items())


def _silent(chain: str, kind: str, limit: float) -> str:
    last = series("fallbackd_last_probe_timestamp_seconds", chain=chain, kind=kind)
    started = f"time() - fallbackd_config_reload_timestamp_seconds > {limit:g}"
    return f"(time() - {last} > {limit:g} and on (job, instance) ({started}))"


def _budget_exhausted(rule: RuleConfig, watched: Watched) -> Said | Unsaid:
    """Fires as soon as the first priority that a chain asks is stopped, as fallbackd does."""
    owned = [(chain, chain.budget.usd_per_day) for chain in watched.chains if chain.budget]
    if not owned:
        return Unsaid(rule=rule, because="no chain that it is for has a budget of its own")
    least = [(chain.name, usd * max(priority.kept_back for priority in _asked(chain, watched))) for chain, usd in owned]
    spent = [f"{series('fallbackd_budget_remaining_usd', chain=name)} <= {usd:g}" for name, usd in least]
    name, kept = least[0]
    left = series("fallbackd_budget_remaining_usd", chain=name)
    after = rule.for_ + 2 * MINUTE
    examples = (
        Example(series={left: f"{kept:g}x{_steps(after)}"}, at=after, labels={"chain": name}),
        Example(series={left: f"{owned[0][1] + 1:g}x{_steps(after)}"}, at=after),
    )
    return Said(
        rule=rule,
        title="The budget of chain {{ $labels.chain }} runs out",
        expr=" or ".join(spent),
        records={},
        examples=examples,
        caveat="About budgets of chains; shared ones are in fallbackd_shared_budget_remaining_usd.",
    )


def _asked(chain: ChainConfig, watched: Watched) -> Collection[Priority]:
    specs = [spec for spec in watched.specs if spec.chain == chain.name]
    pinned = any(spec.target and spec.target.provider != chain.targets[spec.target.position].provider for spec in specs)
    targets = any(spec.target for spec in specs)
    return {Priority.CHAIN, *((Priority.TARGET,) if targets else ()), *((Priority.PROVIDER,) if pinned else ())}


def _chain(watched: Watched, spec: ProbeSpec) -> ChainConfig:
    return next(chain for chain in watched.chains if chain.name == spec.chain)


def _steps(seconds: float, interval: float = MINUTE) -> int:
    return -int(-seconds // interval)


def _health_of(chain: str, state: str) -> str:
    return series("fallbackd_chain_health", chain=chain, state=state)


def _answers(chain: str, path: Path) -> str:
    position = "1" if path is Path.FAILED_OVER else "0"
    return series("fallbackd_chain_answers_total", chain=chain, position=position, origin="scheduled", path=path)


_SAYINGS: Mapping[str, Callable[[RuleConfig, Watched], Said | Unsaid]] = {
    "burn_rate": burn_rate,
    "all_fallbacks_dead": all_fallbacks_dead,
    "capability_lost": capability_lost,
    "daemon_unwell": daemon_unwell,
    "chain_down": _chain_down,
    "chain_limited": _chain_limited,
    "chain_degraded": _chain_degraded,
    "fallback_rate": _fallback_rate,
    "wrong_model": _wrong_model,
    "drill_deviated": _drill_deviated,
    "probe_stale": _probe_stale,
    "budget_exhausted": _budget_exhausted,
}
