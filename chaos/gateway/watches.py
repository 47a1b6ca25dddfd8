"""What drills want to know of applications' traffic: each has a watch, which ends by itself as faults do."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chaos.gateway.calls import Calls, Open, end, key_of
from chaos.gateway.record import End, Record
from chaos.passing import Passed
from monitor.clock import Clock
from monitor.model import Outcome, Reason, Status
from monitor.reading import number, parse

LONGEST = 2 * 3600.0
MOST_KEPT = 20_000
"""Exchanges that one watch keeps; the oldest go first, and are counted."""
CALL, RETRY = "X-Fallbackd-Call", "x-stainless-retry-count"
"""Request fields: the application's own name of a call, where its questions repeat; the count of the official SDKs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """``nonce``: what stands before the number in the marks that the drill put into its own questions; None for none.
    ``until``: seconds since the epoch."""

    run: str
    chain: str
    until: float
    nonce: str | None = None


@dataclass(slots=True)
class _Kept:
    watch: Watch
    passed: deque[Passed] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    seen: int = 0


@dataclass(slots=True, kw_only=True)
class Seen:
    """What belongs to a record of a watched chain: its call, what the client said, and the Retry-After of a fault.

    ``gone``: the positions that a fault took away from it by changing it; ``spared``: why that could not be done."""

    call: Open
    retry: int | None
    position: int | None
    nonce: str | None
    retry_after: float | None = None
    gone: tuple[int, ...] = ()
    spared: str = ""


class Watches:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._calls = Calls()

    def __bool__(self) -> bool:
        return bool(self._kept)

    def begin(self, watch: Watch) -> None:
        """Raises ValueError with one sentence."""
        now = self._clock.now()
        if not now < watch.until <= now + LONGEST:
            raise ValueError(f"until must lie ahead, and no more than {LONGEST:g} s")
        self._expire(now)
        self._kept[watch.run] = _Kept(watch)

    def end(self, run: str) -> bool:
        found = self._kept.pop(run, None) is not None
        if not self._kept:
            self._calls.clear()
        return found

    def passed(self, run: str, after: int) -> tuple[int, tuple[Passed, ...]] | None:
        """How many there were, and those after the first ``after`` as far as they are kept; None without a watch."""
        self._expire(self._clock.now())
        kept = self._kept.get(run)
        if kept is None:
            return None
        fresh = max(0, kept.seen - after)
        return kept.seen, tuple(kept.passed)[-fresh:] if fresh else ()

    def asked(
        self, record: Record, chain: str | None, position: int | None, header: Callable[[str], str | None]
    ) -> Seen | None:
        """A request arrives; None where nobody watches its chain."""
        now = self._clock.now()
        self._expire(now)
        watching = [kept.watch for kept in self._kept.values() if kept.watch.chain == chain]
        if not watching:
            return None
        raw = b"".join(record.asked.head)
        told = header(RETRY) or ""
        retry = int(told) if told.isascii() and told.isdigit() and len(told) < 4 else None
        key = f"{chain} {key_of(raw, parse(raw) if record.asked.whole else None, header(CALL))}"
        call = self._calls.begin(key, position=position, retry=retry, now=now)
        nonces = (_nonce(watch.nonce, raw) for watch in watching if watch.nonce is not None)
        return Seen(call=call, retry=retry, position=position, nonce=next(filter(None, nonces), None))

    def ended(self, record: Record) -> None:
        """Its exchange is over. Whether it was any good is only guessed here, since a retry may come at once."""
        if record.seen is None:
            return
        good = record.end is End.COMPLETE and (record.status or 500) < 400 and not record.injected
        end(record.seen.call, ok=good, now=self._clock.now())

    def judged(self, record: Record, outcome: Outcome) -> None:
        """Its exchange was read."""
        seen = record.seen
        if seen is None:
            return
        passed = Passed(
            at=record.at,
            ended=record.at + record.ended - record.started,
            call=seen.call.id,
            group=seen.call.group,
            position=seen.position,
            met=record.met,
            ok=outcome.status is Status.OK,
            reason=outcome.reason,
            status=record.status,
            retry=seen.retry,
            retry_after=outcome.retry_after if seen.retry_after is None else seen.retry_after,
            streamed=outcome.kind == "stream",
            cut=record.end is End.CUT or outcome.reason in (Reason.CUT, Reason.STALLED),
            left=record.end is End.CLIENT_GONE,
            nonce=seen.nonce,
            gone=seen.gone,
            served=outcome.position if outcome.served_by is not None else None,
            spared=seen.spared,
        )
        for kept in self._kept.values():
            if kept.watch.chain == outcome.chain:
                kept.passed.append(passed)
                kept.seen += 1

    def _expire(self, now: float) -> None:
        for run, kept in list(self._kept.items()):
            if now >= kept.watch.until:
                self.end(run)


def _nonce(prefix: str, raw: bytes) -> str | None:
    found = re.search(re.escape(prefix.encode()) + rb"[0-9]{1,6}", raw)
    return found[0].decode() if found else None


FIELDS = ("run", "chain", "until", "nonce")


def read_watch(body: object) -> Watch:
    """A watch from JSON. Raises ValueError with one sentence."""
    if not isinstance(body, Mapping) or body.keys() - {*FIELDS}:
        raise ValueError(f"write a JSON object of {', '.join(FIELDS)}")
    texts = {name: body.get(name) for name in ("run", "chain")}
    for name, value in texts.items():
        if not isinstance(value, str) or not 0 < len(value) <= 100:
            raise ValueError(f"{name}: a text of 1 to 100 characters is needed")
    until, nonce = number(body.get("until")), body.get("nonce")
    if until is None:
        raise ValueError("until: a number is needed")
    if nonce is not None and (not isinstance(nonce, str) or not 8 <= len(nonce) <= 100):
        raise ValueError("nonce: a text of 8 to 100 characters")
    return Watch(run=str(texts["run"]), chain=str(texts["chain"]), until=until, nonce=nonce)
