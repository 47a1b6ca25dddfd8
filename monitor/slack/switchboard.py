"""The listeners of one config: started, and replaced where the config changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from pydantic import SecretStr

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.notify.slack import APP_TOKEN, CommandsConfig, SlackSettings
from monitor.slack.desk import Control
from monitor.slack.listening import Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a listener depends on: while it stays the same, its connection stands."""

    allowed: CommandsConfig
    api_url: str
    app_token: SecretStr
    bot_token: SecretStr


class Switchboard:
    """``heard(notifier, whether)``: whether the orders of a notifier's app are heard."""

    def __init__(self, control: Control, *, clock: Clock, rng: Random, heard: Callable[[str, bool], None]) -> None:
        self._control = control
        self._heard = heard
        self._notifiers: Mapping[Line, Sequence[str]] = {}
        self._clock = clock
        self._rng = rng
        self._running: dict[Line, tuple[Listener, asyncio.Task[None]]] = {}

    async def follow(self, config: Config) -> None:
        """Listen as a config wants it, from now on."""
        self._notifiers = lines(config)
        wanted = self._notifiers
        await self._end([line for line in self._running if line not in wanted])
        for line in wanted:
            if line not in self._running:
                self._running[line] = self._begin(line)
            self._note(line, self._running[line][0].connected)

    async def close(self) -> None:
        """Safe to call twice."""
        await self._end(list(self._running))

    def _begin(self, line: Line) -> tuple[Listener, asyncio.Task[None]]:
        listener = Listener(
            allowed=line.allowed,
            api_url=line.api_url,
            app_token=line.app_token,
            bot_token=line.bot_token,
            control=self._control,
            clock=self._clock,
            rng=self._rng,
            heard=lambda connected: self._note(line, connected),
        )
        return listener, asyncio.create_task(listener.run(), name="listener of Slack")

    def _note(self, line: Line, connected: bool) -> None:
        for notifier in self._notifiers.get(line, ()):
            self._heard(notifier, connected)

    async def _end(self, lines: Iterable[Line]) -> None:
        ended = [self._running.pop(line) for line in lines]
        for _, task in ended:
            task.cancel()
        await asyncio.gather(*(task for _, task in ended), return_exceptions=True)
        await asyncio.gather(*(listener.close() for listener, _ in ended))


def lines(config: Config) -> Mapping[Line, Sequence[str]]:
    """The notifiers that listen, by what they listen to: those of one app share it."""
    found: dict[Line, list[str]] = {}
    for notifier in config.alerts.notifiers:
        settings = notifier.settings
        if notifier.name in config.muted or not isinstance(settings, SlackSettings) or settings.commands is None:
            continue
        tokens = _tokens(config.secrets, notifier.name)
        if tokens is not None:
            app, bot = tokens
            line = Line(allowed=settings.commands, api_url=settings.api_url, app_token=app, bot_token=bot)
            found.setdefault(line, []).append(notifier.name)
    return found


def _tokens(secrets: Mapping[str, SecretStr], name: str) -> tuple[SecretStr, SecretStr] | None:
    """None where the app-level token is missing, which leaves the commands alone off."""
    app, bot = secrets.get(f"notifiers/{name}/{APP_TOKEN}"), secrets.get(f"notifiers/{name}/token")
    return (app, bot) if app is not None and bot is not None else None
