"""What a drill is judged as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.model.enums import Path


class VerdictKind(StrEnum):
    PASSED = "passed"
    DEVIATED = "deviated"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one drill run. ``failover`` is how long the chain took to answer while broken, in seconds.

    ``edge``: positions, from what was broken to who answered. ``tested``: labels of the edge that the run was to
    prove, whatever came of it; None where no fallback was to answer.
    """

    at: float
    run: str
    drill: str
    chain: str
    kind: VerdictKind
    because: str
    fault: str
    edge: tuple[int, int] | None = None
    path: Path | None = None
    failover: float | None = None
    served_by: str | None = None
    tested: tuple[str, str] | None = None


class Misdeed(StrEnum):
    """What a client did wrong while its calls were broken on purpose."""

    IGNORED_RETRY_AFTER = "ignored_retry_after"
    RETRIED_IN_VAIN = "retried_in_vain"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    NO_BACKOFF = "no_backoff"
    TOOK_A_TORSO = "took_a_torso"
    NEVER_FELL_BACK = "never_fell_back"
    RETRY_STORM = "retry_storm"
