"""What the endpoints offer and what was found about it, and explanations, as the API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from monitor.config.model import Config
from monitor.explanation import Sentence
from monitor.findings import CatalogueFinding
from monitor.naming import find_entry
from monitor.offering import Account, Catalogue, Offer
from monitor.web.views import View


class OfferView(View):
    """One provider of a model. Prices in USD per million tokens, None where unknown; uptimes in percent."""

    provider: str
    name: str
    prompt: float | None
    completion: float | None
    context_length: int | None
    max_completion_tokens: int | None
    status: int
    uptime_5m: float | None
    uptime_30m: float | None
    uptime_1d: float | None


class ServedView(View):
    """A target with everybody who serves it now. ``known``: the catalogue has the model."""

    chain: str
    label: str
    position: int
    endpoint: str
    model: str
    provider: str | None
    known: bool
    expires: str | None
    offers: tuple[OfferView, ...]


class EndpointView(View):
    """``at``: when it was last read, in seconds since the epoch; None: never."""

    name: str
    at: float | None
    account: Account | None


class FindingView(View):
    finding: str
    endpoint: str
    subject: str
    detail: str
    used_by: str
    chains: tuple[str, ...]
    since: float
    alerts: bool


class CatalogueView(View):
    endpoints: tuple[EndpointView, ...]
    findings: tuple[FindingView, ...]
    targets: tuple[ServedView, ...]


class ExplanationView(View):
    """Sentences in the order in which they are read. ``outcome`` is the id of the one that is explained, if any."""

    about: str
    outcome: str | None
    sentences: tuple[Sentence, ...]


def catalogue_view(
    config: Config, catalogue: Callable[[str], Catalogue], findings: Iterable[CatalogueFinding]
) -> CatalogueView:
    return CatalogueView(
        endpoints=tuple(
            EndpointView(name=name, at=catalogue(name).at, account=catalogue(name).account) for name in config.endpoints
        ),
        findings=tuple(map(_finding, findings)),
        targets=tuple(_served(config, catalogue)),
    )


def _served(config: Config, catalogue: Callable[[str], Catalogue]) -> Iterable[ServedView]:
    for chain in config.chains:
        for target in chain.all_targets():
            entry = find_entry(target.model, catalogue(target.endpoint))
            pinned = target.provider.partition("/")[0] if target.provider else None
            yield ServedView(
                chain=chain.name,
                label=target.label,
                position=target.position,
                endpoint=target.endpoint,
                model=target.model,
                provider=target.provider,
                known=entry is not None,
                expires=entry.expires if entry else None,
                offers=tuple(
                    _offer(offer)
                    for offer in (entry.offers if entry else ())
                    if pinned is None or offer.provider == pinned
                ),
            )


def _offer(offer: Offer) -> OfferView:
    return OfferView(
        provider=offer.tag,
        name=offer.name,
        prompt=_per_million(offer.price.prompt),
        completion=_per_million(offer.price.completion),
        context_length=offer.context_length,
        max_completion_tokens=offer.max_completion_tokens,
        status=offer.status,
        uptime_5m=offer.uptime_last_5m,
        uptime_30m=offer.uptime_last_30m,
        uptime_1d=offer.uptime_last_1d,
    )


def _per_million(usd: float) -> float | None:
    return None if usd < 0 else round(usd * 1e6, 9)


def _finding(one: CatalogueFinding) -> FindingView:
    return FindingView(
        finding=one.drift.value,
        endpoint=one.endpoint,
        subject=one.subject,
        detail=one.detail,
        used_by=one.used_by,
        chains=tuple(dict.fromkeys(use.chain for use in one.uses)),
        since=one.since,
        alerts=not one.drift.is_context,
    )
