"""Fault: the provider answers 404, the model does not exist any more."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "model_gone",
    "the provider answers 404, the model does not exist any more",
    reply(404, message="The requested model does not exist"),
)
