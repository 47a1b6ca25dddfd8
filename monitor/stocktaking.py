"""The story of one reading of the catalogues: read, compared with what was known, kept, shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.drift import MOST_DISCOVERED
from monitor.endpoints import Endpoints
from monitor.findings import Drift
from monitor.inventory import Inventory, reported
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.naming import find_entry
from monitor.offering import Catalogue, Offer
from monitor.store import Store

Series = Mapping[tuple[str, ...], float]
_ACCOUNT = {
    "fallbackd_key_limit_remaining_usd": "limit_remaining",
    "fallbackd_credits_remaining_usd": "credits_remaining",
    "fallbackd_free_requests_remaining": "free_remaining",
}


class Stocktaking:
    def __init__(
        self,
        *,
        endpoints: Endpoints,
        inventory: Inventory,
        knowledge: Knowledge,
        metrics: Metrics,
        store: Store,
        clock: Clock,
    ) -> None:
        self._endpoints = endpoints
        self._inventory = inventory
        self._knowledge = knowledge
        self._metrics = metrics
        self._store = store
        self._clock = clock

    async def run(self, config: Config) -> None:
        """``config`` as it was written. What changed is on disk before anybody is told of it."""
        await self._endpoints.refresh()
        self._inventory.take(config, self._endpoints.catalogue, self._clock.now())
        await self._inventory.save(self._store)
        self.show(config)

    def show(self, config: Config) -> None:
        """Hand what stands to the rules and to the metrics."""
        catalogues = {name: self._endpoints.catalogue(name) for name in config.endpoints}
        self._knowledge.findings = self._inventory.findings
        self._knowledge.reported = reported(config, self._endpoints.catalogue)
        uptimes, statuses = dict(_uptimes(config, catalogues)), dict(_statuses(config, catalogues))
        self._metrics.set_series("fallbackd_catalogue_findings", self._counts(config))
        self._metrics.set_series("fallbackd_reported_uptime_ratio", uptimes)
        self._metrics.set_series("fallbackd_reported_status", statuses)
        for metric, field in _ACCOUNT.items():
            left: dict[tuple[str, ...], float] = {
                (name,): float(amount)
                for name, one in catalogues.items()
                if (amount := getattr(one.account, field, None)) is not None
            }
            self._metrics.set_series(metric, left)

    def show_age(self, config: Config) -> None:
        """At each scrape: a catalogue gets older by itself."""
        now = self._clock.now()
        ages: dict[tuple[str, ...], float] = {
            (name,): now - at for name in config.endpoints if (at := self._endpoints.catalogue(name).at) is not None
        }
        self._metrics.set_series("fallbackd_catalogue_age_seconds", ages)

    def _counts(self, config: Config) -> Series:
        """Every kind for every chain, so that the first finding is a rise."""
        kinds = [drift.value for drift in Drift]
        counts: dict[tuple[str, ...], float] = {(chain.name, kind): 0.0 for chain in config.chains for kind in kinds}
        for finding in self._inventory.findings:
            for chain in {use.chain for use in finding.uses}:
                if (chain, finding.drift.value) in counts:
                    counts[chain, finding.drift.value] += 1
        return counts


def _offers(config: Config, catalogues: Mapping[str, Catalogue]) -> Iterator[tuple[str, Offer]]:
    """The offers of each model in use, a bounded number of them."""
    models = {(target.endpoint, target.model) for chain in config.chains for target in chain.all_targets()}
    for endpoint, model in sorted(models):
        entry = find_entry(model, catalogues.get(endpoint, Catalogue()))
        for offer in entry.offers[:MOST_DISCOVERED] if entry else ():
            yield model, offer


def _uptimes(config: Config, catalogues: Mapping[str, Catalogue]) -> Iterator[tuple[tuple[str, ...], float]]:
    for model, offer in _offers(config, catalogues):
        windows = {"5m": offer.uptime_last_5m, "30m": offer.uptime_last_30m, "1d": offer.uptime_last_1d}
        for window, percent in windows.items():
            if percent is not None:
                yield (model, offer.tag, window), round(percent / 100, 6)


def _statuses(config: Config, catalogues: Mapping[str, Catalogue]) -> Iterator[tuple[tuple[str, ...], float]]:
    for model, offer in _offers(config, catalogues):
        yield (model, offer.tag), float(offer.status)
