"""What the page and the API show: frozen values, which are also the API's JSON.

Times (``at``, ``since``, ``started``, ``last_*``, ``next_run``) are seconds since the epoch; durations are seconds.
An Outcome, Transition or Verdict is shown as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from monitor.capability import Capability
from monitor.health import Standing
from monitor.model import Acknowledgement, Health, Mode, Origin, Path, Reason, Severity, Status, Verdict

Cursor = tuple[float, str]
"""(at, id) of the last outcome of a page."""


class View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServingView(View):
    """Who gave the last end-to-end answer. ``label`` is None when nobody of the chain did."""

    label: str | None
    position: int | None
    path: Path | None
    model: str | None = None
    since: float
    at: float


class StateView(View):
    """Health of a chain, a target or a pinned provider. ``latency`` is that of the last answer."""

    health: Health = Health.UNKNOWN
    reason: Reason = Reason.NONE
    detail: str = ""
    since: float | None = None
    last_good: float | None = None
    last_bad: float | None = None
    latency: float | None = None


class ProviderView(StateView):
    provider: str


class AbilityView(View):
    """One capability that the chain needs. ``detail`` says why it is missing or not known; ``at``: last judged."""

    capability: Capability
    standing: Standing
    detail: str = ""
    at: float | None = None


class TargetView(StateView):
    """``provider`` is the one that the target is pinned to; ``providers`` are those that are asked one by one.
    ``abilities``: what it can do of what the chain needs."""

    chain: str
    label: str
    position: int
    model: str
    provider: str | None = None
    limited_until: float | None = None
    abilities: tuple[AbilityView, ...] = ()
    providers: tuple[ProviderView, ...] = ()


class ShareView(View):
    """Share of answers from a fallback over a window (``15m``), None without answers."""

    window: str
    share: float | None
    answers: int


class BudgetView(View):
    """A day's money. ``stopped``: whose questions get none today; ``resumes``: when they do again."""

    usd_per_day: float
    remaining: float
    stopped: tuple[str, ...] = ()
    resumes: float | None = None


class SharedBudgetView(BudgetView):
    """``scope``: provider, or overall (without a name)."""

    scope: str
    provider: str = ""


class ChainView(StateView):
    name: str
    mode: Mode
    endpoint: str
    serving: ServingView | None = None
    targets: tuple[TargetView, ...]
    fallback: tuple[ShareView, ...] = ()
    budget: BudgetView | None = None
    alerts: tuple[str, ...] = Field(default=(), description="Names of the alerts that fire.")


class AlertView(View):
    """An alert. ``state``: pending until it has held long enough, then firing. ``reasons``: why somebody was told
    at the last look, or why nobody was. ``incident``: the id of the incident that it is part of once it fires."""

    key: str
    alert: str
    chain: str
    severity: Severity
    state: str
    since: float
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    reasons: tuple[str, ...] = ()
    incident: str | None = None
    acknowledged: Acknowledgement | None = None


class IncidentView(View):
    """Alerts of one cause, which are one message. ``alerts``: the keys of those that fire; ``told``: notifiers."""

    id: str
    cause: str
    severity: Severity
    title: str
    since: float
    chains: tuple[str, ...]
    alerts: tuple[str, ...]
    told: tuple[str, ...] = ()
    acknowledged: Acknowledgement | None = None


class RunState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"


class RunView(View):
    """A drill run. ``at`` is when it started or, finished, when it was judged."""

    run: str
    drill: str
    chain: str
    state: RunState
    at: float
    asked_by: str | None = None
    verdict: Verdict | None = None


class EventView(View):
    """One line of a journal; ``after``: seconds since the run began."""

    at: float
    after: float
    phase: str
    text: str


class RunDetail(RunView):
    """``text`` is the journal for people (of a running one: what it has said so far), ``events`` its lines, ``journal``
    the whole record."""

    text: str
    events: tuple[EventView, ...] = ()
    journal: Any = None


class DrillView(View):
    """``breaks`` are labels; ``schedule``, ``expects`` and ``whose`` are texts; ``requests`` is how many paid ones at
    most, and ``cost`` what they cost at most in USD, None where no price is known."""

    name: str
    chain: str
    breaks: tuple[str, ...]
    fault: str
    injector: str
    expects: str
    whose: str = Field(default="fallbackd's own questions only", description="Whose requests meet the fault.")
    schedule: str
    requests: int
    cost: float | None = None
    max_duration: float
    next_run: float | None = None
    last: RunView | None = None
    running: str | None = Field(default=None, description="The id of the run that is under way.")


class StatusView(View):
    """The daemon itself. ``stopped``: why all drills are stopped; ``notes``: what an operator should know of it."""

    version: str
    started: float
    now: float
    chains: int
    targets: int
    probes: int
    outcomes: int = Field(description="Outcomes since the start.")
    alerts_firing: int
    runs_under_way: int
    outbox_pending: int
    stopped: str | None = None
    network_down_since: float | None = Field(
        default=None, description="Since when fallbackd's own network is down, so that nothing is judged."
    )
    budgets: tuple[SharedBudgetView, ...] = Field(default=(), description="Budgets of providers and of all chains.")
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeQuery:
    """Which outcomes, newest first."""

    chain: str | None = None
    target: str | None = None
    origin: Origin | None = None
    status: Status | None = None
    before: Cursor | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run was begun."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A run was not begun. ``because`` is one sentence; ``run`` the one that is in its way, if any."""

    because: str
    run: str | None = None
