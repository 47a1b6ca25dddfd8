"""What the rules look at, what they say, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from monitor.budget import BudgetState
from monitor.cascades import Cascades
from monitor.conditions.causes import Cause, Causes
from monitor.config.model import RuleConfig
from monitor.coverage import ChainCoverage
from monitor.fallback import FallbackHistory
from monitor.findings import CatalogueFinding
from monitor.health import ChainState
from monitor.model import Severity, Target, Verdict, VerdictKind
from monitor.objective import ObjectiveHistory
from monitor.wellbeing import Wellbeing

NO_SETTINGS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeView:
    """When a scheduled question was last answered; durations in seconds.

    ``started``: since when it has been scheduled (the start of the daemon, or the end of a pause). ``deadline``: how
    long one run may take. ``paused``: left out on purpose (a rate limit, the budget), so nothing is missing.
    """

    key: str
    chain: str
    every: float
    started: float
    last: float | None = None
    deadline: float = 0.0
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFault:
    """A fault that is in place; ``until`` is the end that it was given."""

    chain: str
    drill: str
    run: str
    fault: str
    injector: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Itself:
    """What fallbackd itself does right now. ``drills``: by chain, those under way. ``told_of``: chains of which
    somebody was told by another alert than ``silent_fallback``."""

    drills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: tuple[ActiveFault, ...] = ()
    wellbeing: Wellbeing = field(default_factory=Wellbeing)
    told_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is known now, of configured chains and drills only.

    ``budgets``: by chain, its own and those that it shares, with what each has stopped of this chain.
    ``verdicts``: by drill, the latest that says something (see ``conclusive``). ``settled``: chains of which something
    was learned since the start; of the others an absent condition proves nothing. ``findings``: what the catalogues
    show. ``reported``: chain -> label -> what the endpoint says of the target's providers, in words. ``coverage``: what
    drills have proven, chain by chain. ``causes``: what the chains' trouble comes from. ``promises``: by chain, the
    share of questions that it is to answer; ``latencies``: within which time, in seconds, where it promises one.
    ``targets``: by chain, all that are asked, pinned ones too. ``live_good``, ``live_bad``: by chain, when applications
    were last answered, and last were not.
    """

    chains: Mapping[str, ChainState] = field(default_factory=dict)
    fallbacks: Mapping[str, FallbackHistory] = field(default_factory=dict)
    probes: tuple[ProbeView, ...] = ()
    budgets: Mapping[str, tuple[BudgetState, ...]] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    findings: tuple[CatalogueFinding, ...] = ()
    reported: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    coverage: tuple[ChainCoverage, ...] = ()
    causes: Causes = field(default_factory=Causes)
    objectives: Mapping[str, ObjectiveHistory] = field(default_factory=dict)
    promises: Mapping[str, float] = field(default_factory=dict)
    latencies: Mapping[str, float] = field(default_factory=dict)
    cascades: Mapping[str, Cascades] = field(default_factory=dict)
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    live_good: Mapping[str, float] = field(default_factory=dict)
    live_bad: Mapping[str, float] = field(default_factory=dict)
    itself: Itself = field(default_factory=Itself)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that a rule finds to be so right now.

    ``alert`` is the configured rule's name, ``when`` the rule's. ``subject`` tells conditions of one alert and chain
    apart. People are told of a change when ``severity``, ``title`` or ``matters`` differ; ``summary`` and ``facts``
    may hold numbers that move all the time. ``brief``: a few words for a list of chains, where the chain is named
    already; empty, it is the title.

    ``cause``: conditions of one cause are one incident; None stands alone. ``target`` and ``provider``: what of the
    chain it is about, where that is less than all of it.
    """

    alert: str
    when: str
    chain: str
    severity: Severity
    title: str
    summary: str
    subject: str = ""
    matters: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    brief: str = ""
    cause: Cause | None = None
    target: str | None = None
    provider: str | None = None


def _at_once(_rule: RuleConfig) -> float:
    return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A sort of condition, with what an operator needs to know about it.

    ``settings``: the optional settings of a RuleConfig that it obeys; of ``one_of`` at least one must be given.
    ``inhibits``: rules that stay silent about a chain while this one fires for it. ``hold``: seconds that the condition
    must be gone before it counts as over. ``over`` is the sentence that says so. ``covers_targets``: while it fires,
    nothing is said about single targets of the chain. ``has_degrees``: its alerts about one chain are degrees of one
    thing, so that the gravest says it all. ``is_about_itself``: it is about fallbackd and names no chain.
    ``unsayable``: why PromQL cannot say it, empty where it can.
    """

    name: str
    judge: Callable[[RuleConfig, World, float], Iterable[Condition]]
    meaning: str
    impact: str
    diagnosis: str
    mitigation: str
    over: str
    settings: frozenset[str] = NO_SETTINGS
    one_of: frozenset[str] = NO_SETTINGS
    inhibits: frozenset[str] = frozenset()
    hold: Callable[[RuleConfig], float] = _at_once
    covers_targets: bool = False
    has_degrees: bool = False
    is_about_itself: bool = False
    unsayable: str = ""


def conclusive(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """The latest verdict of each drill that says something about the chain: passed or deviated."""
    latest: dict[str, Verdict] = {}
    for verdict in verdicts:
        known = latest.get(verdict.drill)
        if verdict.kind in (VerdictKind.PASSED, VerdictKind.DEVIATED) and (known is None or known.at < verdict.at):
            latest[verdict.drill] = verdict
    return latest
