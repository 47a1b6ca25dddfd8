"""What can be ordered from Slack, and how it is read from what somebody typed or pressed: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from monitor.config.quantity import format_duration, parse_duration
from monitor.notify.slack_buttons import SILENCE_SECONDS, Action

COMMAND = "/fallbackd"
LONGEST_SILENCE = 30 * 86400.0
WORDS_LIMIT = 500


class Verb(StrEnum):
    HELP = "help"
    STATUS = "status"
    DRILLS = "drills"
    DRILL = "drill"
    SILENCE = "silence"
    ACKNOWLEDGE = "acknowledge"
    STOP = "stop"
    RELEASE = "release"

    @property
    def changes(self) -> bool:
        """Whether it does something, rather than tell something."""
        return self not in (Verb.HELP, Verb.STATUS, Verb.DRILLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """``chain``, ``drill``, ``alert`` and ``incident`` are what was named, existing or not; ``why`` is for people."""

    verb: Verb
    chain: str | None = None
    drill: str | None = None
    alert: str | None = None
    incident: str | None = None
    seconds: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """``because`` is one sentence that says how it is written."""

    because: str


USAGE: Mapping[Verb, str] = {
    Verb.STATUS: f"{COMMAND} status [CHAIN]: how the chains are, what fires, what runs",
    Verb.DRILLS: f"{COMMAND} drill [CHAIN]: which drills there are",
    Verb.DRILL: f"{COMMAND} drill CHAIN DRILL: break the chain on purpose, now; the verdict comes here",
    Verb.SILENCE: f"{COMMAND} silence CHAIN [ALERT] 1h [why]: nobody is told of it meanwhile",
    Verb.STOP: f"{COMMAND} stop: end every drill at once and refuse new ones",
    Verb.RELEASE: f"{COMMAND} release: allow drills again",
    Verb.HELP: f"{COMMAND} help: this list",
}


def read_command(text: str) -> Order | Misread:
    """What somebody typed after the command's name."""
    words = text.split()
    verb, rest = (words[0].casefold(), words[1:]) if words else ("help", [])
    match verb, rest:
        case "help", _:
            return Order(verb=Verb.HELP)
        case "status", []:
            return Order(verb=Verb.STATUS)
        case "status", [chain]:
            return Order(verb=Verb.STATUS, chain=chain)
        case "drill" | "drills", []:
            return Order(verb=Verb.DRILLS)
        case "drill" | "drills", [chain]:
            return Order(verb=Verb.DRILLS, chain=chain)
        case "drill", [chain, drill]:
            return Order(verb=Verb.DRILL, chain=chain, drill=drill)
        case "silence", [chain, *more]:
            return _silence(chain, more)
        case "stop", _:
            return Order(verb=Verb.STOP, why=" ".join(rest)[:WORDS_LIMIT])
        case "release", _:
            return Order(verb=Verb.RELEASE)
    meant = next((one for one in Verb if one in USAGE and one.value == verb), None)
    if meant is None:
        return Misread(because=f"There is no such command; {USAGE[Verb.HELP]}.")
    return Misread(because=f"Write {USAGE[meant]}.")


def read_press(action: Mapping[str, Any]) -> Order | Misread | None:
    """What a press of a button orders; None for one that only opens a page."""
    value = str(action.get("value", ""))
    match action.get("action_id"):
        case Action.OPEN:
            return None
        case Action.ACKNOWLEDGE if value:
            return Order(verb=Verb.ACKNOWLEDGE, incident=value)
        case Action.DRILL if value:
            return Order(verb=Verb.DRILL, drill=value)
        case Action.SILENCE if value:
            why = "a button in Slack was pressed"
            return Order(verb=Verb.SILENCE, incident=value, seconds=SILENCE_SECONDS, why=why)
    return Misread(because="This button is of another version of fallbackd; the next message has new ones.")


def _silence(chain: str, more: list[str]) -> Order | Misread:
    alert: str | None = None
    if more and _seconds(more[0]) is None:
        alert, *more = more
    seconds = _seconds(more[0]) if more else None
    if seconds is None:
        return Misread(because=f"Write {USAGE[Verb.SILENCE]}.")
    if not 0 < seconds <= LONGEST_SILENCE:
        return Misread(because=f"A silence lasts from 1s to {format_duration(LONGEST_SILENCE)}.")
    why = " ".join(more[1:])[:WORDS_LIMIT] or "asked for in Slack"
    return Order(verb=Verb.SILENCE, chain=chain, alert=alert, seconds=seconds, why=why)


def _seconds(text: str) -> float | None:
    try:
        return parse_duration(text)
    except ValueError:
        return None
