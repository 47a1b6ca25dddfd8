"""Our own sentence for every kind of mistake that pydantic finds. Its wording is never shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from monitor.config.quantity import format_duration
from monitor.config.showing import among, closest, listed, looks_secret, quote

ALTERNATIVES = {
    "providers": "names no provider; write a list of slugs, or: discover",
    "break": "is no target; write primary, a label, or a list of labels",
    "with": "is no fault; write its name, or {name: {option: value}}",
    "shape": "is no shape; write its name, or {name: {option: value}}",
    "after": "says neither how many requests nor how long; write 2, or 30s",
}
"""Settings that may be written in more than one form, with what to write."""

_PATTERNS = {
    "^[a-z0-9]": "is no name; use small letters, digits, '.', '_' and '-' (at most 63, a letter or digit first)",
    "^https?": "is no address; write http:// or https:// and the host",
}


def sentence(error: ErrorDetails, path: tuple[str | int, ...], found: Any, meaning: str) -> str:
    """What is wrong with the value that was found at a path, and what to write instead."""
    context = {**error.get("ctx", {}), "meaning": meaning}
    if len(path) > 1 and isinstance(path[-2], int) and path[-1] in ALTERNATIVES:
        return f"{quote(found)} {ALTERNATIVES[str(path[-1])]}"
    word = _WORDINGS.get(error["type"])
    if word is None:
        return f"{quote(found)} does not fit here"
    if found is None:
        return f"nothing stands here; {_EMPTY.get(error['type'], 'write a value')}, or leave the setting out"
    return word(found, context)


def missing(meaning: str) -> str:
    return f"is missing ({_short(meaning)})" if meaning else "is missing"


def _short(meaning: str) -> str:
    """The first part of a description, to stand within a sentence."""
    first = re.split(r"[.;] |\.$", meaning)[0]
    return first[:1].lower() + first[1:]


def unknown_setting(name: str, known: Iterable[str]) -> str:
    """A key that its section does not have."""
    every = sorted(known)
    if not every:
        return "there is no such setting; this takes none"
    meant = closest(name, every)
    hint = f'did you mean "{meant}"? Known: ' if meant else "known: "
    return f"there is no such setting; {hint}{listed(every)}"


def _text(found: Any, _: Mapping[str, Any]) -> str:
    if isinstance(found, bool):
        return f'{quote(found)} is not text here; write it in quotes: "{str(found).lower()}"'
    if isinstance(found, (int, float)):
        return f'{found} is a number, not text; write it in quotes: "{found}"'
    return f"{quote(found)} stands where text belongs"


def _flag(found: Any, _: Mapping[str, Any]) -> str:
    yes = isinstance(found, str) and found.casefold() in {"on", "yes", "y", "true"}
    no = isinstance(found, str) and found.casefold() in {"off", "no", "n", "false"}
    return f"{quote(found)} is not true or false; write {'true' if yes else 'false' if no else 'true or false'}"


def _number(found: Any, _: Mapping[str, Any]) -> str:
    return f"{quote(found)} is not a number"


def _whole(found: Any, _: Mapping[str, Any]) -> str:
    return f"{quote(found)} is not a whole number"


def _list(found: Any, _: Mapping[str, Any]) -> str:
    if isinstance(found, dict) or looks_secret(found):
        return f"{quote(found)} stands where a list belongs; begin each item with a dash"
    return f"{quote(found)} is not a list; write [{found}]"


def _section(found: Any, _: Mapping[str, Any]) -> str:
    return f"{quote(found)} stands where settings (key: value) belong"


def _choice(found: Any, context: Mapping[str, Any]) -> str:
    return among(found, re.findall(r"'([^']+)'", context["expected"]))


def _pattern(found: Any, context: Mapping[str, Any]) -> str:
    for start, words in _PATTERNS.items():
        if context["pattern"].startswith(start):
            return f"{quote(found)} {words}"
    return f"{quote(found)} does not have the right form ({_short(context['meaning'])})"


def _empty(found: Any, _: Mapping[str, Any]) -> str:
    return "is empty; write at least one" if isinstance(found, (list, dict)) else "is empty"


def _bound(words: str, key: str) -> Callable[[Any, Mapping[str, Any]], str]:
    def word(found: Any, context: Mapping[str, Any]) -> str:
        limit = context[key]
        shown = f"{limit:g}"
        if isinstance(found, str) and limit:
            shown = f"{limit:.0%}" if found.endswith("%") else format_duration(float(limit))
        return f"{found if isinstance(found, str) else quote(found)} is out of bounds; it must be {words} {shown}"

    return word


_WORDINGS: Mapping[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "string_type": _text,
    "bool_type": _flag,
    "int_type": _whole,
    "int_parsing": _whole,
    "int_from_float": _whole,
    "float_type": _number,
    "finite_number": _number,
    "tuple_type": _list,
    "list_type": _list,
    "dict_type": _section,
    "mapping_type": _section,
    "model_type": _section,
    "model_attributes_type": _section,
    "enum": _choice,
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _empty,
    "too_short": _empty,
    "string_too_long": lambda _found, context: f"is too long; write at most {context['max_length']} characters",
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "value_error": lambda _found, context: str(context["error"]),
}

_EMPTY = {
    "string_type": "write a text",
    "bool_type": "write true or false",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "tuple_type": "write a list",
    "list_type": "write a list",
    "dict_type": "write settings (key: value)",
    "model_type": "write settings (key: value)",
    "enum": "write a word",
}
