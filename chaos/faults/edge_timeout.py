"""Fault: the network's edge answers 524, the provider did not answer it in time."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "edge_timeout",
    "the network's edge answers 524, the provider did not answer it in time",
    reply(524),
)
