"""Rules about the watching itself: drills that went wrong, questions that go unasked, money that runs out."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.budget import BudgetState, Priority, Scope
from monitor.clock import utc
from monitor.conditions.causes import Cause, CauseKind
from monitor.conditions.evidence import percent
from monitor.conditions.world import Condition, ProbeView, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration
from monitor.model import Verdict, VerdictKind
from monitor.purses import kind_of

_MOST_NAMED = 10
_SHARED = (Scope.PROVIDER, Scope.OVERALL)


def _drill_deviated(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for drill, verdict in world.verdicts.items():
        if verdict.kind is not VerdictKind.DEVIATED:
            continue
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=verdict.chain,
            subject=drill,
            severity=rule.severity,
            title=f"Drill {drill} shows that chain {verdict.chain} does not hold",
            summary=verdict.because,
            matters=(verdict.because,),
            facts=_drill_facts(verdict),
        )


def _drill_facts(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    facts = [("fault", verdict.fault), ("at", utc(verdict.at)), ("run", verdict.run)]
    if verdict.served_by:
        facts.append(("served by", verdict.served_by))
    if verdict.path:
        facts.append(("path", verdict.path.value))
    if verdict.failover is not None:
        facts.append(("failover", format_duration(verdict.failover)))
    return tuple(facts)


def _probe_stale(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    """One condition for all silent questions of a chain: what stops them is usually one thing."""
    silent: dict[str, list[ProbeView]] = {}
    for probe in world.probes:
        if not probe.paused and now - _heard(probe) > rule.intervals * probe.every + probe.deadline:
            silent.setdefault(probe.chain, []).append(probe)
    for chain, probes in silent.items():
        keys = sorted(probe.key for probe in probes)
        last = max((probe.last for probe in probes if probe.last is not None), default=None)
        named = ", ".join(keys[:_MOST_NAMED]) + (f" and {len(keys) - _MOST_NAMED} more" if keys[_MOST_NAMED:] else "")
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=chain,
            severity=rule.severity,
            title=f"Chain {chain} is not being watched as configured",
            summary=f"{len(keys)} questions have had no result for {rule.intervals:g} intervals.",
            matters=tuple(keys),
            facts=(("silent", named), ("last result", utc(last) if last is not None else "none since the start")),
        )


def _heard(probe: ProbeView) -> float:
    """From when the silence is measured: an old result from before a restart is no silence of this run."""
    return probe.started if probe.last is None else max(probe.last, probe.started)


def _budget_exhausted(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for chain, states in world.budgets.items():
        yield from (_budget_condition(rule, chain, budget) for budget in states if budget.stopped)


def _budget_condition(rule: RuleConfig, chain: str, budget: BudgetState) -> Condition:
    """A shared budget is told for each chain that it stops, since each has its own people; together they are one
    incident."""
    stopped = tuple(priority.value for priority in Priority if priority in budget.stopped)
    own = budget.purse.scope is Scope.CHAIN
    kind = f"{kind_of(budget.purse)} " if budget.purse.scope is Scope.PROBE else ""
    ends = "is used up" if Priority.CHAIN in budget.stopped else "runs out"
    return Condition(
        alert=rule.name,
        when=rule.when,
        chain=chain,
        severity=rule.severity,
        subject="" if own else str(budget.purse),
        title=f"The budget of {budget.purse} {ends}",
        summary=f"No more paid {kind}questions of chain {chain} today to: {', '.join(stopped)}. "
        f"They resume at {utc(budget.resumes)}.",
        matters=stopped,
        brief=f"no more paid {kind}questions today to: {', '.join(stopped)}",
        facts=(
            ("spent", f"{budget.spent:.4f} of {budget.usd_per_day:.4f} USD{_share(budget)}"),
            ("stopped", ", ".join(stopped)),
            ("resumes", utc(budget.resumes)),
        ),
        cause=Cause(kind=CauseKind.BUDGET, name=str(budget.purse)) if budget.purse.scope in _SHARED else None,
    )


def _share(budget: BudgetState) -> str:
    return f" ({percent(budget.spent / budget.usd_per_day)})" if budget.usd_per_day else ""


DRILL_DEVIATED = Rule(
    name="drill_deviated",
    judge=_drill_deviated,
    meaning="The latest conclusive run of a drill did not go as expected. Inconclusive and aborted runs say nothing.",
    impact="A fallback that people rely on would not have helped in time: the next real failure becomes an outage.",
    diagnosis="Read the journal of the run: what was injected, what each request got, who answered and when.",
    mitigation=(
        "Mend the fallback, its timeout or the reasons that move the chain on, then run the drill again: a passed run "
        "ends the alert. If the expectation was wrong, correct it in the config."
    ),
    over="The latest conclusive run of the drill passed, or the drill was taken out of the config.",
)

PROBE_STALE = Rule(
    name="probe_stale",
    judge=_probe_stale,
    meaning="Questions that are scheduled have had no result for several of their intervals.",
    impact="What is shown about the chain may be out of date, and other alerts about it may be late.",
    diagnosis=(
        "Look at the daemon's log, its load, and the metrics about skipped and late runs. Questions that are left out "
        "for a rate limit, the budget or live traffic do not count."
    ),
    mitigation="Restart a daemon that hangs; ask less often, or give the machine more room.",
    over="Results of every scheduled question arrive again.",
    settings=frozenset({"intervals"}),
)

BUDGET_EXHAUSTED = Rule(
    name="budget_exhausted",
    judge=_budget_exhausted,
    meaning="A daily budget (of a chain, a provider or all together) stops paid questions, the least important first.",
    impact="Pinned providers, then targets, then the chain go unasked until midnight UTC: failures are not seen.",
    diagnosis="`fallbackd plan` shows what a day of the questions costs and which cost the most.",
    mitigation="Raise the budget, ask less often, leave providers out, or lower the bound on tokens.",
    over="The budget leaves room for every question again.",
)
