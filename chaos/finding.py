"""What one rule of the judgement finds."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.model import VerdictKind


@dataclass(frozen=True, slots=True)
class Finding:
    kind: VerdictKind
    because: str


def passed(because: str) -> Finding:
    return Finding(VerdictKind.PASSED, because)


def deviated(because: str) -> Finding:
    return Finding(VerdictKind.DEVIATED, because)


def inconclusive(because: str) -> Finding:
    return Finding(VerdictKind.INCONCLUSIVE, because)
