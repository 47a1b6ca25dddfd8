"""Fault: the provider answers 529, overloaded."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "overloaded",
    "the provider answers 529, overloaded",
    reply(529),
)
