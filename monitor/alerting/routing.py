"""Who is told about an alert."""

from __future__ import annotations

from monitor.alerting.alert import Alert
from monitor.config.model import AlertsFile, MatchConfig


def recipients(alert: Alert, alerts: AlertsFile) -> tuple[str, ...]:
    """The notifiers of every route that fits, each once, in the order of the routes."""
    named = [name for route in alerts.routes if _fits(route.match, alert) for name in route.notify]
    return tuple(dict.fromkeys(named))


def _fits(match: MatchConfig, alert: Alert) -> bool:
    return (
        (not match.severity or alert.severity in match.severity)
        and (not match.alerts or alert.alert in match.alerts)
        and (not match.chains or alert.chain in match.chains)
    )
