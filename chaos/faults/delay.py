"""Fault: the answer comes late."""

from __future__ import annotations

from chaos.faults.waits import wait_fault
from chaos.model import Effect

FAULT = wait_fault(
    "delay",
    "the answer comes late",
    lambda wait: Effect(delay=wait),
    seconds=5.0,
)
