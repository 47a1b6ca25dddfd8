"""Whether a target is fit: what it can do of what its chain needs, beside whether it answers at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from monitor.capability import Capability, is_capability, resolve
from monitor.health.state import KindState, SubjectState
from monitor.model import Health, Reason


class Standing(StrEnum):
    """What is known of one capability of one target."""

    PROVEN = "proven"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """One capability that a chain needs, at one of its targets. ``at``: when it was last judged; ``detail`` says why
    it is missing, or why it is not known."""

    capability: Capability
    standing: Standing
    detail: str = ""
    at: float | None = None


def abilities(needs: Iterable[str], state: SubjectState | None) -> tuple[Ability, ...]:
    """Every need of a chain, as far as it is known of the target with this state."""
    kinds = {kind.kind: kind for kind in state.kinds} if state else {}
    return tuple(_ability(need, kinds.get(need)) for need in resolve(needs))


def lacks(state: SubjectState | None) -> tuple[str, ...]:
    """The capabilities that are missing now."""
    return tuple(kind.kind for kind in state.kinds if _is_missing(kind)) if state else ()


def named(state: SubjectState) -> str:
    """The reason of a state, with the capabilities where these are it: ``missing_capability (tools, vision)``."""
    return f"{state.reason} ({', '.join(lacks(state))})" if lacks(state) and _is_lack(state.reason) else state.reason


def _ability(need: Capability, kind: KindState | None) -> Ability:
    if kind is None or kind.health is Health.UNKNOWN:
        return Ability(capability=need, standing=Standing.UNKNOWN, detail="not asked yet")
    at = max(kind.last_good or 0.0, kind.last_bad or 0.0) or None
    if kind.health is Health.HEALTHY:
        return Ability(capability=need, standing=Standing.PROVEN, at=at)
    standing = Standing.MISSING if _is_missing(kind) else Standing.UNKNOWN
    return Ability(capability=need, standing=standing, detail=kind.detail, at=at)


def _is_missing(kind: KindState) -> bool:
    return is_capability(kind.kind) and kind.health is Health.DEGRADED and _is_lack(kind.reason)


def _is_lack(reason: Reason) -> bool:
    return reason is Reason.MISSING_CAPABILITY
