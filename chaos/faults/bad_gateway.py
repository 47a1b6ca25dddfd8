"""Fault: the provider answers 502, as when it returns garbage to the router."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "bad_gateway",
    "the provider answers 502, as when it returns garbage to the router",
    reply(502),
)
