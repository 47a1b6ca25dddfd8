"""Fault: the provider answers 400, the prompt exceeds the context length."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "context_length",
    "the provider answers 400, the prompt exceeds the context length",
    reply(
        400, error_type="context_length_exceeded", message="The prompt exceeds the maximum context length of this model"
    ),
)
