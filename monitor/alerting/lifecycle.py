"""How one incident moves between its stages; who is told of it is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.alerting.incident import Incident, Stage, incident_key
from monitor.alerting.silences import Silence, silenced
from monitor.conditions import RULES, Condition
from monitor.config.model import AlertsFile, RuleConfig

REOPEN_WITHIN = 600.0
"""Seconds after its end in which an incident that comes back is the same one."""


class Move(StrEnum):
    """What has just become of an incident."""

    PENDING = "pending"
    LAPSED = "lapsed"
    FIRING = "firing"
    UNSETTLED = "unsettled"
    SUSPENDED = "suspended"
    HELD = "held"
    ENDED = "ended"
    VANISHED = "vanished"
    OVER = "over"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is decided about an incident depends on this, besides its condition."""

    alerts: AlertsFile
    rules: Mapping[str, RuleConfig]
    muted: Collection[str]
    chains: Collection[str]
    settled: Collection[str]
    now: float
    ids: Callable[[], str]
    silences: Collection[Silence] = ()

    def silences_now(self, incident: Incident) -> bool:
        return silenced(incident.chain, incident.alert, self.silences, self.alerts.windows, self.now)

    def knows(self, incident: Incident) -> bool:
        """Whether the config still has what the incident is about."""
        rule = self.rules.get(incident.alert)
        return (
            rule is not None
            and rule.when == incident.when
            and incident.chain in self.chains
            and (not rule.chains or incident.chain in rule.chains)
        )


def move(
    incident: Incident | None, condition: Condition | None, around: Circumstances, *, inhibited: bool
) -> tuple[Incident | None, Move]:
    """The incident as it is now, None when there is nothing left to remember, and what became of it."""
    if incident is not None and incident.stage is not Stage.RESOLVED and not around.knows(incident):
        return _end(incident, around.now), Move.VANISHED
    if condition is not None:
        return _seen(_opened(incident, condition, around), condition, around)
    if incident is None:
        return None, Move.FORGOTTEN
    return _unseen(incident, around, inhibited=inhibited)


def _opened(incident: Incident | None, condition: Condition, around: Circumstances) -> Incident:
    now = around.now
    if incident is not None and incident.when == condition.when:
        if incident.stage is not Stage.RESOLVED:
            return incident
        if incident.resolved is not None and now - incident.resolved <= REOPEN_WITHIN:
            return replace(incident, stage=Stage.PENDING, since=now)
    return Incident(
        key=incident_key(condition),
        id=around.ids(),
        alert=condition.alert,
        when=condition.when,
        chain=condition.chain,
        subject=condition.subject,
        stage=Stage.PENDING,
        since=now,
        severity=condition.severity,
        title=condition.title,
        summary=condition.summary,
    )


def _seen(incident: Incident, condition: Condition, around: Circumstances) -> tuple[Incident, Move]:
    since = min(incident.since, around.now)  # a clock that was set back must not delay an alert
    fresh = replace(
        incident,
        since=since,
        gone=None,
        severity=condition.severity,
        title=condition.title,
        summary=condition.summary,
        matters=condition.matters,
        facts=condition.facts,
    )
    if incident.stage is Stage.PENDING and around.now - since < around.rules[incident.alert].for_:
        return fresh, Move.PENDING
    return replace(fresh, stage=Stage.FIRING), Move.FIRING


def _unseen(incident: Incident, around: Circumstances, *, inhibited: bool) -> tuple[Incident | None, Move]:
    if incident.stage is Stage.RESOLVED:
        ended = incident.resolved if incident.resolved is not None else around.now
        return (None, Move.FORGOTTEN) if around.now - ended > REOPEN_WITHIN else (incident, Move.OVER)
    if incident.chain not in around.settled:
        return incident, Move.UNSETTLED
    if incident.stage is Stage.PENDING:
        return (replace(incident, stage=Stage.RESOLVED) if incident.told else None), Move.LAPSED
    if inhibited:
        return incident, Move.SUSPENDED
    gone = around.now if incident.gone is None else incident.gone
    if around.now - gone < RULES[incident.when].hold(around.rules[incident.alert]):
        return replace(incident, gone=gone), Move.HELD
    return _end(incident, around.now), Move.ENDED


def _end(incident: Incident, now: float) -> Incident:
    return replace(incident, stage=Stage.RESOLVED, gone=None, resolved=now, silenced=False)
