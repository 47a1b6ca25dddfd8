"""Values with everything filled in, for tests that care about one field."""

from __future__ import annotations

from typing import Any

from monitor.model import (
    Health,
    Notice,
    NoticeCause,
    NoticeState,
    Origin,
    Outcome,
    Reason,
    Severity,
    Status,
    Subject,
    Transition,
    Verdict,
    VerdictKind,
    new_id,
)

NOW = 1_700_000_000.0


def outcome(**changed: Any) -> Outcome:
    at = changed.get("at", NOW)
    plain: dict[str, Any] = {
        "id": new_id(at),
        "at": at,
        "chain": "chat",
        "probe": "chat:completion",
        "kind": "completion",
        "origin": Origin.SCHEDULED,
        "status": Status.OK,
        "reason": Reason.NONE,
    }
    return Outcome(**{**plain, **changed})


def transition(**changed: Any) -> Transition:
    plain: dict[str, Any] = {
        "at": NOW,
        "subject": Subject(chain="chat"),
        "before": Health.HEALTHY,
        "after": Health.DOWN,
        "reason": Reason.TIMEOUT,
        "detail": "no answer within 30s",
        "outcome": "o1",
    }
    return Transition(**{**plain, **changed})


def verdict(**changed: Any) -> Verdict:
    plain: dict[str, Any] = {
        "at": NOW,
        "run": "r1",
        "drill": "primary-gone",
        "chain": "chat",
        "kind": VerdictKind.PASSED,
        "because": "secondary answered within 2s",
        "fault": "unavailable",
    }
    return Verdict(**{**plain, **changed})


def notice(**changed: Any) -> Notice:
    """Firing unless told otherwise; the id follows from incident, cause and time."""
    plain: dict[str, Any] = {
        "at": NOW,
        "incident": "i1",
        "alert": "chain-down",
        "chain": "chat",
        "severity": Severity.CRITICAL,
        "state": NoticeState.FIRING,
        "cause": NoticeCause.FIRST,
        "notifier": "slack",
        "title": "chat is down",
        "summary": "no target of chat answers",
        "facts": (("Last good", "12:03:04 UTC"), ("Dead", "primary: timeout")),
        "since": NOW,
    }
    value = {**plain, **changed}
    value.setdefault("id", f"{value['incident']}-{value['cause']}-{value['at']:.3f}")
    return Notice(**value)


def resolved(**changed: Any) -> Notice:
    """Resolved 252 s after it fired, unless told otherwise."""
    return notice(**{"at": NOW + 252, "state": NoticeState.RESOLVED, "cause": NoticeCause.RESOLVED, **changed})
