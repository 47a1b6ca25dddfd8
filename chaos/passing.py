"""What the gateway saw of an application during a drill: exchanges, and the calls that they add up to.

A call is what the application wanted once: its first request, its retries, and what it asked of fallbacks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from monitor.model import Reason


class Group(StrEnum):
    """``broken``: the calls that a drill breaks. ``control``: as many, drawn in the same way and left whole."""

    BROKEN = "broken"
    CONTROL = "control"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One exchange of an application. ``at`` and ``ended`` in seconds since the epoch, ``retry_after`` in seconds.

    ``met``: a fault met it. ``retry``: the number of the retry as the client counts, None where it does not say.
    ``cut``: the answer ended before its end. ``left``: the client hung up first. ``nonce``: what was found in the
    request of the marks that a drill put into its own questions to the application.

    Where the endpoint walks the chain: ``gone`` are the positions that the fault took away by changing the request, and
    ``spared`` says why it could not be changed, as the rest of a sentence about it. ``served``: the position of the
    target that answered, as the answer itself says; None where it does not.
    """

    at: float
    ended: float
    call: str
    group: Group
    position: int | None
    met: bool
    ok: bool
    reason: Reason
    status: int | None = None
    retry: int | None = None
    retry_after: float | None = None
    streamed: bool = False
    cut: bool = False
    left: bool = False
    nonce: str | None = None
    gone: tuple[int, ...] = ()
    served: int | None = None
    spared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``exchanges`` in order, one at least."""

    id: str
    exchanges: tuple[Passed, ...]

    @property
    def group(self) -> Group:
        """That of its latest exchange: the first may have passed before the draw."""
        return self.exchanges[-1].group

    @property
    def began(self) -> float:
        return self.exchanges[0].at

    @property
    def ended(self) -> float:
        return max(one.ended for one in self.exchanges)

    @property
    def duration(self) -> float:
        return self.ended - self.began

    @property
    def met(self) -> bool:
        """A fault met it."""
        return any(one.met for one in self.exchanges)

    @property
    def ok(self) -> bool:
        """Its last request was answered well, so the application had what it wanted."""
        return self.exchanges[-1].ok

    @property
    def fell_back(self) -> bool:
        """After the fault, a target was asked that comes later in the chain; where the endpoint walks, one answered
        that the fault did not take away."""
        number = next((number for number, one in enumerate(self.exchanges) if one.met), None)
        if number is None:
            return False
        first = self.exchanges[number]
        if first.gone:
            return any(
                one.ok and one.served is not None and one.served not in first.gone for one in self.exchanges[number:]
            )
        if first.position is None:
            return False
        return any(one.position is not None and one.position > first.position for one in self.exchanges)

    @property
    def walked(self) -> Passed | None:
        """The exchange that gave the call its answer, where its endpoint walked the chain with something taken away."""
        last = self.exchanges[-1]
        return last if last.gone and last.ok else None

    def is_settled(self, now: float, patience: float) -> bool:
        """Whether nothing more is to come of it: it was answered, or nothing was tried again for so long (seconds)."""
        return self.ok or now - self.ended >= patience


def calls_of(passed: Iterable[Passed]) -> tuple[Call, ...]:
    """The calls in the order in which they began."""
    by_call: dict[str, list[Passed]] = {}
    for one in sorted(passed, key=lambda one: one.at):
        by_call.setdefault(one.call, []).append(one)
    return tuple(Call(id=id_, exchanges=tuple(found)) for id_, found in by_call.items())
