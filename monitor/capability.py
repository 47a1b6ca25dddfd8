"""What a chain may need of every target, by name, and what a catalogue says of it before anybody is asked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.model import Target
from monitor.naming import find_entry, same_provider
from monitor.offering import Catalogue, ModelEntry, Offer, Price

MILLION = 1_000_000


class Capability(StrEnum):
    """What a target can be asked for. All but ``budget``, which is its price, are kinds of questions as well."""

    TOOLS = "tools"
    STRUCTURED = "structured"
    VISION = "vision"
    LONG_CONTEXT = "long_context"
    REASONING = "reasoning"
    BUDGET = "budget"


_CAPABILITIES = frozenset(Capability)

SETS: Mapping[str, tuple[Capability, ...]] = {
    "tool_calling": (Capability.TOOLS,),
    "vision": (Capability.VISION,),
    "long_context": (Capability.LONG_CONTEXT,),
    "budget": (Capability.BUDGET,),
}
"""Names for what a use of models needs, after the chains that people build: a name may stand for several."""

NAMES = frozenset(SETS) | frozenset(Capability)
"""The words that ``needs`` may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One need, exactly: ``tokens`` that a context must hold, ``ceiling`` in USD per token."""

    capability: Capability
    tokens: int = 0
    ceiling: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the catalogue says. ``able`` None: it does not know; ``because`` is one sentence."""

    able: bool | None
    because: str = ""


def is_capability(kind: str) -> bool:
    """Whether a kind of question asks what a target can do, rather than whether it answers."""
    return kind in _CAPABILITIES


def resolve(needs: Iterable[str]) -> tuple[Capability, ...]:
    """The capabilities that names stand for, each once, in their order. Raises ValueError for an unknown name."""
    found = (one for name in needs for one in (SETS.get(name) or (Capability(name),)))
    return tuple(dict.fromkeys(found))


def rule(demand: Demand, target: Target, catalogue: Catalogue) -> Ruling:
    """The cheap check: whether a target can, as far as the catalogue says; of a pinned one its provider's own offer.

    Only ``budget`` is ever settled for the better here: a listed ability still has to be seen.
    """
    entry = find_entry(target.model, catalogue)
    if entry is None:
        return Ruling(able=None, because=f"the catalogue does not know {target.model}")
    return _RULES[demand.capability](demand, _listed(entry, target, catalogue))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What is listed of a model, or of one provider's offer of it."""

    name: str
    price: Price
    context: int | None
    parameters: frozenset[str]
    modalities: frozenset[str]
    reasoning: bool


def _listed(entry: ModelEntry, target: Target, catalogue: Catalogue) -> _Listed:
    offer = _pinned(entry, target, catalogue)
    return _Listed(
        name=f"{entry.id} at {target.provider}" if offer else entry.id,
        price=offer.price if offer else entry.price,
        context=(offer and offer.context_length) or entry.context_length,
        parameters=(offer.parameters if offer else frozenset()) or entry.parameters,
        modalities=entry.modalities,
        reasoning=entry.reasoning,
    )


def _pinned(entry: ModelEntry, target: Target, catalogue: Catalogue) -> Offer | None:
    if target.provider is None:
        return None
    wanted = target.provider
    return next((offer for offer in entry.offers if same_provider(wanted, offer.tag, catalogue)), None)


def _takes(*parameters: str) -> Callable[[Demand, _Listed], Ruling]:
    """One of these parameters has to be listed, where parameters are listed at all."""

    def judge(_demand: Demand, listed: _Listed) -> Ruling:
        if not listed.parameters or not listed.parameters.isdisjoint(parameters):
            return Ruling(able=None)
        return Ruling(able=False, because=f"the catalogue lists no {' or '.join(parameters)} for {listed.name}")

    return judge


def _sees(_demand: Demand, listed: _Listed) -> Ruling:
    if not listed.modalities or "image" in listed.modalities:
        return Ruling(able=None)
    takes = ", ".join(sorted(listed.modalities))
    return Ruling(able=False, because=f"the catalogue says that {listed.name} takes {takes} and no images")


def _holds(demand: Demand, listed: _Listed) -> Ruling:
    if listed.context is None or listed.context > demand.tokens:
        return Ruling(able=None)
    text = f"the catalogue gives {listed.name} a context of {listed.context:,} tokens, needed are {demand.tokens:,}"
    return Ruling(able=False, because=text)


def _reasons(demand: Demand, listed: _Listed) -> Ruling:
    return Ruling(able=None) if listed.reasoning else _takes("reasoning")(demand, listed)


def _costs_little(demand: Demand, listed: _Listed) -> Ruling:
    price, ceiling = listed.price, demand.ceiling
    if ceiling is None or price.prompt < 0 or price.completion < 0:
        return Ruling(able=None, because=f"the price of {listed.name} is not known")
    able = price.prompt <= ceiling.prompt and price.completion <= ceiling.completion
    text = f"a million tokens of {listed.name} cost {_per_million(price)}, {'within' if able else 'above'} the ceiling"
    return Ruling(able=able, because=f"{text} of {_per_million(ceiling)}")


def _per_million(price: Price) -> str:
    """``USD 0.25 in, 2.00 out``."""
    return f"USD {price.prompt * MILLION:.2f} in, {price.completion * MILLION:.2f} out"


_RULES: Mapping[Capability, Callable[[Demand, _Listed], Ruling]] = {
    Capability.TOOLS: _takes("tools"),
    Capability.STRUCTURED: _takes("structured_outputs", "response_format"),
    Capability.VISION: _sees,
    Capability.LONG_CONTEXT: _holds,
    Capability.REASONING: _reasons,
    Capability.BUDGET: _costs_little,
}
