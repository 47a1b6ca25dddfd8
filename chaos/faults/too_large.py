"""Fault: the provider answers 413, the request is too large."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "too_large",
    "the provider answers 413, the request is too large",
    reply(413),
)
