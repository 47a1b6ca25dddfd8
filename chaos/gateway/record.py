"""What is seen of one exchange while it passes: times, and bounded copies of what was said. Read afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaos.gateway.watches import Seen

HEAD_LIMIT = 256 * 1024
TAIL_LIMIT = 64 * 1024


class End(StrEnum):
    """How an exchange ended on the wire."""

    COMPLETE = "complete"
    CUT = "cut"
    CLIENT_GONE = "client_gone"
    UNREACHABLE = "unreachable"
    TOO_LARGE = "too_large"


class Copy:
    """The beginning and the end of a body: pieces as they passed, each with its time.

    A piece is a reference to bytes that were there anyway; ``size`` counts all that passed.
    """

    __slots__ = ("head", "kept", "size", "tail", "times")

    def __init__(self) -> None:
        self.head: list[bytes] = []
        self.times: list[float] = []
        self.tail = b""
        self.size = 0
        self.kept = 0

    def take(self, piece: bytes, at: float) -> None:
        self.size += len(piece)
        if self.kept < HEAD_LIMIT:
            self.head.append(piece[: HEAD_LIMIT - self.kept])
            self.times.append(at)
            self.kept += len(self.head[-1])
            piece = piece[len(self.head[-1]) :]
        if piece:
            self.tail = (self.tail + piece)[-TAIL_LIMIT:]

    @property
    def whole(self) -> bool:
        return self.kept == self.size

    @property
    def weight(self) -> int:
        return self.kept + len(self.tail)


class Record:
    """One exchange. Seconds since the epoch: ``at``; of the loop's clock: all others. The request's head is no part
    of it, since that is where keys are.

    ``chain``: what the client named in ``X-Fallbackd-Chain``. ``marked``: it carries the mark of a drill. ``met``: a
    fault met it, of the drill ``drill``; ``injected``: the answer is not the endpoint's own. ``drill`` without ``met``:
    a fault met its call before. ``whole``: when all of the request was here; ``sent``: when it left for the endpoint;
    ``passed``: when the first bytes of the answer left for the client. ``seen``: what a drill that watches keeps of it.
    """

    __slots__ = (
        "answer", "asked", "at", "chain", "drill", "end", "ended", "error", "first_byte", "headers", "injected",
        "marked", "met", "passed", "path", "seen", "sent", "started", "status", "whole",
    )  # fmt: skip

    def __init__(self, *, at: float, started: float, path: str) -> None:
        self.at = at
        self.started = started
        self.path = path
        self.chain: str | None = None
        self.drill: str | None = None
        self.asked = Copy()
        self.answer = Copy()
        self.status: int | None = None
        self.headers: Sequence[tuple[bytes, bytes]] = ()
        self.whole: float | None = None
        self.sent: float | None = None
        self.first_byte: float | None = None
        self.passed: float | None = None
        self.ended = started
        self.end = End.COMPLETE
        self.error: BaseException | None = None
        self.marked = False
        self.injected = False
        self.met = False
        self.seen: Seen | None = None

    @property
    def weight(self) -> int:
        """Bytes that it holds on to."""
        return self.asked.weight + self.answer.weight
