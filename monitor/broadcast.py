"""What happens in the daemon, in short, for the pages that listen. No costs, no details, no names of hosts."""

from __future__ import annotations

from chaos.model import Event, Injection, Journal
from monitor.clock import Clock
from monitor.model import Origin, Outcome, Transition
from monitor.web.feed import REFRESH, Feed

LIVE_EVERY = 1.0
"""Seconds between two exchanges of application traffic that are told of one chain: a picture needs no more."""


class Broadcast:
    """Puts things into the feed; also an observer of drills (``chaos.experiment.Observer``)."""

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._live: dict[str, float] = {}

    def on_transition(self, change: Transition) -> None:
        self._feed.publish(
            "health",
            {
                "at": change.at,
                "chain": change.subject.chain,
                "target": change.subject.target,
                "provider": change.subject.provider,
                "before": change.before,
                "after": change.after,
            },
        )

    def on_outcome(self, outcome: Outcome) -> None:
        if outcome.origin is Origin.LIVE and not self._is_due(outcome):
            return
        self._feed.publish(
            "outcome",
            {
                "at": outcome.at,
                "chain": outcome.chain,
                "target": outcome.target,
                "provider": outcome.provider,
                "kind": outcome.kind,
                "origin": outcome.origin,
                "status": outcome.status,
                "reason": outcome.reason,
                "served_by": outcome.served_by,
                "path": outcome.path,
                "duration": round(outcome.duration, 4),
            },
        )

    def on_event(self, run: str, event: Event) -> None:
        self._feed.publish("drill", {"at": event.at, "run": run, "phase": event.phase, "text": event.text})

    def on_active(self, injection: Injection, active: bool) -> None:
        """The drill says so itself."""

    def on_finished(self, journal: Journal) -> None:
        verdict = journal.verdict
        self._feed.publish(
            "verdict",
            {
                "at": verdict.at,
                "run": verdict.run,
                "drill": verdict.drill,
                "chain": verdict.chain,
                "verdict": verdict.kind,
                "because": verdict.because,
            },
        )

    def alerts_changed(self) -> None:
        self._feed.publish("alert", {"at": self._clock.now()})

    def all_changed(self) -> None:
        """Another config is in force, or our own network went down or came back."""
        self._feed.publish(REFRESH, {})

    def _is_due(self, outcome: Outcome) -> bool:
        if outcome.at - self._live.get(outcome.chain, 0.0) < LIVE_EVERY:
            return False
        self._live[outcome.chain] = outcome.at
        return True
