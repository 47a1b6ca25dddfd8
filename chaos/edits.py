"""Changes of a request by which its router leaves targets out, or refuses it: values that can be sent elsewhere. Pure.

The constructs are class F (filtered) and class X (rejected) of the fact sheet's "Making the primary unavailable on
purpose", and the fields with which a LiteLLM proxy lets its own fallbacks be tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chaos.slugs import covers, overlap
from monitor.reading import number

UNKNOWN_ID = "fallbackd/no-such-model"
MOST_VALUES = 500
LONGEST_VALUE = 200

Body = Mapping[str, Any]
"""A request's body. What an edit returns shares all that it did not change."""


class UneditableError(Exception):
    """The request cannot be changed so and still mean what it meant. The text is the rest of a sentence about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change. ``kind``: one of ``KINDS``, which says what ``values`` are."""

    kind: str
    values: tuple[str, ...]

    def __call__(self, body: Body) -> Body:
        """The body as changed. Raises UneditableError."""
        return KINDS[self.kind](body, self.values)


def _ignore(body: Body, slugs: tuple[str, ...]) -> Body:
    """The providers that are left out as well."""
    return _routed(body, "ignore", list(dict.fromkeys((*_slugs(body, "ignore"), *slugs))))


def _only(body: Body, slugs: tuple[str, ...]) -> Body:
    """The providers that may serve, of those that the request allows itself."""
    own = _slugs(body, "only")
    allowed = _intersect(own, slugs) if own else list(slugs)
    if not allowed:
        raise UneditableError("allows none of the providers that would be left (provider.only)")
    return _routed(body, "only", allowed)


def _max_price(body: Body, values: tuple[str, ...]) -> Body:
    """(dimension, USD per million tokens): where the request names a price too, the lower one holds."""
    dimension, cap = values
    own = dict(_member(_routing(body), "max_price", Mapping) or {})
    if dimension in own:
        told = number(own[dimension])
        if told is None:
            raise UneditableError(f"has a provider.max_price.{dimension} that is no number")
        if told <= float(cap):
            return body
    return _routed(body, "max_price", {**own, dimension: cap})


def _unknown_id(body: Body, models: tuple[str, ...]) -> Body:
    """The models whose ids are replaced by one that no endpoint knows."""
    changed = dict(body)
    if body.get("model") in models:
        changed["model"] = UNKNOWN_ID
    if listed := _member(body, "models", list, tuple):
        changed["models"] = [UNKNOWN_ID if model in models else model for model in listed]
    return changed


def _field(body: Body, names: tuple[str, ...]) -> Body:
    """Fields of the request that are set to true."""
    return {**body, **dict.fromkeys(names, True)}


KINDS: Mapping[str, Callable[[Body, tuple[str, ...]], Body]] = {
    "ignore": _ignore,
    "only": _only,
    "max_price": _max_price,
    "unknown_id": _unknown_id,
    "field": _field,
}
DIMENSIONS = ("prompt", "completion")
FIELDS = ("mock_testing_fallbacks", "mock_testing_context_fallbacks", "mock_testing_content_policy_fallbacks")
"""LiteLLM docs, "Fallbacks": Test Fallbacks."""


def dump_edit(edit: Edit) -> dict[str, Any]:
    return {**asdict(edit), "values": list(edit.values)}


def read_edit(written: object) -> Edit:
    """Checked, since it comes from elsewhere: nothing but the known changes can be asked for. Raises ValueError with
    one sentence."""
    if not isinstance(written, Mapping) or written.keys() != {"kind", "values"}:
        raise ValueError("edits: a list of objects of kind, values")
    kind, values = written["kind"], written["values"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"edits: kind is one of {', '.join(KINDS)}")
    if not isinstance(values, list) or not 0 < len(values) <= MOST_VALUES:
        raise ValueError(f"edits: values is a list of 1 to {MOST_VALUES} texts")
    if not all(isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE for value in values):
        raise ValueError(f"edits: each value is a text of 1 to {LONGEST_VALUE} characters")
    if kind == "max_price" and not _is_cap(values):
        raise ValueError(f"edits: the values of max_price are one of {', '.join(DIMENSIONS)}, and a price")
    if kind == "field" and not set(values) <= set(FIELDS):
        raise ValueError(f"edits: the values of field are of {', '.join(FIELDS)}")
    return Edit(kind=kind, values=tuple(values))


def _is_cap(values: list[str]) -> bool:
    return len(values) == 2 and values[0] in DIMENSIONS and (number(values[1]) or 0.0) > 0


def _routing(body: Body) -> Body:
    return _member(body, "provider", Mapping) or {}


def _slugs(body: Body, key: str) -> Iterable[str]:
    listed = _member(_routing(body), key, list, tuple) or ()
    if not all(isinstance(slug, str) for slug in listed):
        raise UneditableError(f"has a provider.{key} that is no list of texts")
    return listed


def _member(body: Body, key: str, *kinds: type) -> Any:
    """A member of one of these kinds; None where there is none, or null."""
    value = body.get(key)
    if value is not None and not isinstance(value, kinds):
        raise UneditableError(f'has a "{key}" of a form that is not known here')
    return value


def _routed(body: Body, key: str, value: Any) -> Body:
    return {**body, "provider": {**_routing(body), key: value}}


def _intersect(own: Iterable[str], keep: Iterable[str]) -> list[str]:
    """What both allow; of a slug and its base the narrower one."""
    pairs = [(mine, theirs) for mine in own for theirs in sorted(keep) if overlap(mine, theirs)]
    return list(dict.fromkeys(mine if covers(theirs, mine) else theirs for mine, theirs in pairs))
