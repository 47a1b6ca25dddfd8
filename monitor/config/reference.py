"""Every setting of both files in one list: what the documentation, and the test that holds it, are made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from monitor.config.model import AlertsFile, ChainsFile, Section, Vocabulary
from monitor.config.quantity import format_duration, format_percent, parse_duration, parse_percent
from monitor.config.shape import bare, item_of, section_in, settings


class Setting(NamedTuple):
    """``path``: ``chains[].targets[].label``, ``endpoints.NAME.url``, ``notifiers[slack].channel``. ``type`` and
    ``default`` are words for people; ``default`` is ``required`` where there is none, empty where unset is meant."""

    path: str
    type: str
    default: str
    meaning: str


def settings_reference(vocabulary: Vocabulary) -> list[Setting]:
    """The settings of ``chains.yaml``, then those of ``alerts.yaml``, in the order in which they are declared."""
    choices = _choices(vocabulary)
    listed = [*_of_section(ChainsFile, "", choices), *_of_section(AlertsFile, "", choices)]
    after = max(index for index, setting in enumerate(listed) if setting.path.startswith("notifiers[]")) + 1
    of_kinds = [
        setting
        for kind, model in sorted(vocabulary.notifiers.items())
        for setting in _of_section(model, f"notifiers[{kind}].", choices)
    ]
    return [*listed[:after], *of_kinds, *listed[after:]]


def _choices(vocabulary: Vocabulary) -> Mapping[str, frozenset[str]]:
    """Settings whose words come from the vocabulary."""
    return {
        "endpoints.NAME.dialect": vocabulary.dialects,
        "chains[].needs": vocabulary.capabilities,
        "chains[].probes[].kind": vocabulary.kinds,
        "drills[].kind": vocabulary.kinds,
        "drills[].by": frozenset(vocabulary.faults),
        "rules[].when": frozenset(vocabulary.rules),
        "notifiers[].kind": frozenset(vocabulary.notifiers),
    }


def _of_section(section: type[Section], prefix: str, choices: Mapping[str, frozenset[str]]) -> Iterator[Setting]:
    for name, info in settings(section).items():
        path = prefix + name
        words = _type(info)
        if path in choices:
            words = words.replace("text", f"one of {', '.join(sorted(choices[path]))}")
        yield Setting(path, words, _default(info), info.description or "")
        annotation = bare(info.annotation)
        inner, step = section_in(annotation), "."
        if inner is None:
            inner = section_in(item_of(annotation))
            step = "[]." if get_origin(annotation) is tuple else ".NAME."
        if inner is not None:
            yield from _of_section(inner, path + step, choices)


def _type(info: FieldInfo) -> str:
    return _words(info.annotation, info.metadata)


def _words(annotation: Any, metadata: list[Any] | tuple[Any, ...]) -> str:
    for marker in metadata:
        if isinstance(marker, BeforeValidator) and marker.func in _QUANTITIES:
            return _QUANTITIES[marker.func][0]
    if get_origin(annotation) is Annotated:
        inner, *markers = get_args(annotation)
        return _words(inner, markers)
    branches = [branch for branch in get_args(annotation) if branch is not type(None)]
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return " or ".join(dict.fromkeys(_words(branch, ()) for branch in branches))
    if get_origin(annotation) is tuple:
        return f"list of {_words(branches[0], ())}"
    if get_origin(annotation) is Literal:
        return " or ".join(branches)
    if get_origin(annotation) is not None:
        return "settings"
    return _plain_words(annotation)


def _plain_words(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return f"one of {', '.join(annotation)}"
    if section_in(annotation):
        return "settings"
    return {str: "text", bool: "true or false", int: "whole number", float: "number"}.get(annotation, "settings")


_QUANTITIES: Mapping[Any, tuple[str, Any]] = {
    parse_duration: ("duration", format_duration),
    parse_percent: ("percentage", format_percent),
}


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    for words, shown in _QUANTITIES.values():
        if isinstance(value, float) and _type(info) == words:
            return str(shown(value))
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, (Section, Mapping)):
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
