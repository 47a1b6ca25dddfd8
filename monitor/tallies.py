"""What is counted of each chain over days: who answered, whether the promise was kept, how long failovers took."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from monitor import objective
from monitor.cascades import Cascades
from monitor.fallback import KEEP, FallbackHistory, counted_path
from monitor.model import Origin, Outcome, Path
from monitor.objective import ObjectiveHistory, is_good
from monitor.store import Store


class Tallies:
    """By chain. Fallbacks and promises are worked out of the stored outcomes again at a start.

    ``live_good``, ``live_bad``: when traffic of applications was last answered, and last was not, since the start.
    """

    def __init__(self, chains: Iterable[str]) -> None:
        self.fallbacks: dict[str, FallbackHistory] = {}
        self.objectives: dict[str, ObjectiveHistory] = {}
        self.cascades: dict[str, Cascades] = {}
        self.live_good: dict[str, float] = {}
        self.live_bad: dict[str, float] = {}
        self.follow(chains)

    @classmethod
    async def restore(cls, chains: Iterable[str], store: Store, now: float) -> Self:
        self = cls(chains)
        paths: dict[str, list[tuple[int, Path, int]]] = {}
        for chain, minute, path, count in await store.fallback_buckets(now - KEEP):
            paths.setdefault(chain, []).append((minute, path, count))
        self.fallbacks |= {chain: FallbackHistory(found) for chain, found in paths.items()}
        kept: dict[str, list[tuple[int, int, int]]] = {}
        for chain, minute, good, bad in await store.objective_buckets(now - objective.KEEP):
            kept.setdefault(chain, []).append((minute, good, bad))
        self.objectives |= {chain: ObjectiveHistory(found) for chain, found in kept.items()}
        return self

    def follow(self, chains: Iterable[str]) -> None:
        """What is configured anew begins; what is gone is kept, for it may come back."""
        for chain in chains:
            self.fallbacks.setdefault(chain, FallbackHistory())
            self.objectives.setdefault(chain, ObjectiveHistory())
            self.cascades.setdefault(chain, Cascades())

    def take(self, outcome: Outcome) -> None:
        """An outcome of a configured chain."""
        if (path := counted_path(outcome)) is not None:
            self.fallbacks[outcome.chain].add(outcome.at, path)
        if (good := is_good(outcome)) is not None:
            self.objectives[outcome.chain].add(outcome.at, good=good)
            if outcome.origin is Origin.LIVE:
                (self.live_good if good else self.live_bad)[outcome.chain] = outcome.at
        self.cascades[outcome.chain].take(outcome)
