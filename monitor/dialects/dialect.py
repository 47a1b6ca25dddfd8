"""What every dialect does, and where a question goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr

from monitor.config.model import ChainConfig, EndpointConfig
from monitor.exchange import Answer, Ask, Question, Reply
from monitor.model import Mode, Target
from monitor.model.quick import quick
from monitor.naming import find_entry
from monitor.offering import Catalogue
from monitor.reading import header

MIN_TOKENS = 16  # providers behind OpenAI's Responses API refuse less
REASONING_TOKENS = 256  # a model that thinks before it answers needs room for both


class UnsupportedError(ValueError):
    """A question that this dialect has no words for."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a question goes: to one ``target``, or (None) to the whole chain, which the endpoint then walks.

    ``end_to_end``: asked as the application asks, with the chain's ``routing``. ``session`` is new for each probe, so
    that no sticky routing is met. ``deadline`` and ``first_token`` are ours, in seconds.
    """

    chain: ChainConfig
    endpoint: EndpointConfig
    catalogue: Catalogue
    session: str
    deadline: float
    first_token: float | None = None
    credential: SecretStr | None = None
    target: Target | None = None
    end_to_end: bool = False
    drill: str | None = None

    @property
    def endpoint_name(self) -> str:
        return self.target.endpoint if self.target else self.chain.endpoint

    @property
    def models(self) -> tuple[str, ...]:
        """The models that may answer, in order."""
        return (self.target.model,) if self.target else tuple(target.model for target in self.chain.all_targets())


class Dialect(Protocol):
    """Pure both ways. ``modes``: the chains that its endpoints can serve. ``pins``: a provider can be pinned.
    ``routes``: a request has a place for the chain's ``routing``. ``most_models``: in one request, None: no bound.
    ``lists_models``: a chain of models is asked by all their names, else by the first alone."""

    name: str
    modes: frozenset[Mode]
    pins: bool
    routes: bool
    most_models: int | None
    lists_models: bool

    def ask(self, question: Question, route: Route) -> Ask:
        """Word a question. Raises UnsupportedError."""
        ...

    def read(self, reply: Reply, *, now: float) -> Answer:
        """Read any reply whatever; trouble is the answer's finding. ``now`` is in seconds since the epoch."""
        ...

    def headed(self, answer: Answer, reply: Reply) -> Answer:
        """An answer of another API than the one that is asked here, with what the reply's headers say of it."""
        ...


def bound_tokens(wanted: int, models: Iterable[str], catalogue: Catalogue) -> int:
    """What an answer may cost, raised to what the models need: one body serves them all, so the hungriest counts.

    A model that the catalogue does not know may be a reasoning one.
    """
    entries = [find_entry(model, catalogue) for model in models]
    thinks = any(entry is None or entry.reasoning for entry in entries)
    return max(wanted, REASONING_TOKENS if thinks else MIN_TOKENS)


def is_streamed(reply: Reply) -> bool:
    """Whether it came as a stream, whatever was asked for."""
    return bool(reply.events) or header(reply.headers, "content-type").lower().startswith("text/event-stream")


def marks_of(route: Route, dialect: str) -> dict[str, Any]:
    """What a request says of itself to those on its way (see ``Ask.marks``)."""
    label, position = (route.target.label, route.target.position) if route.target else (None, None)
    return {"chain": route.chain.name, "target": label, "position": position, "drill": route.drill, "dialect": dialect}
