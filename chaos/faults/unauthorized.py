"""Fault: the provider answers 401, the credential is refused."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "unauthorized",
    "the provider answers 401, the credential is refused",
    reply(401),
)
