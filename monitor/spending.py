"""Who pays for what: the questions and outcomes of a config, booked on the purses of its budgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from monitor.budget import (
    DAY,
    OVERALL,
    BudgetState,
    Ledger,
    Permit,
    Priority,
    Purse,
    Reservation,
    Scope,
    limits,
    paid,
    priority_of,
    purses_of,
)
from monitor.config.model import Config
from monitor.model import Outcome, ProbeSpec

Bearing = Mapping[Purse, frozenset[Priority]]
"""The purses that pay for questions of one chain, with the priorities of these questions."""


class Spending:
    """Asks and feeds the Ledger. ``answered_by`` says which provider answered a question last, None when unknown:
    a question that is not pinned is expected to be paid there again."""

    def __init__(
        self,
        config: Config,
        specs: tuple[ProbeSpec, ...],
        answered_by: Callable[[ProbeSpec], str | None],
        *,
        now: float,
        spent: Mapping[Purse, float],
    ) -> None:
        self._answered_by = answered_by
        self._dumped: dict[str, bytes] = {}
        self._ledger = Ledger(limits(config), now=now, spent=spent)
        self._take_over(config, specs)

    def follow(self, config: Config, specs: tuple[ProbeSpec, ...]) -> None:
        self._ledger.follow(limits(config))
        self._take_over(config, specs)

    def permit(
        self,
        spec: ProbeSpec,
        estimate: float | None,
        now: float,
        price: Callable[[ProbeSpec], float | None] | None = None,
    ) -> Permit:
        """``price``: USD of one run of any question, to keep what the most important one costs."""
        above = self._end_to_end[spec.chain] if price and self._is_limited(spec) else ()
        known = [cost for one in above if price and (cost := price(one)) is not None]
        end_to_end = min(known, default=0.0)
        priority = self._priorities[spec.key]
        return self._ledger.permit(self._expected(spec), estimate, priority, now, end_to_end=end_to_end)

    def reserve(self, spec: ProbeSpec, estimate: float | None) -> Reservation:
        return self._ledger.reserve(self._expected(spec), estimate)

    def charge(self, outcome: Outcome, reservation: Reservation | None) -> None:
        """Book an outcome, whatever asked for it."""
        usd = paid(outcome, reservation.usd if reservation else None)
        self._ledger.charge(self._paying(outcome), outcome.at, usd, reservation=reservation)

    def dump(self) -> dict[str, bytes | None]:
        """What changed of today's spending since the last time, to be restored after a restart."""
        day, before = self._ledger.day, self._dumped
        self._dumped = {_key(purse): f"{day} {usd!r}".encode() for purse, usd in self._ledger.purses.items()}
        return {key: value for key, value in self._dumped.items() if before.get(key) != value}

    def remaining(self, chain: str, now: float) -> float | None:
        """USD that a chain may still cost today by its own budget and by that of all together; None without either."""
        purses = (Purse(scope=Scope.CHAIN, name=chain), OVERALL)
        known = [left for purse in purses if (left := self._ledger.remaining(purse, now)) is not None]
        return min(known, default=None)

    def state(self, purse: Purse, now: float) -> BudgetState | None:
        """None where there is no budget."""
        bearing = (priorities.get(purse, frozenset()) for priorities in self._bearing().values())
        return self._ledger.state(purse, frozenset[Priority]().union(*bearing), now)

    def shared(self, now: float) -> tuple[BudgetState, ...]:
        """The budgets that are not of one chain: of all together, then of the providers."""
        named = (Purse(scope=Scope.PROVIDER, name=name) for name in self._ledger.limits.providers)
        return tuple(state for purse in (OVERALL, *named) if (state := self.state(purse, now)) is not None)

    def by_chain(self, now: float) -> dict[str, tuple[BudgetState, ...]]:
        """The budgets that bear on each chain; what they stopped, of this chain's questions alone."""
        return {
            chain: tuple(
                state for purse, asked in purses.items() if (state := self._ledger.state(purse, asked, now)) is not None
            )
            for chain, purses in self._bearing().items()
        }

    def _take_over(self, config: Config, specs: tuple[ProbeSpec, ...]) -> None:
        self._specs = specs
        self._chains = {chain.name: chain for chain in config.chains}
        self._priorities = {spec.key: priority_of(spec, self._chains[spec.chain]) for spec in specs}
        self._end_to_end = {
            name: tuple(spec for spec in specs if spec.chain == name and spec.target is None) for name in self._chains
        }
        self._purses = {
            (spec.chain, spec.kind): purses_of(spec.chain, (), self._ledger.limits, kind=spec.kind) for spec in specs
        }
        self._fixed = self._gathered(self._purses[spec.chain, spec.kind] for spec in specs)

    def _bearing(self) -> Mapping[str, Bearing]:
        """Changes with who answers only where providers have budgets: then it is gathered anew."""
        return self._gathered(map(self._expected, self._specs)) if self._ledger.limits.providers else self._fixed

    def _gathered(self, purses: Iterable[tuple[Purse, ...]]) -> Mapping[str, Bearing]:
        found: dict[str, dict[Purse, set[Priority]]] = {}
        for spec, paying in zip(self._specs, purses, strict=True):
            for purse in paying:
                found.setdefault(spec.chain, {}).setdefault(purse, set()).add(self._priorities[spec.key])
        return {chain: {purse: frozenset(by) for purse, by in of.items()} for chain, of in found.items()}

    def _is_limited(self, spec: ProbeSpec) -> bool:
        limits = self._ledger.limits
        return spec.target is not None and (limits.overall is not None or spec.chain in limits.chains)

    def _paying(self, outcome: Outcome) -> tuple[Purse, ...]:
        fixed = None if self._ledger.limits.providers else self._purses.get((outcome.chain, outcome.kind))
        if fixed is not None:
            return fixed
        places = (outcome.served_provider or outcome.provider, self._endpoint(outcome.chain, outcome.position))
        return purses_of(outcome.chain, places, self._ledger.limits, kind=outcome.kind)

    def _expected(self, spec: ProbeSpec) -> tuple[Purse, ...]:
        if not self._ledger.limits.providers:
            return self._purses[spec.chain, spec.kind]
        target = spec.target
        provider = target.provider if target is not None and target.provider else self._answered_by(spec)
        endpoint = target.endpoint if target is not None else self._endpoint(spec.chain, None)
        return purses_of(spec.chain, (provider, endpoint), self._ledger.limits, kind=spec.kind)

    def _endpoint(self, chain: str, position: int | None) -> str | None:
        found = self._chains.get(chain)
        if found is None or position is None or position >= len(found.targets):
            return found.endpoint if found else None
        return found.target(position).endpoint


def restored(dumped: Mapping[str, bytes], seen: Mapping[str, float], now: float) -> dict[Purse, float]:
    """USD of the day of ``now`` by purse: as it was dumped, and no less than the stored outcomes have it.

    ``seen``: by chain. Outcomes are stored sooner than a dump, which also knows estimates where a cost was not told.
    """
    found = {Purse(scope=Scope.CHAIN, name=chain): usd for chain, usd in seen.items()} | {OVERALL: sum(seen.values())}
    for key, raw in dumped.items():
        scope, _, name = key.partition(":")
        day, _, usd = raw.decode(errors="replace").partition(" ")
        try:
            purse, today, spent = Purse(scope=Scope(scope), name=name), int(day) == int(now // DAY), float(usd)
        except ValueError:
            continue  # written by another version
        if today:
            found[purse] = max(spent, found.get(purse, 0.0))
    return found


def _key(purse: Purse) -> str:
    return f"{purse.scope}:{purse.name}"
