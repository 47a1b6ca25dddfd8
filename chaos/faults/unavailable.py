"""Fault: the provider answers 503, temporarily unavailable."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "unavailable",
    "the provider answers 503, temporarily unavailable",
    reply(503),
)
