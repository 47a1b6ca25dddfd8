"""Carries orders out for whoever may give them, and says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from monitor.alerting import Silence
from monitor.clock import utc_minute
from monitor.errors import FallbackdError
from monitor.model import Verdict
from monitor.notify.blocks import Message
from monitor.notify.slack import CommandsConfig
from monitor.slack import answers
from monitor.slack.orders import USAGE, Misread, Order, Verb
from monitor.slack.permission import Person, permission
from monitor.web.views import AlertView, ChainView, DrillView, Refused, Started, StatusView

log = structlog.get_logger("slack")


class Control(Protocol):
    """What of the daemon can be reached from Slack."""

    def status(self) -> StatusView: ...
    def chains(self) -> Sequence[ChainView]: ...
    def alerts(self) -> Sequence[AlertView]: ...
    def drills(self) -> Sequence[DrillView]: ...
    async def silence(
        self, chain: str, alert: str | None, *, seconds: float, why: str, by: str
    ) -> Silence | Refused: ...
    async def silence_incident(self, incident: str, *, seconds: float, why: str, by: str) -> Silence | Refused: ...
    async def acknowledge(self, incident: str, *, by: str) -> object | None:
        """None when no such incident is open."""
        ...

    async def start_run(self, name: str, *, asked_by: str) -> Started | Refused: ...
    async def stop(self, *, asked_by: str) -> int: ...
    async def release(self, *, asked_by: str) -> None: ...
    async def verdict(self, run: str) -> Verdict | None:
        """Waits for the end of a run; None when nothing is known of it."""
        ...


class Answer(Protocol):
    """The way back to where an order came from."""

    async def whisper(self, message: Message) -> None:
        """To the person alone."""
        ...

    async def say(self, message: Message) -> None:
        """To everybody in the channel or, for a button, in the thread of its message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An order as it came in."""

    order: Order | Misread
    by: Person
    channel: str
    answer: Answer


class Desk:
    def __init__(self, control: Control, allowed: CommandsConfig) -> None:
        self._control = control
        self._allowed = allowed
        self._does: dict[Verb, Callable[[Order, Asked], Awaitable[None]]] = {
            Verb.HELP: self._help,
            Verb.STATUS: self._status,
            Verb.DRILLS: self._drills,
            Verb.DRILL: self._drill,
            Verb.SILENCE: self._silence,
            Verb.ACKNOWLEDGE: self._acknowledge,
            Verb.STOP: self._stop,
            Verb.RELEASE: self._release,
        }

    async def take(self, asked: Asked) -> None:
        """Returns when all has been said that there is to say: for a drill, at its end."""
        order = asked.order
        verb = order.verb if isinstance(order, Order) else Verb.HELP
        permitted = permission(verb, asked.by, asked.channel, self._allowed)
        if not permitted.allowed:
            log.warning("an order from Slack was refused", order=verb.value, by=str(asked.by), channel=asked.channel)
            await asked.answer.whisper(answers.said(permitted.because))
        elif isinstance(order, Misread):
            await asked.answer.whisper(answers.said(order.because))
        else:
            try:
                await self._does[verb](order, asked)
            except FallbackdError as error:
                await asked.answer.whisper(answers.said(f"That could not be done: {error}"))

    async def _help(self, _: Order, asked: Asked) -> None:
        await asked.answer.whisper(answers.said("What fallbackd understands here:", *USAGE.values()))

    async def _status(self, order: Order, asked: Asked) -> None:
        chains = [one for one in self._control.chains() if order.chain in (None, one.name)]
        if not chains:
            await asked.answer.whisper(answers.said(f"There is no chain {order.chain}."))
            return
        found = answers.status(self._control.status(), chains, self._control.alerts())
        await asked.answer.whisper(found)

    async def _drills(self, order: Order, asked: Asked) -> None:
        found = [one for one in self._control.drills() if order.chain in (None, one.chain)]
        await asked.answer.whisper(answers.drills(found))

    async def _drill(self, order: Order, asked: Asked) -> None:
        found = next((one for one in self._control.drills() if one.name == order.drill), None)
        if found is None or order.chain not in (None, found.chain):
            of = f" of chain {order.chain}" if order.chain else ""
            await asked.answer.whisper(answers.said(f"There is no drill {order.drill}{of}. {USAGE[Verb.DRILLS]}"))
            return
        begun = await self._control.start_run(found.name, asked_by=str(asked.by))
        if isinstance(begun, Refused):
            await asked.answer.whisper(answers.said(f"Not now: {begun.because}"))
            return
        what = f"Drill {found.name} of chain {found.chain} was started by {asked.by}; the verdict comes here."
        await asked.answer.say(answers.said(what))
        verdict = await self._control.verdict(begun.run)
        if verdict is not None:
            await asked.answer.say(answers.verdict(verdict, str(asked.by)))

    async def _silence(self, order: Order, asked: Asked) -> None:
        by, chain = str(asked.by), order.chain or ""
        if order.incident is not None:
            made = await self._control.silence_incident(order.incident, seconds=order.seconds, why=order.why, by=by)
            what = "This incident"
        else:
            made = await self._control.silence(chain, order.alert, seconds=order.seconds, why=order.why, by=by)
            what = f"{order.alert} of chain {chain}" if order.alert else f"All alerts of chain {chain}"
        if isinstance(made, Refused):
            await asked.answer.whisper(answers.said(f"Not silenced: {made.because}."))
            return
        text = f"🔕 {what}: silenced until {utc_minute(made.ends)} by {asked.by}. What still fires then is told."
        await asked.answer.say(answers.said(text))

    async def _acknowledge(self, order: Order, asked: Asked) -> None:
        """Who took it on is told to everybody by the notice of it."""
        taken = await self._control.acknowledge(order.incident or "", by=str(asked.by))
        because = "It is yours: no repeats until it gets worse." if taken else "That incident is over."
        await asked.answer.whisper(answers.said(because))

    async def _stop(self, _: Order, asked: Asked) -> None:
        ended = await self._control.stop(asked_by=str(asked.by))
        ran = f"{ended} ended" if ended else "none was under way"
        text = f"🛑 All drills are stopped by {asked.by}: {ran}; new ones are refused until somebody releases them."
        await asked.answer.say(answers.said(text))

    async def _release(self, _: Order, asked: Asked) -> None:
        await self._control.release(asked_by=str(asked.by))
        await asked.answer.say(answers.said(f"Drills are allowed again, by {asked.by}."))
