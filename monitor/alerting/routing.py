"""Who is told about an incident."""

from __future__ import annotations

from monitor.alerting.incident import Incident
from monitor.config.model import AlertsFile, MatchConfig


def recipients(incident: Incident, alerts: AlertsFile) -> tuple[str, ...]:
    """The notifiers of every route that fits, each once, in the order of the routes."""
    named = [name for route in alerts.routes if _fits(route.match, incident) for name in route.notify]
    return tuple(dict.fromkeys(named))


def _fits(match: MatchConfig, incident: Incident) -> bool:
    return (
        (not match.severity or incident.severity in match.severity)
        and (not match.alerts or incident.alert in match.alerts)
        and (not match.chains or incident.chain in match.chains)
    )
