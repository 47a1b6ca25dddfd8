"""What the catalogues have shown, kept over restarts: what changed while nobody looked is found, and told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import structlog
from pydantic import TypeAdapter, ValidationError

from monitor.catalogue import READERS
from monitor.config.model import Config
from monitor.drift import About, Known, compare, discovered, serving, shared_fate
from monitor.findings import CatalogueFinding, Use
from monitor.model import Target
from monitor.naming import find_entry
from monitor.offering import Catalogue, Offer
from monitor.store import Store

log = structlog.get_logger("catalogue")

CATALOGUES = "catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A ``Known`` as it is written: JSON has no keys but texts."""

    baseline: tuple[tuple[About, tuple[str, ...]], ...]
    latest: tuple[tuple[About, tuple[str, ...]], ...]
    since: Mapping[str, float]


_KEPT: TypeAdapter[_Kept] = TypeAdapter(_Kept)


class Inventory:
    """One ``Known`` for each endpoint, and the findings that stand now."""

    def __init__(self, known: Mapping[str, Known]) -> None:
        self._known = dict(known)
        self._found: dict[str, tuple[CatalogueFinding, ...]] = {}
        self._unsaved: dict[str, bytes | None] = {}

    @classmethod
    async def restore(cls, store: Store) -> Self:
        """What another version wrote in another form is forgotten: the next reading is then the first one."""
        return cls({name: known for name, raw in (await store.states(CATALOGUES)).items() if (known := _load(raw))})

    @property
    def findings(self) -> tuple[CatalogueFinding, ...]:
        return tuple(finding for found in self._found.values() for finding in found)

    def expand(self, config: Config) -> Config:
        """The config with each ``providers: discover`` replaced by those that served the model at the last reading."""
        return discovered(config, self._serving)

    def take(self, config: Config, catalogue: Callable[[str], Catalogue], now: float) -> None:
        """Compare what was just read with what is known. An endpoint that was never read shows nothing."""
        for endpoint in [name for name in self._known if name not in config.endpoints]:
            del self._known[endpoint]
            self._unsaved[endpoint] = None
        self._found = {name: found for name, found in self._found.items() if name in config.endpoints}
        for endpoint in config.endpoints:
            if catalogue(endpoint).at is None:
                continue
            before = self._known.get(endpoint, Known())
            known, findings = compare(before, config, endpoint, catalogue, now, limits=config.catalogue)
            _say(findings, before)
            self._found[endpoint] = findings
            if known != before:
                self._known[endpoint] = known
                self._unsaved[endpoint] = _dump(known)

    async def save(self, store: Store) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        if unsaved:
            await store.put_states(CATALOGUES, unsaved)

    def _serving(self, endpoint: str, model: str) -> tuple[str, ...]:
        known = self._known.get(endpoint)
        return serving(known.latest, model) if known else ()


def reported(config: Config, catalogue: Callable[[str], Catalogue]) -> Mapping[str, Mapping[str, str]]:
    """Chain -> label -> what the endpoint says of the target's providers now: ``anthropic 99.9 % over 30m``."""
    return {
        chain.name: {
            target.label: f"{target.label}: {', '.join(lines)}"
            for target in chain.all_targets()
            if (lines := [*filter(None, map(_in_words, _offers_of(target, catalogue)))])
        }
        for chain in config.chains
    }


def shared_unread(config: Config) -> tuple[str, ...]:
    """Targets that fall together at endpoints that have no catalogue, so that no reading will ever show it."""
    found = shared_fate(config, lambda _: Catalogue())
    return tuple(one.detail for one in found if not any(_is_read(config, use) for use in one.uses))


def _is_read(config: Config, use: Use) -> bool:
    target = config.chain(use.chain).all_targets()[use.position or 0]
    return config.endpoints[target.endpoint].dialect in READERS


def serving_offers(model: str, provider: str | None, catalogue: Catalogue) -> tuple[Offer, ...]:
    """The offers of a model, or of the one provider that it is pinned to."""
    entry = find_entry(model, catalogue)
    offers = entry.offers if entry else ()
    return tuple(one for one in offers if provider is None or one.provider == provider.partition("/")[0])


def _offers_of(target: Target, catalogue: Callable[[str], Catalogue]) -> tuple[Offer, ...]:
    return serving_offers(target.model, target.provider, catalogue(target.endpoint))


def _in_words(offer: Offer) -> str:
    """Empty where nothing is told of it."""
    status = "" if offer.status == 0 else f", status {offer.status}"
    uptime = "" if offer.uptime_last_30m is None else f" {offer.uptime_last_30m:g} % over 30m"
    return f"{offer.tag}{uptime}{status}" if uptime or status else ""


def _say(findings: Iterable[CatalogueFinding], before: Known) -> None:
    """Each finding once: what was found before a restart was said then."""
    for one in findings:
        if one.key not in before.since:
            write = log.info if one.drift.is_context else log.warning
            write(one.detail, finding=one.drift.value, endpoint=one.endpoint, used_by=one.used_by)


def _dump(known: Known) -> bytes:
    kept = _Kept(baseline=tuple(known.baseline.items()), latest=tuple(known.latest.items()), since=known.since)
    return _KEPT.dump_json(kept)


def _load(raw: bytes) -> Known | None:
    try:
        kept = _KEPT.validate_json(raw)
    except ValidationError:
        return None
    return Known(baseline=dict(kept.baseline), latest=dict(kept.latest), since=kept.since)
