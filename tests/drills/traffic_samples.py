"""Exchanges of applications for the tests of drills."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chaos.passing import Call, Group, Passed
from monitor.model import Reason


def passed(**changes: Any) -> Passed:
    """One exchange with the primary that was answered well within half a second."""
    made = Passed(
        at=0.0,
        ended=0.5,
        call="call-1",
        group=Group.BROKEN,
        position=0,
        met=False,
        ok=True,
        reason=Reason.NONE,
        status=200,
    )
    return replace(made, **changes)


def failed(at: float, status: int = 503, **changes: Any) -> Passed:
    """One that met the fault, over after 100 ms."""
    return passed(at=at, ended=at + 0.1, met=True, ok=False, reason=Reason.SERVER_ERROR, status=status, **changes)


def call(*exchanges: Passed) -> Call:
    return Call(id="call-1", exchanges=exchanges)
