"""Looks up what really happened: the record of an answer that named no attempts. Free calls, behind the watching.

Facts: OpenRouter OpenAPI description (GenerationResponse: ``provider_responses``); the record is there some 5 to 10 s
after the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from monitor.classify import by_status
from monitor.clock import Clock
from monitor.config.model import ChainConfig, Config
from monitor.exchange import Answer, Ask, Fate
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Attempt, Outcome, Path, Reason
from monitor.offering import Catalogue
from monitor.reading import clean, mapping, number, parse, text_of
from monitor.served import exhausted, match
from monitor.store import Store
from monitor.wire import exchange

log = structlog.get_logger("watch")

TRIES = (5.0, 10.0, 20.0)
"""When the record is asked for, in seconds after the answer."""
MOST_WAITING = 200
CALLS_AT_ONCE = 4
CALL_SECONDS = 10.0
WITH_RECORDS = frozenset({"openrouter"})
"""Dialects whose endpoints keep a record of each answer."""
_MAX_ATTEMPTS = 50


class Result(StrEnum):
    """How a look-up ended. ``dropped``: too many were waiting; ``failed``: the endpoint could not be asked."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    SILENT = "silent"
    FAILED = "failed"
    DROPPED = "dropped"


class Generations:
    """Look-ups that wait for their time. ``transport`` and ``catalogue`` take the endpoint's name."""

    def __init__(
        self,
        *,
        config: Config,
        transport: Callable[[str], httpx.AsyncBaseTransport],
        catalogue: Callable[[str], Catalogue],
        knowledge: Knowledge,
        metrics: Metrics,
        store: Store,
        clock: Clock,
    ) -> None:
        self._config = config
        self._transport = transport
        self._catalogue = catalogue
        self._knowledge = knowledge
        self._metrics = metrics
        self._store = store
        self._clock = clock
        self._stopping = asyncio.Event()
        self._free = asyncio.Semaphore(CALLS_AT_ONCE)
        self._waiting: set[asyncio.Task[None]] = set()

    def follow(self, config: Config) -> None:
        self._config = config

    def notice(self, outcome: Outcome) -> None:
        """Returns at once; what is worth a look-up is looked up later."""
        if not is_unexplained(outcome, self._config) or self._stopping.is_set():
            return
        if len(self._waiting) >= MOST_WAITING:
            self._metrics.generation_looked_up(Result.DROPPED)
            return
        task = asyncio.create_task(self._follow_up(outcome), name=f"generation {outcome.generation}")
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def drain(self, seconds: float) -> None:
        """Look up at once what still waits, and give up what takes longer."""
        self._stopping.set()
        if self._waiting:
            _, late = await asyncio.wait(self._waiting, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _follow_up(self, outcome: Outcome) -> None:
        try:
            result = await self._look_up(outcome)
        except Exception:  # a look-up is an extra: whatever goes wrong with one ends nothing else
            log.exception("looking up what happened crashed", outcome=outcome.id)
            result = Result.FAILED
        self._metrics.generation_looked_up(result)

    async def _look_up(self, outcome: Outcome) -> Result:
        result = Result.NOT_FOUND
        for after in TRIES:
            await self._pause(outcome.at + outcome.duration + after - self._clock.now())
            last = self._stopping.is_set()
            result, record = await self._read(outcome)
            if record is not None:
                return self._amend(outcome, record)
            if last:
                break
        return result

    def _amend(self, outcome: Outcome, record: Mapping[str, Any]) -> Result:
        chain = self._chain(outcome)
        attempts = attempts_of(record)
        if chain is None or not attempts:
            return Result.SILENT
        amended = explained(outcome, record, attempts, chain, self._catalogue(chain.endpoint))
        self._store.amend_outcome(amended)
        self._knowledge.amend(amended)
        if amended.path is not outcome.path:
            log.info("looked up how a chain answered", chain=outcome.chain, path=amended.path, why=amended.detail)
        return Result.FOUND

    async def _read(self, outcome: Outcome) -> tuple[Result, Mapping[str, Any] | None]:
        chain = self._chain(outcome)
        if chain is None:
            return Result.FAILED, None
        endpoint = self._config.endpoints[chain.endpoint]
        secret = self._config.secrets.get(f"endpoints/{chain.endpoint}")
        key = {"Authorization": f"Bearer {secret.get_secret_value()}"} if secret else {}
        ask = Ask(
            method="GET",
            url=f"{endpoint.url.rstrip('/')}/generation?id={quote(outcome.generation or '', safe='')}",
            headers={**key, **endpoint.headers},
            body=None,
            stream=False,
            deadline=CALL_SECONDS,
        )
        async with self._free:
            reply = await exchange(self._transport(chain.endpoint), ask, self._clock)
        if reply.fate is not Fate.ANSWERED or reply.status not in (200, 404):
            return Result.FAILED, None
        record = mapping(mapping(parse(reply.body)).get("data")) if reply.status == 200 else {}
        return Result.NOT_FOUND, record or None

    async def _pause(self, seconds: float) -> None:
        """Until then, or until the daemon stops."""
        if seconds <= 0 or self._stopping.is_set():
            return
        either = {asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._stopping.wait())}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in either:
                one.cancel()

    def _chain(self, outcome: Outcome) -> ChainConfig | None:
        return next((chain for chain in self._config.chains if chain.name == outcome.chain), None)


def is_unexplained(outcome: Outcome, config: Config) -> bool:
    """An end-to-end answer that named no attempts, of an endpoint that keeps records."""
    if not outcome.is_chain or outcome.attempts or not outcome.generation:
        return False
    chain = next((chain for chain in config.chains if chain.name == outcome.chain), None)
    return chain is not None and config.endpoints[chain.endpoint].dialect in WITH_RECORDS


def attempts_of(record: Mapping[str, Any]) -> tuple[Attempt, ...]:
    responses = record.get("provider_responses")
    rows = map(mapping, responses[:_MAX_ATTEMPTS] if isinstance(responses, list) else ())
    return tuple(_attempt(row, int(status)) for row in rows if (status := number(row.get("status"))) is not None)


def explained(
    outcome: Outcome, record: Mapping[str, Any], attempts: tuple[Attempt, ...], chain: ChainConfig, catalogue: Catalogue
) -> Outcome:
    """The outcome with the attempts of its record, and the path that they show. Its judgement stays as it was."""
    answer = Answer(
        model=outcome.model or clean(text_of(record.get("model")), 200) or None,
        provider=outcome.served_provider or clean(text_of(record.get("provider_name")), 100) or None,
        attempts=attempts,
        attempts_reported=True,
    )
    served = (exhausted if outcome.path is Path.EXHAUSTED else match)(answer, chain, catalogue)
    nobody_answered = outcome.path is None and outcome.reason is not Reason.NONE
    if nobody_answered or (outcome.path is not Path.EXHAUSTED and served.position is None):
        return replace(outcome, attempts=served.attempts)
    told = f"{served.why} (from the record of the answer)"
    guess = outcome.path in (Path.FELL_BACK, Path.PRIMARY, None) and outcome.reason is Reason.NONE
    label = outcome.served_by if served.position is None else chain.targets[served.position].label
    return replace(
        outcome,
        attempts=served.attempts,
        path=served.path,
        position=served.position,
        served_by=label,
        detail=told if guess else f"{outcome.detail}; {told}",
    )


def _attempt(row: Mapping[str, Any], status: int) -> Attempt:
    latency = number(row.get("latency"))
    return Attempt(
        model=clean(text_of(row.get("model_permaslug")), 200),
        provider=clean(text_of(row.get("provider_name")), 100) or None,
        status_code=status,
        reason=by_status(status),
        duration=None if latency is None else latency / 1000,
    )
