"""How long applications wait when a chain walks past targets that fail: the latest failed-over answers. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from monitor.model import Outcome, Path, Status

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One answer that came after others had been called and failed; durations in seconds."""

    at: float
    duration: float
    position: int | None
    served_by: str | None


class Cascades:
    """The latest walks of one chain; bounded, and begun anew with each start."""

    def __init__(self) -> None:
        self._walks: deque[Walk] = deque(maxlen=MOST)

    def take(self, outcome: Outcome) -> None:
        counts = outcome.is_chain and outcome.origin.counts and outcome.drill is None
        if counts and outcome.path is Path.FAILED_OVER and outcome.status is not Status.ERROR and outcome.duration > 0:
            self._walks.append(
                Walk(
                    at=outcome.at, duration=outcome.duration, position=outcome.position, served_by=outcome.served_by
                )
            )  # fmt: skip

    def since(self, start: float) -> tuple[Walk, ...]:
        return tuple(walk for walk in self._walks if walk.at > start)


def middle(walks: tuple[Walk, ...]) -> float:
    """The median duration, which one slow answer does not move."""
    return median(walk.duration for walk in walks)
