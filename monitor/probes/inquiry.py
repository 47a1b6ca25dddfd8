"""One question to one place: worded, sent, read, judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

import httpx

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.dialects import DIALECTS, Route
from monitor.exchange import Answer, Fate, Finding, Question, Reply, Reshape
from monitor.model import Target
from monitor.probes.kind import FINE, Kind
from monitor.probes.run import Response, Run, joined
from monitor.wire import exchange


class Inquirer:
    """Asks the questions of one run. ``transport`` takes an endpoint's name: a walk may ask at several."""

    def __init__(
        self,
        run: Run,
        kind: Kind,
        config: Config,
        transport: Callable[[str], httpx.AsyncBaseTransport],
        clock: Clock,
        rng: Random,
        *,
        reshape: Reshape | None,
    ) -> None:
        self._run = run
        self._kind = kind
        self._config = config
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._reshape = reshape

    async def ask(self, target: Target | None, deadline: float, *, end_to_end: bool) -> Response:
        """The question and, where its kind has one and the first answer is good, its follow-up.

        Raises UnsupportedError where the dialect has no words for it. The trouble of others is in the response.
        """
        kind, route = self._kind, self._route(target, deadline, end_to_end=end_to_end)
        nonce = kind.nonce(self._rng)
        question = kind.question(self._run.spec, nonce)
        first = await self._exchange(question, route, lambda answer: kind.judge(answer, nonce))
        fine = first.answer.finding == FINE and first.said == FINE
        follow_up = kind.follow_up(question, first.answer, nonce) if fine else None
        if follow_up is None:
            return first
        left = replace(route, deadline=deadline - first.reply.duration)
        second = await self._exchange(follow_up, left, lambda answer: kind.judge_follow_up(answer, nonce))
        return joined(first, second)

    async def _exchange(self, question: Question, route: Route, judge: Callable[[Answer], Finding]) -> Response:
        dialect, transport = DIALECTS[route.endpoint.dialect], self._transport(route.endpoint_name)
        ask = dialect.ask(question, route)
        if self._reshape is not None:
            body: Mapping[str, object] = ask.body or {}
            ask = replace(ask, body=self._reshape(body))
        in_time = route.deadline > 0
        reply = await exchange(transport, ask, self._clock) if in_time else Reply(fate=Fate.TIMEOUT)
        answer = dialect.read(reply, now=self._clock.now())
        return Response(reply=reply, answer=answer, said=judge(answer) if answer.finding == FINE else FINE)

    def _route(self, target: Target | None, deadline: float, *, end_to_end: bool) -> Route:
        run = self._run
        endpoint = target.endpoint if target else run.chain.endpoint
        return Route(
            chain=run.chain,
            endpoint=self._config.endpoints[endpoint],
            catalogue=run.catalogue,
            session=run.id,
            deadline=deadline,
            first_token=run.spec.first_token,
            credential=self._config.secrets.get(f"endpoints/{endpoint}"),
            target=target,
            end_to_end=end_to_end,
            drill=run.drill,
        )
