"""An imaginary application behind the gateway, so that there is traffic to look at while there is only the sandbox."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import aiohttp

from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.model import Mode

QUESTIONS = (
    "Which day comes after Tuesday?",
    "Name a prime number below ten.",
    "What is the capital of Denmark?",
    "Say thank you in Portuguese.",
)
_KEY = "sk-sandbox"
_SECONDS = 30.0
_TOKENS = 512
"""Room for models that reason before they answer."""


Body = dict[str, Any]
Walk = tuple[str, tuple[Body, ...]]
"""A chain, and the requests: one where the endpoint walks it, and one for each target, until one is answered, where the
caller does."""


def walks(chains: Sequence[ChainConfig]) -> list[Walk]:
    """What it asks in turn: every question of every chain, plain and streamed."""
    return [
        (
            chain.name,
            tuple(
                {**asked, "messages": [{"role": "user", "content": text}], "max_tokens": _TOKENS, "stream": stream}
                for asked in _requests(chain)
            ),
        )
        for text, stream in itertools.product(QUESTIONS, (False, True))
        for chain in chains
    ]


class Application:
    """Asks ``every`` so many seconds, until it is stopped. How it is answered is for the gateway to say."""

    def __init__(self, url: str, chains: Sequence[ChainConfig], *, every: float, clock: Clock) -> None:
        self._url = f"{url}/v1/chat/completions"
        self._walks = itertools.cycle(walks(chains))
        self._every = every
        self._clock = clock
        self._task = asyncio.create_task(self._run(), name="imaginary application")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        limit = aiohttp.ClientTimeout(total=_SECONDS)
        headers = {"Authorization": f"Bearer {_KEY}"}
        async with aiohttp.ClientSession(timeout=limit, headers=headers) as session:
            while True:
                await self._walk(session, *next(self._walks))
                await self._clock.sleep(self._every)

    async def _walk(self, session: aiohttp.ClientSession, chain: str, bodies: Iterable[Body]) -> None:
        for body in bodies:
            if await self._ask(session, chain, body):
                return

    async def _ask(self, session: aiohttp.ClientSession, chain: str, body: Body) -> bool:
        """Whether it was answered. The chain is named, since a model may be a target of several. The gateway counts how
        it ended; an application that is broken goes on."""
        with suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(self._url, json=body, headers={"X-Fallbackd-Chain": chain}) as reply:
                await reply.read()
                return reply.ok
        return False


def _requests(chain: ChainConfig) -> Iterator[Body]:
    targets = chain.all_targets()
    match chain.mode:
        case Mode.SERVER:
            yield {"models": [target.model for target in targets]}
        case Mode.PROVIDER:
            order = [target.provider for target in targets]
            yield {"model": targets[0].model, "provider": {"order": order, "allow_fallbacks": True}}
        case Mode.CLIENT:
            yield from ({"model": target.model} for target in targets)
