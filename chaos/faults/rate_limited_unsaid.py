"""Fault: the provider answers 429 and does not say how long to wait."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "rate_limited_unsaid",
    "the provider answers 429 and does not say how long to wait",
    reply(429),
)
