"""The outbox as it stands in memory: which notices wait for whom, and what of that is not yet on disk.

Memory leads and the file follows, so that people are told even while the disk is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.model import Notice, NoticeCause, NoticeState

UNSAVED_LIMIT = 10_000
WAITING_LIMIT = 2_000
"""Notices that may wait for one notifier before those that can be spared are dropped."""
WAITING_SECONDS = 86_400.0
"""A notice that can be spared waits no longer than this: whoever is reached then is told by the next one."""


_SPARED = frozenset({NoticeCause.REPEAT_DUE, NoticeCause.CHANGED})


class Fate(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where the message of an incident stands; ``ref`` None: nowhere any more."""

    at: float
    ref: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    notice: Notice
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaved:
    """What one transaction has to write. Keys: (notifier, notice id) and (notifier, incident)."""

    entries: Mapping[tuple[str, str], Entry]
    posted: Mapping[tuple[str, str], Posted]


class Notices:
    """Only the newest notice of each incident waits; it is complete, so the older ones have nothing to add."""

    def __init__(self, pending: Iterable[Notice] = (), refs: Mapping[tuple[str, str], str] | None = None) -> None:
        self._pending: dict[tuple[str, str], Notice] = {}
        self._refs = dict(refs or {})
        self._entries: dict[tuple[str, str], Entry] = {}
        self._posted: dict[tuple[str, str], Posted] = {}
        self._dropped: dict[str, int] = {}
        for notice in pending:
            self.add(notice)

    def add(self, notice: Notice) -> None:
        """Supersedes an undelivered notice of the same incident, keeping its place in the line."""
        place = (notice.notifier, notice.incident)
        older = self._pending.get(place)
        if older is not None and older.id != notice.id:
            self._settle(older, Fate.SUPERSEDED)
            notice = _with_news_of(older, notice)
        self._pending[place] = notice
        self._entries[notice.notifier, notice.id] = Entry(notice=notice, fate=Fate.PENDING)
        if len(self._pending) > WAITING_LIMIT:
            self._make_room(notice.notifier)

    def _make_room(self, notifier: str) -> None:
        waiting = self.waiting(notifier)
        spare = sorted(filter(self._can_be_spared, waiting), key=lambda one: one.at)
        for one in spare[: max(0, len(waiting) - WAITING_LIMIT)]:
            self._drop(one)

    def _can_be_spared(self, notice: Notice) -> bool:
        """A repeat or a small change of what people have heard of; a beginning or an end is never dropped."""
        heard_of = (notice.notifier, notice.incident) in self._refs
        return heard_of and notice.cause in _SPARED and not notice.worse

    def _drop(self, notice: Notice) -> None:
        del self._pending[notice.notifier, notice.incident]
        self._settle(notice, Fate.DROPPED)
        self._dropped[notice.notifier] = self._dropped.get(notice.notifier, 0) + 1

    def dropped(self, notifier: str) -> int:
        """How many were dropped since the start."""
        return self._dropped.get(notifier, 0)

    def delivered(self, notice: Notice, ref: str | None, now: float) -> None:
        """A resolved incident has no message to edit any more: the next one starts a new message."""
        place = (notice.notifier, notice.incident)
        waiting = self._pending.get(place)
        if waiting is not None and waiting.id == notice.id:
            del self._pending[place]
        self._settle(notice, Fate.DELIVERED)
        kept = None if notice.state is NoticeState.RESOLVED else ref
        if kept is not None:
            self._refs[place] = kept
        else:
            self._refs.pop(place, None)
        self._posted[place] = Posted(at=now, ref=kept)

    def posted(self, notice: Notice, ref: str, now: float) -> None:
        """A part of a notice was handed over: its message stands, and the notice still waits."""
        place = (notice.notifier, notice.incident)
        self._refs[place] = ref
        self._posted[place] = Posted(at=now, ref=ref)

    def waiting(self, notifier: str) -> tuple[Notice, ...]:
        """The newest undelivered notice of each incident, in the order in which the incidents began to wait."""
        return tuple(notice for (name, _), notice in self._pending.items() if name == notifier)

    def ref(self, notifier: str, incident: str) -> str | None:
        return self._refs.get((notifier, incident))

    def unsaved(self) -> Unsaved:
        return Unsaved(entries=dict(self._entries), posted=dict(self._posted))

    def saved(self, written: Unsaved) -> None:
        """What changed again while it was written stays unsaved."""
        for key, entry in written.entries.items():
            if self._entries.get(key) is entry:
                del self._entries[key]
        for place, posted in written.posted.items():
            if self._posted.get(place) is posted:
                del self._posted[place]

    def forget(self, before: float, now: float) -> None:
        """Drops what began to wait before a time: its notifier is gone from the config, or nobody cares any more; and
        what can be spared when it has waited for a day."""
        old = [one for one in self._pending.values() if now - one.at > WAITING_SECONDS and self._can_be_spared(one)]
        for one in old:
            self._drop(one)
        self._pending = {place: notice for place, notice in self._pending.items() if notice.at >= before}

    def _settle(self, notice: Notice, fate: Fate) -> None:
        self._entries[notice.notifier, notice.id] = Entry(notice=notice, fate=fate)
        if len(self._entries) > UNSAVED_LIMIT:  # the disk has failed for long; what is settled can be spared
            del self._entries[next(key for key, entry in self._entries.items() if entry.fate is not Fate.PENDING)]


def _with_news_of(older: Notice, notice: Notice) -> Notice:
    """A notice is complete but for what is new in it: that counts from the one before, which nobody has seen."""
    if not older.changes and not older.worse:
        return notice
    changes = tuple(dict.fromkeys((*older.changes, *notice.changes)))
    return replace(notice, changes=changes, worse=older.worse or notice.worse)
