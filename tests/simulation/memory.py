"""What the store keeps over a restart, without a disk: what was committed is there, everything else is gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from monitor.model import Notice, Outcome, Transition, Verdict
from monitor.model import Path as ChainPath
from monitor.objective import is_good
from monitor.store.notices import Notices

LATELY = 60
"""Outcomes of a chain and its targets that are remembered whole."""


class Memory:
    """The part of ``monitor.store.Store`` that watching and telling need. It survives the daemon that uses it.
    ``lately``: by chain, the latest outcomes, as evidence."""

    def __init__(self) -> None:
        self._states: dict[str, dict[str, bytes]] = {}
        self._notices = Notices()
        self._buckets: dict[tuple[str, int, ChainPath], int] = {}
        self._kept: dict[tuple[str, int], list[int]] = {}
        self._last: dict[tuple[str, str], float] = {}
        self.transitions: list[Transition] = []
        self.lately: dict[str, deque[Outcome]] = {}

    def add_outcome(self, outcome: Outcome) -> None:
        self.lately.setdefault(outcome.chain, deque(maxlen=LATELY)).append(outcome)
        self._last[outcome.chain, outcome.probe] = outcome.at
        if outcome.path is not None:
            key = (outcome.chain, int(outcome.at // 60), outcome.path)
            self._buckets[key] = self._buckets.get(key, 0) + 1
        if (good := is_good(outcome)) is not None:
            counts = self._kept.setdefault((outcome.chain, int(outcome.at // 60)), [0, 0])
            counts[0 if good else 1] += 1

    def add_transition(self, transition: Transition) -> None:
        self.transitions.append(transition)

    def lag(self) -> float:
        return 0.0

    async def states(self, kind: str) -> dict[str, bytes]:
        return dict(self._states.get(kind, {}))

    async def put_states(self, kind: str, values: Mapping[str, bytes | None]) -> None:
        held = self._states.setdefault(kind, {})
        for key, value in values.items():
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value

    async def spend(self, since: float) -> dict[str, float]:
        return {}

    async def fallback_buckets(self, since: float) -> list[tuple[str, int, ChainPath, int]]:
        return [(chain, minute, path, count) for (chain, minute, path), count in sorted(self._buckets.items())]

    async def objective_buckets(self, since: float) -> list[tuple[str, int, int, int]]:
        return [(chain, minute, good, bad) for (chain, minute), (good, bad) in sorted(self._kept.items())]

    async def last_probes(self) -> dict[tuple[str, str], float]:
        return dict(self._last)

    async def journals(self, **_: object) -> list[tuple[Verdict, bytes]]:
        return []

    async def decide(self, kind: str, states: Mapping[str, bytes | None], notices: Iterable[Notice]) -> None:
        await self.put_states(kind, states)
        for notice in notices:
            self._notices.add(notice)

    def waiting(self, notifier: str) -> tuple[Notice, ...]:
        return self._notices.waiting(notifier)

    def message_ref(self, notifier: str, incident: str) -> str | None:
        return self._notices.ref(notifier, incident)

    async def delivered(self, notice: Notice, ref: str | None) -> None:
        self._notices.delivered(notice, ref, notice.at)
        self._notices.saved(self._notices.unsaved())
