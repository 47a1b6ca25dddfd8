"""Which requests of an application belong together: its first try, its retries and its fallbacks are one call.

Clients do not say so, but they repeat themselves: the same question, seen again while it is unanswered, is a retry of
it, and at a later target a fallback. Nothing of a question is kept but a hash with a key that dies with the process.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.passing import Group

FORGET_AFTER = 120.0
"""Seconds after which a question that was asked before and not answered is a new call."""
MOST_CALLS = 20_000
_QUESTION = ("messages", "input", "prompt", "system", "instructions", "contents", "tools")
_SECRET = secrets.token_bytes(16)


@dataclass(slots=True)
class Open:
    """A call as it goes on. ``group`` was drawn by the rule ``rule``, which is a drill's ``drill``."""

    id: str
    position: int | None
    at: float
    in_flight: int = 0
    ok: bool = False
    group: Group = Group.OTHER
    rule: str | None = None
    drill: str | None = None


class Calls:
    """The calls that are open, by what they ask."""

    def __init__(self) -> None:
        self._open: dict[str, Open] = {}
        self._usual: set[str] = set()
        self._count = 0

    def begin(self, key: str, *, position: int | None, retry: int | None, now: float) -> Open:
        """The call that a request belongs to, which may be a new one. ``retry``: the client's own count, if it says."""
        found = self._open.get(key)
        usual = key in self._usual
        if found is None or is_new(found, position=position, retry=retry, now=now, usual=usual):
            if found is not None and (found.ok or found.in_flight) and len(self._usual) < MOST_CALLS:
                self._usual.add(key)
            self._count += 1
            found = Open(id=f"call-{self._count}", position=position, at=now)
            self._open.pop(key, None)
            self._open[key] = found
            if len(self._open) > MOST_CALLS:
                del self._open[next(iter(self._open))]
        found.in_flight += 1
        found.position, found.at = position, now
        return found

    def clear(self) -> None:
        self._open.clear()
        self._usual.clear()


def end(call: Open, *, ok: bool, now: float) -> None:
    """A request of a call is over."""
    call.in_flight -= 1
    call.ok, call.at = ok, now


def is_new(last: Open, *, position: int | None, retry: int | None, now: float, usual: bool = False) -> bool:
    """Whether the same question is asked for its own sake, and not since the last one has no answer yet. Pure.

    ``usual``: it was asked again though it had its answer, so asking it again is no sign of a retry.
    """
    if last.in_flight or (usual and not last.ok):
        further = position is not None and last.position is not None and position > last.position
        return not further and not retry
    return last.ok or now - last.at > FORGET_AFTER


def key_of(raw: bytes, body: object, named: str | None) -> str:
    """What a request asks, as a key: ``named`` by the client, else a hash of the question without its model."""
    if named:
        return f"named {named[:200]}"
    question: Any = raw
    if isinstance(body, Mapping):
        question = json.dumps([body.get(name) for name in _QUESTION], sort_keys=True).encode()
    return hashlib.blake2b(question, key=_SECRET, digest_size=16).hexdigest()
