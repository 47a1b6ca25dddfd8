"""When each scheduled question was last answered, how often it is due now, and which are left out on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitor.conditions import ProbeView
from monitor.config.model import Config
from monitor.model import Origin, Outcome, ProbeSpec, Status
from monitor.naming import provider_slug
from monitor.offering import Catalogue
from monitor.pace import Pace

_NO_CATALOGUE = Catalogue()
_STREAM = "stream"

_Place = tuple[str, str | None, str | None, bool]
"""Chain, target, pinned provider, and whether the answer came as a stream."""


class Rhythm:
    """``pace`` decides how often a question is asked now."""

    def __init__(
        self, config: Config, specs: tuple[ProbeSpec, ...], pace: Callable[[ProbeSpec, float], Pace], *, now: float
    ) -> None:
        self._pace = pace
        self._started: dict[str, float] = {}
        self._paused: set[str] = set()
        self._intervals: dict[str, float] = {}
        self._answered: dict[_Place, float] = {}
        self.last: dict[str, float] = {}
        self.follow(config, specs, now)

    def follow(self, config: Config, specs: tuple[ProbeSpec, ...], now: float) -> None:
        self._specs = specs
        self._started = {spec.key: self._started.get(spec.key, now) for spec in specs}
        self._intervals = {spec.key: self._intervals.get(spec.key, spec.every) for spec in specs if spec.pace}
        chains = {chain.name: chain for chain in config.chains}
        self._deadlines = {}
        for spec in specs:
            chain = chains[spec.chain]
            once = spec.target.timeout if spec.target else chain.deadline
            self._deadlines[spec.key] = once * (1 + chain.health.confirm)

    def take(self, outcome: Outcome) -> None:
        """Note an outcome that counts."""
        self.last[outcome.probe] = outcome.at
        if outcome.origin is Origin.LIVE and outcome.status is Status.OK:
            self._answered |= dict.fromkeys(_shown_by(outcome), outcome.at)

    def shown_by_traffic(self, spec: ProbeSpec, now: float) -> bool:
        """Whether live traffic was answered, within the interval, by whom the question would be put to."""
        at = self._answered.get(_place(spec)) if spec.passive else None
        return at is not None and now - at < self.interval(spec)

    def allowed(self, spec: ProbeSpec, now: float, *, allowed: bool) -> None:
        """Note whether a question that is due is asked; a silence that was meant is no silence."""
        if allowed and spec.key in self._paused:
            self._started[spec.key] = now
        (self._paused.discard if allowed else self._paused.add)(spec.key)

    def interval(self, spec: ProbeSpec) -> float:
        """Seconds, as last decided."""
        return self._intervals.get(spec.key, spec.every)

    def decide(self, spec: ProbeSpec, now: float) -> Pace:
        """How often it is asked from now on. Faster: the silence until now was meant, and is measured anew."""
        pace = self._pace(spec, now)
        if spec.pace is not None:
            if pace.interval < self.interval(spec):
                self._started[spec.key] = now
            self._intervals[spec.key] = pace.interval
        return pace

    def views(self) -> tuple[ProbeView, ...]:
        return tuple(map(self._view, self._specs))

    def _view(self, spec: ProbeSpec) -> ProbeView:
        return ProbeView(
            key=spec.key,
            chain=spec.chain,
            every=self.interval(spec),
            started=self._started[spec.key],
            last=self.last.get(spec.key),
            deadline=self._deadlines[spec.key],
            paused=spec.key in self._paused,
        )


def _place(spec: ProbeSpec) -> _Place:
    label, provider = (spec.target.label, spec.target.provider) if spec.target else (None, None)
    return spec.chain, label, _slug(provider), spec.kind == _STREAM


def _shown_by(outcome: Outcome) -> Iterator[_Place]:
    """Of whom a live answer is evidence: the chain when it was asked, the target that served, its provider.

    A stream shows that plain answers would come too, but not the other way round.
    """
    label, provider = outcome.served_by or outcome.target, _slug(outcome.served_provider or outcome.provider)
    for streamed in (False, True) if outcome.first_token is not None else (False,):
        if outcome.is_chain:
            yield outcome.chain, None, None, streamed
        if label is not None:
            yield outcome.chain, label, None, streamed
        if label is not None and provider is not None:
            yield outcome.chain, label, provider, streamed


def _slug(provider: str | None) -> str | None:
    return provider_slug(provider, _NO_CATALOGUE).partition("/")[0] if provider else None
