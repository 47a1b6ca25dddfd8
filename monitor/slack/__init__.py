"""Orders from Slack: slash commands and buttons over Socket Mode. Its parts are imported only where they are needed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.notify.slack import APP_TOKEN

if TYPE_CHECKING:
    from monitor.slack.desk import Control
    from monitor.slack.switchboard import Switchboard


class SlackOrders:
    """Listens where a config wants it; costs nothing, start-up time neither, where none ever did."""

    def __init__(self, control: Control, *, clock: Clock, rng: Random, heard: Callable[[str, bool], None]) -> None:
        self._control = control
        self._heard = heard
        self._clock = clock
        self._rng = rng
        self._board: Switchboard | None = None

    async def follow(self, config: Config) -> None:
        """Listen as a config wants it, from now on."""
        if self._board is None:
            if not any(name.endswith(APP_TOKEN) for name in config.secrets):
                return
            from monitor.slack.switchboard import Switchboard

            self._board = Switchboard(self._control, clock=self._clock, rng=self._rng, heard=self._heard)
        await self._board.follow(config)

    async def close(self) -> None:
        """Safe to call twice."""
        if self._board is not None:
            await self._board.close()
