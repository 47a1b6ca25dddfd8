"""What a chain's trouble comes from, so that one outage that hits many chains is one incident. Pure.

The widest thing that explains every troubled target of a chain is its cause: an endpoint, a provider, a model. Where
nothing of the kind does, the chain stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.health import ChainState
from monitor.model import Health, Reason, Target

OF_THE_ENDPOINT = frozenset({Reason.CONNECT, Reason.DNS, Reason.TLS, Reason.UNAUTHORIZED, Reason.OUT_OF_CREDIT})
"""Reasons that lie before any model or provider: the way to the endpoint, or the account there."""


class CauseKind(StrEnum):
    """From the widest to the narrowest. ``budget``: money that several chains share. ``catalogue``: what an endpoint
    offers; nothing is broken by that yet. ``alert``: the condition stands alone, it shares nothing with another."""

    ENDPOINT = "endpoint"
    PROVIDER = "provider"
    MODEL = "model"
    CHAIN = "chain"
    BUDGET = "budget"
    CATALOGUE = "catalogue"
    DAEMON = "daemon"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    kind: CauseKind
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def is_shared(self) -> bool:
        """Whether several chains can have it."""
        return self.kind not in (CauseKind.CHAIN, CauseKind.DAEMON, CauseKind.ALERT)

    def __str__(self) -> str:
        return f"{self.kind}{' of' if self.kind in (CauseKind.BUDGET, CauseKind.CATALOGUE) else ''} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """The cause of each chain's trouble; of a chain without any, the chain itself."""

    by_chain: Mapping[str, Cause] = field(default_factory=dict)

    def of(self, chain: str) -> Cause:
        return self.by_chain.get(chain) or Cause(kind=CauseKind.CHAIN, name=chain)


def find(chains: Mapping[str, ChainState], targets: Mapping[str, Sequence[Target]]) -> Causes:
    """``targets``: by chain, all that are asked, pinned ones too."""
    dead = frozenset(_dead_endpoints(chains, targets))
    found = {name: _cause(state, targets.get(name, ()), dead) for name, state in chains.items()}
    return Causes(by_chain={name: cause for name, cause in found.items() if cause is not None})


def _cause(state: ChainState, targets: Sequence[Target], dead: frozenset[str]) -> Cause | None:
    gravest = [one for one in state.troubles if one.health is Health.DOWN] or list(state.troubles)
    endpoints = {one.endpoint for one in gravest} or {target.endpoint for target in targets}
    reasons = {one.reason for one in gravest} or ({state.reason} if state.health is Health.DOWN else set())
    if len(endpoints) == 1 and reasons and (reasons <= OF_THE_ENDPOINT or endpoints <= dead):
        return Cause(kind=CauseKind.ENDPOINT, name=endpoints.pop())
    if not gravest:
        return None
    common = set.intersection(*(set(one.providers) for one in gravest))
    if len(common) == 1:
        return Cause(kind=CauseKind.PROVIDER, name=common.pop())
    models = {one.model for one in gravest}
    return Cause(kind=CauseKind.MODEL, name=models.pop()) if len(models) == 1 and "" not in models else None


def _dead_endpoints(chains: Mapping[str, ChainState], targets: Mapping[str, Sequence[Target]]) -> Iterable[str]:
    """Endpoints of which no target of any chain answers: two models at least, since one may be to blame itself."""
    models: dict[str, set[str]] = {}
    alive: set[str] = set()
    for name, state in chains.items():
        down = {one.position for one in state.troubles if one.health is Health.DOWN}
        for target in targets.get(name, ()):
            models.setdefault(target.endpoint, set()).add(target.model)
            if target.position not in down:
                alive.add(target.endpoint)
    return (endpoint for endpoint, known in models.items() if endpoint not in alive and len(known) > 1)
