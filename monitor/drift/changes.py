"""What changed between two readings of a catalogue, one finding for each fact. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.drift.facts import About, Aspect, Facts
from monitor.findings import CatalogueFinding, Drift

MILLION = 1_000_000
Value = tuple[str, ...]


def changes(endpoint: str, before: Facts, now: Facts) -> dict[About, CatalogueFinding]:
    """By the fact that changed, without uses. Only models whose providers were known are compared, and that still are
    in the catalogue."""
    known = offered(before) & {about.model for about in now}
    found: dict[About, CatalogueFinding] = {}
    for about in dict.fromkeys([*before, *now]):
        if about.model in known and before.get(about) != now.get(about):
            finding = _finding(endpoint, about, before, now)
            if finding is not None:
                found[about] = finding
    return found


def absorbed(before: Facts, now: Facts) -> Facts:
    """The facts to compare with next time: what is new and harmless (a model, a parameter) is taken in silently."""
    kept = dict(before)
    models = offered(before)
    for about, value in now.items():
        if about.model not in models or _is_new_limit(about, before):
            kept[about] = value
        elif about.aspect is Aspect.PARAMETERS:
            kept[about] = tuple(sorted({*before.get(about, ()), *value}))
        elif about.aspect is Aspect.CANONICAL:
            kept[about] = value
    return kept


def accepted(before: Facts, now: Facts, about: About) -> Facts:
    """The facts to compare with once a change is old news; with a provider that came or went go its other facts."""
    own = [about]
    if about.aspect is Aspect.OFFERED:
        own = [other for other in {**before, **now} if other[:2] == about[:2]]
    return {other: value for other, value in before.items() if other not in own} | {
        other: now[other] for other in own if other in now
    }


def offered(facts: Facts) -> frozenset[str]:
    """The models of which some provider is known."""
    return frozenset(about.model for about in facts if about.aspect is Aspect.OFFERED)


def _is_new_limit(about: About, before: Facts) -> bool:
    """A provider that was known and now says more of itself."""
    return about not in before and before.get(about._replace(aspect=Aspect.OFFERED)) is not None


def _finding(endpoint: str, about: About, before: Facts, now: Facts) -> CatalogueFinding | None:
    was, is_ = before.get(about), now.get(about)
    if about.aspect is Aspect.OFFERED:
        return _moved(endpoint, about, came=was is None) if was is None or is_ is None else None
    change = _CHANGES.get(about.aspect)
    if change is None or was is None or is_ is None:
        return None
    drift, word = change
    said = word(was, is_)
    if said is None:
        return None
    where = f"{about.model} at {about.provider}"
    return CatalogueFinding(drift=drift, endpoint=endpoint, subject=where, detail=f"{where}: {said}", value=said)


def _moved(endpoint: str, about: About, *, came: bool) -> CatalogueFinding:
    where = f"{about.model} at {about.provider}"
    said = "serves" if came else "no longer serves"
    drift = Drift.PROVIDER_JOINED if came else Drift.PROVIDER_LEFT
    detail = f"{about.provider} {'now ' if came else ''}{said} {about.model}"
    return CatalogueFinding(drift=drift, endpoint=endpoint, subject=where, detail=detail, value=said)


def _price(was: Value, is_: Value) -> str | None:
    """In USD per million tokens, as prices are compared by people; a fee for each request as it is."""
    said = []
    for name, old, new in zip(("prompt", "completion", "request"), was, is_, strict=False):
        if old != new:
            factor, unit = (1, "USD each") if name == "request" else (MILLION, "USD per million tokens")
            said.append(f"{name} {float(old) * factor:g} -> {float(new) * factor:g} {unit}{_percent(old, new)}")
    return "; ".join(said) or None


def _percent(old: str, new: str) -> str:
    return f" ({float(new) / float(old) - 1:+.0%})" if float(old) else ""


def _tokens(name: str) -> Callable[[Value, Value], str]:
    return lambda was, is_: f"{name} {int(was[0]):,} -> {int(is_[0]):,} tokens{_percent(was[0], is_[0])}"


def _parameters(was: Value, is_: Value) -> str | None:
    dropped = sorted({*was} - {*is_})
    return f"no longer takes {', '.join(dropped)}" if dropped else None


_CHANGES: Mapping[Aspect, tuple[Drift, Callable[[Value, Value], str | None]]] = {
    Aspect.PRICE: (Drift.PRICE_CHANGED, _price),
    Aspect.CONTEXT: (Drift.CONTEXT_CHANGED, _tokens("context")),
    Aspect.OUTPUT: (Drift.OUTPUT_LIMIT_CHANGED, _tokens("longest answer")),
    Aspect.PARAMETERS: (Drift.PARAMETER_DROPPED, _parameters),
}
