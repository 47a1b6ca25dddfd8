"""What one reading shows by itself: models that are gone or will be, what providers report, what is left of the key.

Facts: OpenRouter docs, Models guide (``expiration_date``), the schema of PublicEndpoint (``status``: 0 is operational),
For Providers (95 % uptime and more is normal), API Limits (free models are counted by the day).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from monitor.config.model import CatalogueConfig, Config
from monitor.config.quantity import format_percent
from monitor.drift.facts import About, Aspect, Facts
from monitor.drift.uses import base, models_in_use, uses, uses_of_endpoint, uses_of_free_models
from monitor.findings import CatalogueFinding, Drift
from monitor.naming import find_entry
from monitor.offering import Account, Catalogue, ModelEntry, Offer

DAY = 86400.0
NORMAL_UPTIME = 95.0
"""In percent: a provider below it is asked later than others by the router itself."""


def standing(
    config: Config, endpoint: str, before: Facts, catalogue: Catalogue, limits: CatalogueConfig, now: float
) -> Iterator[CatalogueFinding]:
    """``before``: what was known of models that may be gone now."""
    for model in models_in_use(config, endpoint):
        concerned = uses(config, endpoint, model)
        for finding in _of_model(config, endpoint, model, before, catalogue, limits, now):
            yield finding if finding.uses else replace(finding, uses=concerned)
    if catalogue.account is not None:
        yield from _of_account(config, endpoint, catalogue.account, limits, now)


def expiry(text: str) -> float | None:
    """Seconds since the epoch of an ISO date or time, None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _of_model(
    config: Config,
    endpoint: str,
    model: str,
    before: Facts,
    catalogue: Catalogue,
    limits: CatalogueConfig,
    now: float,
) -> Iterator[CatalogueFinding]:
    entry = find_entry(model, catalogue)
    if model in catalogue.gone:
        yield _gone(endpoint, model, before, catalogue)
    elif entry is not None:
        if (leads_to := catalogue.renamed.get(model)) not in (None, model):
            detail = f"{model} is no id of the catalogue any more; it leads to {leads_to}: name that one"
            yield _about(Drift.MODEL_RENAMED, endpoint, model, detail, value=leads_to or "")
        yield from _expires(endpoint, model, entry, limits, now)
        yield from _unserved(config, endpoint, model, entry, catalogue)
        for offer in entry.offers:
            concerned = uses(config, endpoint, model, offer.tag)
            yield from (replace(finding, uses=concerned) for finding in _reported(endpoint, model, offer) if concerned)


def _gone(endpoint: str, model: str, before: Facts, catalogue: Catalogue) -> CatalogueFinding:
    canonical = before.get(About(model, "", Aspect.CANONICAL), (None,))[0]
    heirs = [entry.id for entry in catalogue.models.values() if canonical and entry.canonical == canonical]
    renamed = f"; the same model is now called {heirs[0]}" if heirs else ""
    detail = f"{endpoint} no longer knows {model}: a request that names it is refused as a whole{renamed}"
    return _about(Drift.MODEL_GONE, endpoint, model, detail, value=heirs[0] if heirs else "")


def _expires(
    endpoint: str, model: str, entry: ModelEntry, limits: CatalogueConfig, now: float
) -> Iterator[CatalogueFinding]:
    at = expiry(entry.expires) if entry.expires else None
    if at is not None and at - now <= limits.expires_within:
        yield _about(
            Drift.MODEL_EXPIRES, endpoint, model, f"{model} {_ends(entry.expires, at, now)}", value=entry.expires or ""
        )


def _ends(text: str | None, at: float, now: float) -> str:
    days = round((at - now) / DAY)
    if at <= now:
        return f"expired on {text}"
    return f"expires on {text}, in {days} day{'' if days == 1 else 's'}"


def _unserved(
    config: Config, endpoint: str, model: str, entry: ModelEntry, catalogue: Catalogue
) -> Iterator[CatalogueFinding]:
    """A target whose pinned provider does not serve the model, or a model that nobody serves."""
    if not {entry.id, model} & catalogue.offered:
        return
    present = {base(offer.tag) for offer in entry.offers}
    if not present:
        yield _about(Drift.UNSERVED, endpoint, model, f"no provider serves {model}")
        return
    for use in uses(config, endpoint, model):
        own = config.chain(use.chain).targets[use.position or 0]
        pins = (own.provider,) if own.provider else own.pinned
        for pin in pins:
            if base(pin) not in present:
                subject = f"{model} at {pin}"
                detail = f"{pin} does not serve {model}; those that do: {', '.join(sorted(present))}"
                finding = _about(Drift.UNSERVED, endpoint, f"{subject} for {use.chain}/{use.label}", detail)
                yield replace(finding, uses=(replace(use, pinned=True),))


def _reported(endpoint: str, model: str, offer: Offer) -> Iterator[CatalogueFinding]:
    where = f"{model} at {offer.tag}"
    if offer.status != 0:
        detail = f"{where}: {endpoint} reports status {offer.status} (0 is operational)"
        yield _about(Drift.ENDPOINT_DEGRADED, endpoint, where, detail, value=str(offer.status))
    uptime = offer.uptime_last_30m
    if uptime is not None and uptime < NORMAL_UPTIME:
        said = ", ".join(
            f"{percent:g} % over {window}"
            for window, percent in (
                ("5m", offer.uptime_last_5m),
                ("30m", offer.uptime_last_30m),
                ("1d", offer.uptime_last_1d),
            )
            if percent is not None
        )
        yield _about(Drift.UPTIME_LOW, endpoint, where, f"{where}: {endpoint} reports an uptime of {said}")


def _of_account(
    config: Config, endpoint: str, account: Account, limits: CatalogueConfig, now: float
) -> Iterator[CatalogueFinding]:
    everyone = uses_of_endpoint(config, endpoint)
    free = uses_of_free_models(config, endpoint)
    for drift, detail in (
        (Drift.KEY_LIMIT_LOW, _key_limit(account, limits)),
        (Drift.KEY_EXPIRES, _key_expires(account, limits, now)),
        (Drift.CREDITS_LOW, _credits(account, limits)),
        (Drift.FREE_QUOTA_LOW, _free_quota(account, limits) if free else None),
    ):
        if detail is not None:
            concerned = free if drift is Drift.FREE_QUOTA_LOW else everyone
            yield replace(_about(drift, endpoint, f"the key of {endpoint}", detail), uses=concerned)


def _key_limit(account: Account, limits: CatalogueConfig) -> str | None:
    left, limit = account.limit_remaining, account.limit
    if left is None or limit is None or left > limits.low * limit:
        return None
    resets = f"; it is reset {account.limit_reset}" if account.limit_reset else ""
    return f"USD {left:.2f} of the key's limit of {limit:.2f} are left{resets}"


def _key_expires(account: Account, limits: CatalogueConfig, now: float) -> str | None:
    at = expiry(account.expires) if account.expires else None
    return None if at is None or at - now > limits.expires_within else f"the key {_ends(account.expires, at, now)}"


def _credits(account: Account, limits: CatalogueConfig) -> str | None:
    left = account.credits_remaining
    if left is None or left > limits.credits_below:
        return None
    return f"the account has USD {left:.2f} of credit left; below 0 every request is refused, free models too"


def _free_quota(account: Account, limits: CatalogueConfig) -> str | None:
    left, limit = account.free_remaining, account.free_limit
    if left is None or limit is None or left > limits.low * limit:
        return None
    share = format_percent(left / limit) if limit else "0%"
    return f"{left} of today's {limit} requests to free models are left ({share}); they come back at midnight UTC"


def _about(drift: Drift, endpoint: str, subject: str, detail: str, *, value: str = "") -> CatalogueFinding:
    return CatalogueFinding(drift=drift, endpoint=endpoint, subject=subject, detail=detail, value=value)
