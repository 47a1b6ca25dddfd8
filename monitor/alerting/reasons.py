"""Why somebody was told about an alert, or why nobody was."""

from __future__ import annotations

from enum import StrEnum


class DecisionReason(StrEnum):
    """Why somebody was told about an alert, or why nobody was."""

    FIRST = "first"
    CHANGED = "changed"
    AGAIN = "again"
    REPEAT_DUE = "repeat_due"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    VANISHED = "vanished"
    MERGED = "merged"
    LEFT = "left"
    PENDING = "pending"
    LAPSED = "lapsed"
    NOT_DUE = "not_due"
    TAKEN_ON = "taken_on"
    THROTTLED = "throttled"
    INHIBITED = "inhibited"
    SILENCED = "silenced"
    SILENCE_OVER = "silence_over"
    HELD = "held"
    UNSETTLED = "unsettled"
    NO_ROUTE = "no_route"
    MUTED = "muted"
    STOOD_IN = "stood_in"
    NOBODY_ELSE = "nobody_else"
    RESOLVED_QUIETLY = "resolved_quietly"
    OVER = "over"
    FORGOTTEN = "forgotten"
