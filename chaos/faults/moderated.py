"""Fault: the provider answers 403, the input was flagged."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "moderated",
    "the provider answers 403, the input was flagged",
    reply(403, error_type="content_policy_violation", message="Your input was flagged by moderation"),
)
