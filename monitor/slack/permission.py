"""Who may order what: pure. Ids count, names do not: anybody can call himself anything."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.notify.slack import CommandsConfig
from monitor.slack.orders import Verb

NAME_LIMIT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """``id`` is Slack's; ``name`` is what the person goes by."""

    id: str
    name: str

    def __str__(self) -> str:
        """As journals name who asked: ``slack:@ada (U0123)``."""
        shown = "".join(character for character in self.name if character.isprintable())[:NAME_LIMIT] or "nameless"
        return f"slack:@{shown} ({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """``because`` is one sentence either way, for the person who asked."""

    allowed: bool
    because: str


def permission(verb: Verb, person: Person, channel: str, allowed: CommandsConfig) -> Permission:
    if channel not in allowed.channels:
        because = "fallbackd is not asked in this channel: it is not among commands.channels in alerts.yaml."
        return Permission(allowed=False, because=because)
    if not verb.changes:
        return Permission(allowed=True, because="anybody in this channel may ask")
    if not allowed.users:
        because = "Nobody may change anything from Slack: commands.users in alerts.yaml is empty."
        return Permission(allowed=False, because=because)
    if person.id not in allowed.users:
        because = f"You may ask, and not change anything: {person.id} is not among commands.users in alerts.yaml."
        return Permission(allowed=False, because=because)
    return Permission(allowed=True, because=f"{person.id} is among commands.users")
