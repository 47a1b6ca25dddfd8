"""Who is told about an alert."""

from __future__ import annotations

from typing import Protocol

from monitor.config.model import AlertsFile, MatchConfig
from monitor.model import Severity


class Routed(Protocol):
    """What a route looks at: an alert has it, and so has a notice of one."""

    @property
    def alert(self) -> str: ...
    @property
    def chain(self) -> str: ...
    @property
    def severity(self) -> Severity: ...


def recipients(alert: Routed, alerts: AlertsFile) -> tuple[str, ...]:
    """The notifiers of every route that fits, each once, in the order of the routes."""
    named = [name for route in alerts.routes if _fits(route.match, alert) for name in route.notify]
    return tuple(dict.fromkeys(named))


def _fits(match: MatchConfig, alert: Routed) -> bool:
    return (
        (not match.severity or alert.severity in match.severity)
        and (not match.alerts or alert.alert in match.alerts)
        and (not match.chains or alert.chain in match.chains)
    )
