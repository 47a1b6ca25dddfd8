"""Fault: the provider answers 408, it waited too long."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "request_timeout",
    "the provider answers 408, it waited too long",
    reply(408),
)
