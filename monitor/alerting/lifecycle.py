"""How one alert moves between its stages; who is told of it is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.alerting.alert import Alert, Stage, alert_key, cause_of
from monitor.alerting.incident import REOPEN_WITHIN
from monitor.alerting.silences import Silence, silenced
from monitor.conditions import RULES, CauseKind, Condition
from monitor.config.model import AlertsFile, RuleConfig

CAUSE_LASTS = 60.0
"""Seconds for which another cause must show before a firing alert has it: targets do not die in the same moment."""
WIDER_LASTS = 15.0
"""Seconds for a wider one, which explains more chains: the sooner they are one incident the better."""
_WIDTH = {kind: rank for rank, kind in enumerate(CauseKind)}


class Move(StrEnum):
    """What has just become of an alert."""

    PENDING = "pending"
    LAPSED = "lapsed"
    FIRING = "firing"
    UNSETTLED = "unsettled"
    SUSPENDED = "suspended"
    HELD = "held"
    ENDED = "ended"
    VANISHED = "vanished"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is decided about an alert depends on this, besides its condition."""

    alerts: AlertsFile
    rules: Mapping[str, RuleConfig]
    muted: Collection[str]
    chains: Collection[str]
    settled: Collection[str]
    now: float
    ids: Callable[[], str]
    silences: Collection[Silence] = ()

    def silences_now(self, alert: Alert) -> bool:
        return silenced(
            alert.chain, alert.alert, self.silences, self.alerts.windows, self.now, incident=alert.incident
        )  # fmt: skip

    def knows(self, alert: Alert) -> bool:
        """Whether the config still has what the alert is about."""
        rule = self.rules.get(alert.alert)
        return (
            rule is not None
            and rule.when == alert.when
            and (alert.chain in self.chains or RULES[alert.when].is_about_itself)
            and (not rule.chains or alert.chain in rule.chains)
        )


def move(
    alert: Alert | None, condition: Condition | None, around: Circumstances, *, hidden: bool
) -> tuple[Alert | None, Move]:
    """The alert as it is now, None when there is nothing to remember, and what became of it. ``hidden``: that its
    condition is absent says nothing."""
    if alert is not None and alert.stage is not Stage.RESOLVED and not around.knows(alert):
        return replace(_end(alert, around.now), vanished=True), Move.VANISHED
    if condition is not None:
        return _seen(_opened(alert, condition, around), condition, around)
    if alert is None:
        return None, Move.LAPSED
    return _unseen(alert, around, hidden=hidden)


def is_forgotten(alert: Alert, now: float) -> bool:
    """Whether it ended so long ago that it is another one when it comes back."""
    return alert.stage is Stage.RESOLVED and (alert.resolved is None or now - alert.resolved > REOPEN_WITHIN)


def _opened(alert: Alert | None, condition: Condition, around: Circumstances) -> Alert:
    now = around.now
    if alert is not None and alert.when == condition.when:
        if alert.stage is not Stage.RESOLVED:
            return alert
        if not is_forgotten(alert, now):
            return replace(alert, stage=Stage.PENDING, since=now, vanished=False, cause=cause_of(condition))
    return Alert(
        key=alert_key(condition),
        alert=condition.alert,
        when=condition.when,
        chain=condition.chain,
        subject=condition.subject,
        stage=Stage.PENDING,
        since=now,
        severity=condition.severity,
        title=condition.title,
        summary=condition.summary,
        cause=cause_of(condition),
    )


def _seen(alert: Alert, condition: Condition, around: Circumstances) -> tuple[Alert, Move]:
    since = min(alert.since, around.now)  # a clock that was set back must not delay an alert
    fresh = replace(
        _with_cause(alert, condition, around.now),
        since=since,
        gone=None,
        severity=condition.severity,
        title=condition.title,
        summary=condition.summary,
        matters=condition.matters,
        brief=condition.brief,
        facts=condition.facts,
        target=condition.target,
        provider=condition.provider,
    )
    if alert.stage is Stage.PENDING and around.now - since < around.rules[alert.alert].for_:
        return fresh, Move.PENDING
    return replace(fresh, stage=Stage.FIRING), Move.FIRING


def _with_cause(alert: Alert, condition: Condition, now: float) -> Alert:
    """What is not told yet takes its cause as it shows; what fires, when it has lasted."""
    cause = cause_of(condition)
    if alert.stage is Stage.PENDING or cause == alert.cause:
        return replace(alert, cause=cause, turning=None, turned=None)
    if cause != alert.turning or alert.turned is None:
        return replace(alert, turning=cause, turned=now)
    lasts = WIDER_LASTS if _WIDTH[cause.kind] < _WIDTH[alert.cause.kind] else CAUSE_LASTS
    return replace(alert, cause=cause, turning=None, turned=None) if now - alert.turned >= lasts else alert


def _unseen(alert: Alert, around: Circumstances, *, hidden: bool) -> tuple[Alert | None, Move]:
    if alert.stage is Stage.RESOLVED:
        return alert, Move.OVER
    if alert.chain not in around.settled and not RULES[alert.when].is_about_itself:
        return alert, Move.UNSETTLED
    if alert.stage is Stage.PENDING:
        return (replace(alert, stage=Stage.RESOLVED) if alert.resolved is not None else None), Move.LAPSED
    if hidden:
        return alert, Move.SUSPENDED
    gone = around.now if alert.gone is None else alert.gone
    if around.now - gone < RULES[alert.when].hold(around.rules[alert.alert]):
        return replace(alert, gone=gone), Move.HELD
    return _end(alert, around.now), Move.ENDED


def _end(alert: Alert, now: float) -> Alert:
    return replace(alert, stage=Stage.RESOLVED, gone=None, turning=None, turned=None, resolved=now)
