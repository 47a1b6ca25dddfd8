"""One question to one place: worded, sent, read, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import httpx

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.dialects import DIALECTS, Route
from monitor.exchange import Reshape
from monitor.model import Target
from monitor.probes.kind import FINE, Kind
from monitor.probes.run import Response, Run
from monitor.wire import exchange


class Inquirer:
    """Asks the questions of one run, all over the same transport."""

    def __init__(
        self,
        run: Run,
        kind: Kind,
        config: Config,
        transport: httpx.AsyncBaseTransport,
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
        """Raises UnsupportedError where the dialect has no words for it. The trouble of others is in the response."""
        route = self._route(target, deadline, end_to_end=end_to_end)
        dialect = DIALECTS[route.endpoint.dialect]
        nonce = self._kind.nonce(self._rng)
        ask = dialect.ask(self._kind.question(self._run.spec, nonce), route)
        if self._reshape is not None:
            body: Mapping[str, object] = ask.body or {}
            ask = replace(ask, body=self._reshape(body))
        reply = await exchange(self._transport, ask, self._clock)
        answer = dialect.read(reply, now=self._clock.now())
        said = self._kind.judge(answer, nonce) if answer.finding == FINE else FINE
        return Response(reply=reply, answer=answer, said=said)

    def _route(self, target: Target | None, deadline: float, *, end_to_end: bool) -> Route:
        run, endpoint = self._run, self._run.chain.endpoint
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
