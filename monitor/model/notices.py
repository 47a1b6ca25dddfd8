"""What people are told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.model.enums import Severity


class NoticeState(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class NoticeCause(StrEnum):
    """Why a notice is sent."""

    FIRST = "first"
    CHANGED = "changed"
    REPEAT_DUE = "repeat_due"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has taken an incident on: ``by`` is a name for people."""

    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One alert of an incident. ``key`` tells alerts apart; a resolved one was told of before."""

    key: str
    alert: str
    chain: str
    severity: Severity
    state: NoticeState
    title: str
    summary: str
    since: float
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one notifier about one incident, complete: a notifier needs nothing else to word it.

    ``facts`` are ordered (name, text) pairs: the evidence. ``incident`` is the identity that ties the
    messages of one incident together; ``since`` is when the incident began. ``until``: by then a firing one has been
    told again; whoever hears nothing more may take it for over. None where nobody can say.

    An incident may hold several alerts of several chains: ``alert``, ``chain``, ``severity`` and ``docs`` are those of
    the gravest that fires, ``members`` lists all that this notifier hears of, and ``shared`` names what they have in
    common (``provider groq``), None for a single one. ``changes``: sentences about what is new since the last notice;
    ``worse``: it became graver since, so an edit that nobody notices is not enough. ``merged_into``: the incident under
    which this one goes on, when it is over for that. ``advice``: what to look at and to do, for whoever it woke.
    """

    id: str
    at: float
    incident: str
    alert: str
    chain: str
    severity: Severity
    state: NoticeState
    cause: NoticeCause
    notifier: str
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    since: float = 0.0
    link: str | None = None
    until: float | None = None
    members: tuple[Member, ...] = ()
    shared: str | None = None
    acknowledged: Acknowledgement | None = None
    changes: tuple[str, ...] = ()
    worse: bool = False
    merged_into: str | None = None
    docs: str | None = None
    advice: str = ""

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains that it is about, each once: those that still fire, or all of them once it is over."""
        named = [one.chain for one in self.members if one.state is self.state]
        return tuple(dict.fromkeys(named)) or (self.chain,)
