"""What the catalogues say of a question before it is asked: what it may cost, and whether its answer is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.config.model import Config
from monitor.model import ProbeSpec
from monitor.offering import Catalogue
from monitor.probes import deny, estimate, offered


class Forecast:
    """``catalogue`` gives what an endpoint offered at the last reading."""

    def __init__(self, config: Config, catalogue: Callable[[str], Catalogue]) -> None:
        self._config = config
        self._catalogue = catalogue
        self._prices: dict[str, tuple[ProbeSpec, Catalogue, float | None]] = {}
        self._denied: frozenset[str] | None = None

    def follow(self, config: Config) -> None:
        self._config = config
        self._prices.clear()

    def price(self, spec: ProbeSpec) -> float | None:
        """What one run of a question may cost in USD; None when the price is unknown."""
        chain = self._config.chain(spec.chain)
        catalogue = offered(chain, spec.target, self._catalogue)
        known = self._prices.get(spec.key)
        if known is None or known[0] is not spec or known[1] is not catalogue:
            known = self._prices[spec.key] = spec, catalogue, estimate(spec, chain, catalogue)
        return known[2]

    def turned(self, specs: Sequence[ProbeSpec]) -> list[ProbeSpec]:
        """Where the catalogues judge a target's capability in another way than at the call before. The first time there
        is nothing to compare with."""
        denied = frozenset(spec.key for spec in specs if self._is_denied(spec))
        turned = frozenset() if self._denied is None else self._denied ^ denied
        self._denied = denied
        return [spec for spec in specs if spec.key in turned]

    def _is_denied(self, spec: ProbeSpec) -> bool:
        chain = self._config.chain(spec.chain)
        return deny(spec, chain, offered(chain, spec.target, self._catalogue)) is not None
