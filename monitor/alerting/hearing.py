"""One notifier and what it hears of an incident: the values that a notice is worded from."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.alerting.alert import Alert
from monitor.alerting.incident import Gist, Incident, Told
from monitor.model import Severity

RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One notifier, and what it hears: alerts that fire, and those it was told of before that ended.

    ``gone``: sentences about what it was told of and hears of no more, though it is not over.
    """

    incident: Incident
    notifier: str
    told: Told | None
    heard: tuple[Alert, ...]
    left: tuple[Alert, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def gist(self) -> Gist:
        return tuple(one.gist for one in self.heard)

    @property
    def lead(self) -> Alert:
        """The gravest, of equals the oldest."""
        return min(self.heard or self.left, key=lambda one: (-RANK[one.severity], one.since, one.key))

    @property
    def chains(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.chain for one in self.heard or self.left))
