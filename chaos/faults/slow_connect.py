"""Fault: the connection takes long to come about."""

from __future__ import annotations

from chaos.faults.waits import wait_fault
from chaos.model import Effect

FAULT = wait_fault(
    "slow_connect",
    "the connection takes long to come about",
    lambda wait: Effect(connect_delay=wait),
    seconds=5.0,
)
