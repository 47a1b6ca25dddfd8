"""Fault: a gateway before the provider answers 504, it gave up waiting."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "gateway_timeout",
    "a gateway before the provider answers 504, it gave up waiting",
    reply(504),
)
