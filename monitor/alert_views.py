"""Alerts and incidents as pages and programs see them."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.alarm import Alarm
from monitor.alerting import Alert, Incident
from monitor.conditions import RULES
from monitor.model import Severity
from monitor.web.views import AlertView, IncidentView

_GRAVITY = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


def _by_gravity(alert: Alert) -> tuple[int, int, float]:
    """The gravest first; of equals the one that explains the others."""
    return _GRAVITY.index(alert.severity), -len(RULES[alert.when].inhibits), alert.since


class AlertViews:
    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm

    def alerts(self) -> Sequence[AlertView]:
        """Every one that fires or is pending, the gravest first."""
        reasons = self._alarm.reasons()
        taken = {one.id: one.acknowledged for one in self._alarm.incidents}
        return [
            AlertView(
                key=one.key,
                alert=one.alert,
                chain=one.chain,
                severity=one.severity,
                state=one.stage.value,
                since=one.since,
                title=one.title,
                summary=one.summary,
                facts=one.facts,
                reasons=reasons.get(one.key, ()),
                incident=one.incident if one.is_firing else None,
                acknowledged=taken.get(one.incident) if one.is_firing else None,
            )
            for one in sorted(self._alarm.alerts, key=lambda one: (_GRAVITY.index(one.severity), one.since))
        ]

    def incidents(self) -> Sequence[IncidentView]:
        """Those that are open, the gravest first."""
        views = [self.incident(one) for one in self._alarm.incidents]
        return sorted(views, key=lambda one: (_GRAVITY.index(one.severity), one.since))

    def incident(self, incident: Incident) -> IncidentView:
        firing = [one for one in self._alarm.members(incident.id) if one.is_firing]
        gravest = min(firing, key=_by_gravity)
        return IncidentView(
            id=incident.id,
            cause=str(incident.cause),
            severity=gravest.severity,
            title=gravest.title,
            since=incident.since,
            chains=tuple(dict.fromkeys(one.chain for one in firing)),
            alerts=tuple(one.key for one in firing),
            told=tuple(one.notifier for one in incident.told if not one.over),
            acknowledged=incident.acknowledged,
        )
