"""Runs probes: a spec goes in, an Outcome comes out, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import httpx

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.exchange import Reshape
from monitor.model import Mode, Origin, Outcome, ProbeSpec, Target, new_id
from monitor.offering import Catalogue
from monitor.probes.cheap_check import check
from monitor.probes.inquiry import Inquirer
from monitor.probes.kinds import KINDS
from monitor.probes.offered import offered
from monitor.probes.outcomes import judge_step, of_catalogue, of_chain, of_our_fault, of_target, of_walk
from monitor.probes.run import Run
from monitor.probes.walk import Step, walk
from monitor.reading import clean

Wrap = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


class Prober:
    """``transport`` and ``catalogue`` take an endpoint's name."""

    def __init__(
        self,
        *,
        config: Config,
        transport: Callable[[str], httpx.AsyncBaseTransport],
        catalogue: Callable[[str], Catalogue],
        clock: Clock,
        rng: Random,
    ) -> None:
        self._config = config
        self._transport = transport
        self._catalogue = catalogue
        self._clock = clock
        self._rng = rng

    async def probe(
        self,
        spec: ProbeSpec,
        *,
        origin: Origin = Origin.SCHEDULED,
        drill: str | None = None,
        reshape: Reshape | None = None,
        wrap: Wrap | None = None,
    ) -> Outcome:
        """Ask once. ``reshape`` changes each body last of all, ``wrap`` the way it travels. Never raises.

        A mistake of our own is an Outcome of status error and reason ours; only cancellation passes through.
        """
        at = self._clock.now()
        identity = new_id(at)
        try:
            chain = self._config.chain(spec.chain)
            catalogue = offered(chain, spec.target, self._catalogue)
            run = Run(id=identity, at=at, spec=spec, chain=chain, catalogue=catalogue, origin=origin, drill=drill)
            return await self._ask(run, reshape, wrap)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with us must not look like the provider's trouble
            detail = self._unsecret(f"{type(error).__name__}: {error}")
            return of_our_fault(spec, identity, at, origin=origin, drill=drill, detail=detail)

    async def _ask(self, run: Run, reshape: Reshape | None, wrap: Wrap | None) -> Outcome:
        target, ruling = run.spec.target, check(run.spec, run.chain, run.catalogue)
        if target is not None and ruling is not None and (ruling.able is not None or run.spec.kind not in KINDS):
            return of_catalogue(run, target, ruling)
        asked: dict[str, httpx.AsyncBaseTransport] = {}

        def transport(endpoint: str) -> httpx.AsyncBaseTransport:
            if endpoint not in asked:
                plain = self._transport(endpoint)
                asked[endpoint] = plain if wrap is None else wrap(plain)
            return asked[endpoint]

        inquirer = Inquirer(
            run,
            KINDS[run.spec.kind],
            self._config,
            transport,
            self._clock,
            self._rng,
            reshape=reshape,
        )
        if target is not None:
            return of_target(run, target, await inquirer.ask(target, target.timeout, end_to_end=False))
        if run.chain.mode is not Mode.CLIENT:
            return of_chain(run, await inquirer.ask(None, run.chain.deadline, end_to_end=True))

        async def step(target: Target, seconds: float) -> Step:
            response = await inquirer.ask(target, seconds, end_to_end=True)
            return Step(target=target, response=response, finding=judge_step(run, target, response))

        return of_walk(run, await walk(run.chain, step))

    def _unsecret(self, text: str) -> str:
        for secret in self._config.secrets.values():
            if value := secret.get_secret_value():
                text = text.replace(value, "[masked]")
        return clean(text)
