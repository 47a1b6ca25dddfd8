"""Fault: the answer begins in time, its first token comes late."""

from __future__ import annotations

from chaos.faults.waits import wait_fault
from chaos.model import Effect

FAULT = wait_fault(
    "slow_first_token",
    "the answer begins in time, its first token comes late",
    lambda wait: Effect(first_token_delay=wait),
    seconds=5.0,
)
