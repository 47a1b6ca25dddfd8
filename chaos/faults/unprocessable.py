"""Fault: the provider answers 422, it cannot work with the request."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "unprocessable",
    "the provider answers 422, it cannot work with the request",
    reply(422),
)
