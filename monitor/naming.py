"""Whether two names mean the same model, or the same provider. Pure; sensible with an empty catalogue too.

Facts: OpenRouter docs, model variants (suffixes), provider routing (base slugs), and its answers, which name dated
canonical slugs and display names instead of what was asked for.
"""

from __future__ import annotations

import re

from monitor.offering import Catalogue, ModelEntry

_DYNAMIC = frozenset({"nitro", "floor", "exacto", "online"})  # ways of routing; others (:free) are models of their own
_DATE = re.compile(r"-(?:\d{8}|\d{6}|\d{4}-\d{2}-\d{2})")
_SHORT_DATE = re.compile(r"-\d{4}")
_ROUTERS = frozenset({"openrouter/auto"})
_DISPLAY = {"google": "google-vertex", "novitaai": "novita"}  # names in use that do not spell their slug
_VARIANT_DROPPED = 10


def closeness(wanted: str, reported: str, catalogue: Catalogue) -> int | None:
    """How surely ``reported`` is the model ``wanted``: 0 for the very name, higher is less sure, None for another."""
    if wanted == reported or wanted.lower() == reported.lower():
        return 0
    asked, said = plain_name(wanted), plain_name(reported)
    (base, variant), (told, told_variant) = _halves(asked), _halves(said)
    if told_variant and told_variant != variant:
        return None
    likeness = 1 if base == told else 2 if _catalogued(asked, said, catalogue) else _likeness(base, told, catalogue)
    return likeness if likeness is None or variant == told_variant else likeness + _VARIANT_DROPPED


def find_entry(model: str, catalogue: Catalogue) -> ModelEntry | None:
    """The catalogue's entry of a model by id or canonical slug, a dynamic suffix apart."""
    found = catalogue.models.get(model) or catalogue.models.get(plain_name(model))
    if found is not None:
        return found
    plain = plain_name(model)
    return next((entry for entry in catalogue.models.values() if plain in (entry.id, entry.canonical)), None)


def provider_slug(reported: str, catalogue: Catalogue) -> str:
    """The slug behind a display name ("Amazon Bedrock" -> ``amazon-bedrock``); a slug is its own."""
    known = {name.lower(): slug for name, slug in catalogue.providers.items()}
    name = reported.strip().lower()
    if name in known or name in known.values():
        return known.get(name, name)
    return _DISPLAY.get(name) or re.sub(r"[^a-z0-9/]+", "-", name).strip("-")


def same_provider(wanted: str, reported: str, catalogue: Catalogue) -> bool:
    """Whether ``reported`` (slug, tag or display name) is the provider ``wanted``; a base slug matches every region."""
    slugs = wanted.lower(), provider_slug(reported, catalogue)
    (asked, region), (said, told_region) = (slug.partition("/")[::2] for slug in slugs)
    return _squeeze(asked) == _squeeze(said) and (not region or not told_region or region == told_region)


def plain_name(name: str) -> str:
    """Without preset and dynamic suffixes, which change how a model is routed and not which one it is."""
    base, *suffixes = name.strip().lower().partition("@preset/")[0].split(":")
    return ":".join([base, *(suffix for suffix in suffixes if suffix not in _DYNAMIC)])


def _catalogued(asked: str, said: str, catalogue: Catalogue) -> bool:
    """Whether the catalogue holds both for one model; a variant's canonical slug comes with or without its suffix."""
    entry, told = find_entry(asked, catalogue), catalogue.models.get(said)
    if entry is None:
        return False
    names = {_halves(name)[0] for name in (entry.id, entry.canonical) if name}
    return _halves(said)[0] in names or (told is not None and _halves(told.canonical)[0] in names)


def _likeness(base: str, told: str, catalogue: Catalogue) -> int | None:
    if _same_but_for_date(base, told, catalogue):
        return 3
    if ("/" in base) != ("/" in told) and _same_but_for_date(
        base.rpartition("/")[2], told.rpartition("/")[2], catalogue
    ):
        return 4
    if base.startswith("~") and told.startswith(base[1:].removesuffix("latest")):
        return 5
    return 6 if base in _ROUTERS else None


def _same_but_for_date(base: str, told: str, catalogue: Catalogue) -> bool:
    """``-2506`` may be a date or a version: it is a date unless the catalogue holds it as a model of its own."""
    if _same_words(base, told) or _same_words(base, _undated(told)) or _same_words(_undated(base), told):
        return True
    short = _SHORT_DATE.fullmatch(told[len(base) :]) if told.startswith(base) else None
    return short is not None and told not in catalogue.models


def _same_words(one: str, other: str) -> bool:
    """The words of a slug may stand in another order: ``claude-sonnet-4.5`` is served as ``claude-4.5-sonnet``."""
    if one.replace(".", "-") == other.replace(".", "-"):
        return True
    (author, _, name), (other_author, _, other_name) = one.rpartition("/"), other.rpartition("/")
    return author == other_author and sorted(name.split("-")) == sorted(other_name.split("-"))


def _undated(name: str) -> str:
    found = re.search(_DATE.pattern + r"$", name)
    return name[: found.start()] if found else name


def _halves(name: str) -> tuple[str, str]:
    base, _, variant = name.partition(":")
    return base, variant


def _squeeze(slug: str) -> str:
    return re.sub(r"[^a-z0-9]", "", slug)
