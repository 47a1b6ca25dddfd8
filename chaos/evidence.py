"""What a run of a drill recorded, as its judge reads it."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.capacity import Capacity
from chaos.comparison import Comparison
from chaos.conduct import Conduct
from chaos.model import Asked, Drill
from chaos.passing import Passed
from monitor.model import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run recorded.

    ``labels``: of the chain's targets, in order. ``met``: of each request in ``broken``, the positions at which it met
    a fault. ``injected``: requests that met one. ``aborted``: why it was ended early. ``crash``: what went wrong in the
    watcher itself.
    """

    drill: Drill
    run: str
    labels: tuple[str, ...]
    baseline: tuple[Outcome, ...] = ()
    broken: tuple[Outcome, ...] = ()
    recovered: tuple[Outcome, ...] = ()
    met: tuple[tuple[int, ...], ...] = ()
    injected: int = 0
    passed: tuple[Passed, ...] = ()
    application: tuple[Asked, ...] = ()
    compared: Comparison | None = None
    conduct: tuple[Conduct, ...] = ()
    capacity: Capacity | None = None
    refused: str | None = None
    aborted: str | None = None
    crash: str | None = None

    @property
    def gone(self) -> tuple[str, ...]:
        return tuple(self.labels[position] for position in self.drill.breaks)

    def broken_for(self, number: int) -> tuple[int, ...]:
        """The positions that were broken for a request (counted from 1): all that the drill breaks; where its faults
        come and go, those at which that request met one."""
        known = self.drill.varies and number <= len(self.met)
        return self.met[number - 1] if known else self.drill.breaks

    def gone_for(self, number: int) -> tuple[str, ...]:
        """The labels of what was broken for a request."""
        return tuple(self.labels[position] for position in self.broken_for(number))

    def expected(self, number: int) -> str | None:
        """Who must answer a request: whom the drill expects; with less than all of it broken, the first whole one."""
        return self.expected_without(self.broken_for(number))

    def expected_without(self, broken: tuple[int, ...]) -> str | None:
        """As ``expected``, with these positions broken."""
        if broken == self.drill.breaks:
            return self.drill.expect.served_by
        return next((label for at, label in enumerate(self.labels) if at not in broken), None)
