"""Gathers what an explanation needs, from memory and from the store. Implements ``monitor.web.insights.Insights``."""

from __future__ import annotations

from typing import Protocol

from monitor.config.model import ChainConfig, Config
from monitor.endpoints import Endpoints
from monitor.explanation import Known, explain_chain, explain_outcome
from monitor.knowledge import Knowledge
from monitor.model import Outcome
from monitor.store import Store
from monitor.web.catalogue_views import CatalogueView, ExplanationView, catalogue_view

_LOOK_BACK = 200
"""Outcomes that are searched for the latest end-to-end one after a restart."""


class Watched(Protocol):
    @property
    def config(self) -> Config: ...


class Explaining:
    def __init__(self, watched: Watched, *, knowledge: Knowledge, endpoints: Endpoints, store: Store) -> None:
        self._watched = watched
        self._knowledge = knowledge
        self._endpoints = endpoints
        self._store = store

    def catalogue(self) -> CatalogueView:
        return catalogue_view(self._watched.config, self._endpoints.catalogue, self._knowledge.findings)

    async def explain_outcome(self, id_: str) -> ExplanationView | None:
        outcome = await self._store.outcome(id_)
        if outcome is None:
            return None
        chain = self._chain(outcome.chain)
        said = explain_outcome(outcome, chain, self._known(chain))
        return ExplanationView(about=f"outcome {id_}", outcome=id_, sentences=said)

    async def explain_chain(self, name: str) -> ExplanationView | None:
        chain = self._chain(name)
        if chain is None:
            return None
        latest = await self._latest(name)
        said = explain_chain(
            chain,
            self._knowledge.chain_state(name),
            latest,
            self._known(chain),
            self._knowledge.findings,
            self._knowledge.reported.get(name),
        )
        return ExplanationView(about=f"chain {name}", outcome=latest.id if latest else None, sentences=said)

    async def _latest(self, name: str) -> Outcome | None:
        known = self._knowledge.latest(name)
        if known is not None:
            return known
        kept = await self._store.outcomes(chain=name, limit=_LOOK_BACK)
        return next((one for one in kept if one.is_chain and one.origin.counts), None)

    def _known(self, chain: ChainConfig | None) -> Known:
        targets = self._knowledge.targets(chain.name) if chain else ()
        return [(target, self._knowledge.target_state(target)) for target in targets]

    def _chain(self, name: str) -> ChainConfig | None:
        return next((chain for chain in self._watched.config.chains if chain.name == name), None)
