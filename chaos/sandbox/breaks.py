"""What is broken in the sandbox right now. Every break ends by itself when it was given a time or a count."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from chaos.faults import FAULTS
from chaos.model import Effect, Strike
from chaos.sandbox.catalogue import SandboxCatalogue
from chaos.shapes import SHAPES
from chaos.strikes import complete
from chaos.striking import Striking

FRONT_DOOR = "*"
"""In place of a model: the connection of whoever asks the sandbox, before any routing."""


Place = tuple[str, str | None]


class UnknownNameError(LookupError):
    """Nothing here bears the name that was given; the text says what does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One fault on one model (at one provider, or at all). ``left``: how many more requests it meets, None for all.

    ``shape`` says which of the requests it meets.
    """

    model: str
    provider: str | None
    fault: str
    options: Mapping[str, float]
    until: float | None
    left: int | None
    shape: str = "always"
    shape_options: Mapping[str, float] = field(default_factory=dict)


class Visit:
    """One request. A break counts it once, and holds for all of it, however many endpoints it meets it at."""

    def __init__(self, breaks: Breaks) -> None:
        self._breaks = breaks
        self._met: dict[Place, Effect | None] = {}

    def strike(self, model: str, provider: str | None) -> Effect | None:
        """What happens to the request at this model and provider; None where nothing is broken."""
        for place in ((model, provider), (model, None)):
            if place in self._met:
                return self._met[place]
        found = self._breaks.find(model, provider)
        if found is None:
            return None
        self._met[found] = effect = self._breaks.meet(found)
        return effect


class Breaks:
    def __init__(self, catalogue: SandboxCatalogue, now: Callable[[], float], seed: int) -> None:
        self._catalogue = catalogue
        self._now = now
        self._rng = Random(seed)
        self._all: dict[Place, Break] = {}
        self._striking: dict[Place, Striking] = {}

    @property
    def all(self) -> tuple[Break, ...]:
        self._end_what_is_over()
        return tuple(self._all.values())

    def add(
        self,
        model: str,
        provider: str | None,
        fault: str,
        options: Mapping[str, float],
        *,
        seconds: float | None = None,
        count: int | None = None,
        shape: str | None = None,
        shape_options: Mapping[str, float] | None = None,
    ) -> Break:
        """Replaces a break of the same place. ``shape`` None: the fault's own. Raises UnknownNameError, or ValueError
        for an option."""
        name = self._model(model)
        if provider is not None:
            self._check_provider(name, provider)
        if fault not in FAULTS:
            raise UnknownNameError(_unknown(fault, "fault", FAULTS))
        if shape is not None and shape not in SHAPES:
            raise UnknownNameError(_unknown(shape, "shape", SHAPES))
        now = self._now()
        strike = complete(
            Strike(positions=(0,), fault=fault, options=options, shape=shape, shape_options=shape_options or {})
        )
        made = Break(
            model=name, provider=provider, fault=fault, options=strike.options,
            shape=strike.shape or "always", shape_options=strike.shape_options,
            until=None if seconds is None else now + seconds, left=count,
        )  # fmt: skip
        self._all[name, provider] = made
        self._striking[name, provider] = Striking([strike], since=now, rng=self._rng)
        return made

    def mend(self, model: str | None = None, provider: str | None = None) -> int:
        """How many were mended. Without a model: all."""
        name = None if model is None else self._model(model)
        self._end_what_is_over()
        gone = [place for place in self._all if name in (None, place[0]) and provider in (None, place[1])]
        for place in gone:
            del self._all[place]
        return len(gone)

    def visit(self) -> Visit:
        return Visit(self)

    def find(self, model: str, provider: str | None) -> Place | None:
        """What is broken there; the more exact break counts."""
        self._end_what_is_over()
        for place in ((model, provider), (model, None)):
            if place in self._all:
                return place
        return None

    def meet(self, place: Place) -> Effect | None:
        """One more request has come there: what happens to it, None where the break's shape lets it pass."""
        effect = self._striking[place].effect(0, self._now(), lambda _: True)
        found = self._all[place]
        if effect is not None and found.left is not None:
            self._all[place] = replace(found, left=found.left - 1)
        return effect

    def _end_what_is_over(self) -> None:
        now = self._now()
        for place, one in list(self._all.items()):
            if (one.until is not None and now >= one.until) or one.left == 0:
                del self._all[place]

    def _model(self, name: str) -> str:
        if name == FRONT_DOOR:
            return name
        found = self._catalogue.find(name)
        if found is None:
            raise UnknownNameError(_unknown(name, "model", self._catalogue.models))
        return found.id

    def _check_provider(self, model: str, provider: str) -> None:
        serving = [one.provider for one in self._catalogue.endpoints.get(model, ())]
        if provider not in serving:
            where = f"provider of {model}" if model != FRONT_DOOR else "place to break: the front door has no providers"
            raise UnknownNameError(_unknown(provider, where, serving))


def _unknown(name: str, what: str, known: Iterable[str]) -> str:
    choices = list(known)
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f'did you mean "{close[0]}"?' if close else f"choose one of {', '.join(choices)}" if choices else ""
    return f'"{name}" is no {what}; {hint}'.rstrip("; ")
