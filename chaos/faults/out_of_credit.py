"""Fault: the provider answers 402, the credit is used up."""

from __future__ import annotations

from chaos.faults.replies import error_fault, reply

FAULT = error_fault(
    "out_of_credit",
    "the provider answers 402, the credit is used up",
    reply(402),
)
