"""How often to ask: faster while something looks wrong, step by step slower what has been healthy for long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.health import KindState, SubjectState
from monitor.model import Health, ProbeSpec

_MOST_STEPS = 20


class PaceReason(StrEnum):
    """Why a question is asked as often as it is."""

    CONFIGURED = "configured"
    SUSPICIOUS = "suspicious"
    HEALTHY_FOR_LONG = "healthy_for_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``interval`` in seconds. ``because`` is for people."""

    interval: float
    reason: PaceReason
    because: str


def decide(spec: ProbeSpec, state: SubjectState | None, chain: Health, now: float) -> Pace:
    """The pace of a question from what is known of its subject and of its ``chain`` as a whole.

    Suspicion ends: what has been in the same trouble for ``slower_after`` is asked as configured, since a long outage
    needs no hurry. While a chain is in trouble none of its questions is slow: its other targets carry the load.
    """
    kind = next((kind for kind in state.kinds if kind.kind == spec.kind), None) if state else None
    if spec.pace is None or kind is None:
        return Pace(interval=spec.every, reason=PaceReason.CONFIGURED, because="as configured")
    trouble = _trouble(kind)
    if trouble and now - _troubled_since(kind) < spec.pace.slower_after:
        return Pace(interval=min(spec.every, spec.pace.fastest), reason=PaceReason.SUSPICIOUS, because=trouble)
    if trouble or kind.health is not Health.HEALTHY or chain is not Health.HEALTHY:
        return Pace(interval=spec.every, reason=PaceReason.CONFIGURED, because=trouble or "its chain is in trouble")
    quiet = now - max(kind.since, kind.last_bad or 0.0)
    interval = slowed(spec, quiet)
    if interval <= spec.every:
        return Pace(interval=spec.every, reason=PaceReason.CONFIGURED, because="not healthy for long yet")
    return Pace(interval=interval, reason=PaceReason.HEALTHY_FOR_LONG, because=f"healthy for {quiet / 3600:.1f} h")


def slowed(spec: ProbeSpec, quiet: float) -> float:
    """The interval of what has been healthy for ``quiet`` seconds: doubled with each step, down to the slowest pace."""
    if spec.pace is None:
        return spec.every
    steps = min(_MOST_STEPS, int(max(0.0, quiet) // spec.pace.slower_after))
    return max(spec.every, min(spec.every * 2.0**steps, spec.pace.slowest))


def _trouble(kind: KindState) -> str:
    """What looks wrong, empty when nothing does. A rate limit is suspicious until it is known to be over."""
    if kind.health in (Health.DOWN, Health.DEGRADED, Health.LIMITED):
        return f"{kind.health} ({kind.reason})"
    failed_last = kind.last_bad is not None and kind.last_bad > (kind.last_good or 0.0)
    return "the last answer was not good" if failed_last else ""


def _troubled_since(kind: KindState) -> float:
    """A trouble that has not changed the health is as young as its last bad result."""
    settled = kind.health in (Health.DOWN, Health.DEGRADED, Health.LIMITED)
    return kind.since if settled or kind.last_bad is None else kind.last_bad
