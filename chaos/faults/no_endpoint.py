"""Fault: the router answers 404, nobody is left to serve the model."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "no_endpoint",
    "the router answers 404, nobody is left to serve the model",
    reply(404, error_type="no_endpoints", message="No endpoints found that can serve the model"),
)
