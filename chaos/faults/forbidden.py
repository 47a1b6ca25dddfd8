"""Fault: the provider answers 403, the key may not use the model."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "forbidden",
    "the provider answers 403, the key may not use the model",
    reply(403),
)
