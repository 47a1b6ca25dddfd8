"""What the page and the API need of the daemon. The wiring implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from monitor.alerting import Silence
from monitor.model import Health, Outcome, Transition
from monitor.web.coverage_views import CoverageView
from monitor.web.views import (
    AlertView,
    ChainView,
    DrillView,
    IncidentView,
    OutcomeQuery,
    Refused,
    RunDetail,
    RunView,
    Started,
    StatusView,
)


class Control(Protocol):
    """Plain methods answer from memory; async ones may read the store, and raise FallbackdError when it cannot be."""

    def status(self) -> StatusView: ...

    def ready(self) -> tuple[bool, str]:
        """Whether there are first results of every chain, and the sentence that says so or why not."""
        ...

    def healths(self) -> Mapping[str, Health]:
        """Of every chain by its name, in the order of the config: cheap, where the views of many chains are not."""
        ...

    def chain(self, name: str) -> ChainView | None:
        """None when there is no such chain."""
        ...

    def chains(self) -> Sequence[ChainView]:
        """In the order of the config."""
        ...

    def alerts(self) -> Sequence[AlertView]:
        """Every alert that fires or is pending, the gravest first."""
        ...

    def incidents(self) -> Sequence[IncidentView]:
        """Those that are open, the gravest first."""
        ...

    async def acknowledge(self, incident: str, *, by: str) -> IncidentView | None:
        """No repeats until it gets worse or is over; None when no such incident is open."""
        ...

    async def silence_incident(self, incident: str, *, seconds: float, why: str, by: str) -> Silence | Refused:
        """Nobody hears of an incident for a while."""
        ...

    def silences(self) -> Sequence[Silence]:
        """Those that hold now, the first to end first."""
        ...

    async def silence(self, chain: str, alert: str | None, *, seconds: float, why: str, by: str) -> Silence | Refused:
        """Nobody hears of a chain's alerts, or of one of them, for a while."""
        ...

    async def end_silence(self, id_: str) -> bool:
        """False when there is none of this id."""
        ...

    async def test_alert(self, rule: str) -> tuple[str, ...] | Refused | None:
        """Send a marked example through the rule's real route: to whom; None for a rule that there is not."""
        ...

    def coverage(self) -> CoverageView:
        """Which failovers are proven, of every chain in the order of the config."""
        ...

    def drills(self) -> Sequence[DrillView]:
        """In the order of the config."""
        ...

    async def outcomes(self, query: OutcomeQuery) -> Sequence[Outcome]:
        """Newest first, at most ``query.limit``."""
        ...

    async def outcome(self, id_: str) -> Outcome | None: ...

    async def transitions(self, *, chain: str | None = None, limit: int = 100) -> Sequence[Transition]:
        """Newest first."""
        ...

    async def runs(self, *, chain: str | None = None, limit: int = 50) -> Sequence[RunView]:
        """Newest first, those under way before all others."""
        ...

    async def run(self, run: str) -> RunDetail | None: ...

    async def start_run(self, name: str, *, asked_by: str) -> Started | Refused:
        """Begin a drill that is configured."""
        ...

    async def stop(self, *, asked_by: str) -> int:
        """End every drill at once and block new ones. Returns how many were running."""
        ...

    async def release(self, *, asked_by: str) -> None:
        """Allow drills again."""
        ...

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics page and its content type."""
        ...
