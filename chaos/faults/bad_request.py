"""Fault: the provider answers 400, a parameter is refused."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "bad_request",
    "the provider answers 400, a parameter is refused",
    reply(400, message="Unsupported parameter"),
)
