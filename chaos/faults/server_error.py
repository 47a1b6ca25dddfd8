"""Fault: the provider answers 500, with the cause masked."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "server_error",
    "the provider answers 500, with the cause masked",
    reply(500),
)
