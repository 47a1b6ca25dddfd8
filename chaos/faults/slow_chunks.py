"""Fault: each further token of a stream comes late."""

from __future__ import annotations

from chaos.faults.waits import wait_fault
from chaos.model import Effect

FAULT = wait_fault(
    "slow_chunks",
    "each further token of a stream comes late",
    lambda wait: Effect(chunk_delay=wait),
    seconds=0.5,
)
