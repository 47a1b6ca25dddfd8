"""The listeners of one config: started, and replaced when the config changes."""

from __future__ import annotations

import asyncio
from random import Random

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.notify.slack import APP_TOKEN, SlackSettings
from monitor.slack.desk import Control
from monitor.slack.listening import Listener


class Switchboard:
    def __init__(self, control: Control, *, clock: Clock, rng: Random) -> None:
        self._control = control
        self._clock = clock
        self._rng = rng
        self._running: list[tuple[Listener, asyncio.Task[None]]] = []

    async def follow(self, config: Config) -> None:
        """Listen as a config wants it, from now on."""
        await self.close()
        self._running = [
            (listener, asyncio.create_task(listener.run(), name="listener of Slack")) for listener in self._make(config)
        ]

    async def close(self) -> None:
        """Safe to call twice."""
        running, self._running = self._running, []
        for _, task in running:
            task.cancel()
        await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        await asyncio.gather(*(listener.close() for listener, _ in running))

    def _make(self, config: Config) -> list[Listener]:
        found = []
        for notifier in config.alerts.notifiers:
            settings, prefix = notifier.settings, f"notifiers/{notifier.name}/"
            app_token = config.secrets.get(prefix + APP_TOKEN)
            if notifier.name in config.muted or app_token is None or not isinstance(settings, SlackSettings):
                continue
            if settings.commands is None:
                continue
            listener = Listener(
                allowed=settings.commands, api_url=settings.api_url, app_token=app_token,
                bot_token=config.secrets[prefix + "token"], control=self._control, clock=self._clock, rng=self._rng,
            )  # fmt: skip
            found.append(listener)
        return found
