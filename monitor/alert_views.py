"""Alerts and incidents as pages and programs see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from monitor.alarm import Alarm
from monitor.alerting import Alert, DecisionReason, Incident, Stage
from monitor.conditions import RULES
from monitor.model import Severity
from monitor.notify.stand_in import ALERT as BROKEN_ALERT
from monitor.notify.stand_in import Broken
from monitor.web.views import AlertView, IncidentView

_GRAVITY = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


def _broken_view(broken: Broken) -> AlertView:
    reason = DecisionReason.STOOD_IN if broken.told else DecisionReason.NOBODY_ELSE
    return AlertView(
        key=f"{BROKEN_ALERT}:{broken.notifier}",
        alert=BROKEN_ALERT,
        chain="",
        severity=Severity.CRITICAL,
        state=Stage.FIRING.value,
        since=broken.since,
        title=f"Notifier {broken.notifier} reaches nobody",
        summary=f"{broken.text}.",
        facts=(("notifier", broken.notifier), ("told in its place", broken.told or "nobody")),
        reasons=(reason.value,),
    )


def _by_gravity(alert: Alert) -> tuple[int, int, float]:
    """The gravest first; of equals the one that explains the others."""
    return _GRAVITY.index(alert.severity), -len(RULES[alert.when].inhibits), alert.since


class AlertViews:
    """``broken``: notifiers that reach nobody. They are alerts that no rule asks for, told to whoever stands in."""

    def __init__(self, alarm: Alarm, broken: Callable[[], Mapping[str, Broken]]) -> None:
        self._alarm = alarm
        self._broken = broken

    def alerts(self) -> Sequence[AlertView]:
        """Every one that fires or is pending, the gravest first."""
        found = [*map(_broken_view, self._broken().values()), *self._ruled()]
        return sorted(found, key=lambda one: (_GRAVITY.index(one.severity), one.since))

    def _ruled(self) -> Sequence[AlertView]:
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
            for one in self._alarm.alerts
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
