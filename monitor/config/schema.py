"""JSON Schema of both files, for editors: the models' own, with the words that the vocabulary knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from monitor.config.model import AlertsFile, ChainsFile, FaultOption, NotifierSettings, Vocabulary
from monitor.config.quantity import Duration, Percent, format_duration, format_percent

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(vocabulary: Vocabulary) -> dict[str, Schema]:
    """``{"chains": schema of chains.yaml, "alerts": schema of alerts.yaml}``."""
    schemas = {"chains": _chains(vocabulary), "alerts": _alerts(vocabulary)}
    return {name: {"$schema": _DRAFT, **_for_people(schema)} for name, schema in schemas.items()}


def _chains(vocabulary: Vocabulary) -> Schema:
    schema = ChainsFile.model_json_schema()
    schema["properties"]["endpoints"]["additionalProperties"] = False
    sections = schema["$defs"]
    _offer(sections, "EndpointConfig", "dialect", vocabulary.dialects)
    _offer(sections, "ProbeConfig", "kind", vocabulary.kinds)
    drill, faults = sections["DrillConfig"]["properties"], _faults(vocabulary)
    _offer(sections, "DrillConfig", "kind", vocabulary.kinds)
    drill["by"]["anyOf"] = [{"enum": sorted(vocabulary.faults)}, {"type": "null"}]
    one = sections["StrikeConfig"]["properties"]
    for section in (drill, one):
        section["with"]["anyOf"] = _choices(faults)
        section["shape"]["anyOf"] = [*_choices(vocabulary.shapes), {"type": "null"}]
    sections["ChainConfig"]["properties"]["needs"]["items"] = {"enum": sorted(vocabulary.capabilities)}
    return schema


def _alerts(vocabulary: Vocabulary) -> Schema:
    schema = AlertsFile.model_json_schema()
    sections = schema["$defs"]
    _offer(sections, "RuleConfig", "when", vocabulary.rules)
    base = sections.pop("NotifierConfig")
    base["properties"].pop("settings")
    kinds = []
    for kind, model in sorted(vocabulary.notifiers.items()):
        own = _notifier(kind, model, base)
        sections.update(own.pop("$defs", {}))
        kinds.append(own)
    sections["NotifierConfig"] = {
        "title": "NotifierConfig", "description": "A way to reach people.", "oneOf": kinds,
    }  # fmt: skip
    return schema


def _notifier(kind: str, model: type[NotifierSettings], base: Schema) -> Schema:
    """One kind of notifier: what all have, and its own settings beside it."""
    own = model.model_json_schema()
    return {
        **own,
        "title": f"{kind} notifier",
        "description": model.__doc__ or kind,
        "properties": {**base["properties"], "kind": {"const": kind}, **own.get("properties", {})},
        "required": [*base["required"], *own.get("required", [])],
    }


def _offer(sections: Schema, section: str, name: str, words: Iterable[str]) -> None:
    sections[section]["properties"][name]["enum"] = sorted(words)


def _faults(vocabulary: Vocabulary) -> dict[str, Mapping[str, FaultOption]]:
    """Every fault with the options that any injector gives it."""
    merged: dict[str, Mapping[str, FaultOption]] = {}
    for faults in vocabulary.faults.values():
        for name, options in faults.items():
            merged[name] = {**merged.get(name, {}), **options}
    return merged


def _choices(known: Mapping[str, Mapping[str, FaultOption]]) -> list[Schema]:
    """A word, or the word with settings of its own."""
    return [
        {"enum": sorted(spelling for name in known for spelling in _both(name))},
        {"oneOf": list(map(_with_settings, sorted(known.items())))},
    ]


def _both(name: str) -> set[str]:
    """A fault's name may be written with hyphens."""
    return {name, name.replace("_", "-")}


def _with_settings(choice: tuple[str, Mapping[str, FaultOption]]) -> Schema:
    name, options = choice
    settings = {
        "type": ["object", "null"],
        "properties": {option: _option(limits) for option, limits in sorted(options.items())},
        "additionalProperties": False,
    }
    return {
        "title": name,
        "type": "object",
        "properties": dict.fromkeys(sorted(_both(name)), settings),
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _option(option: FaultOption) -> Schema:
    if option.unit == "seconds":
        return {**TypeAdapter(Duration).json_schema(), "default": format_duration(option.default)}
    if option.unit == "share":
        return {**TypeAdapter(Percent).json_schema(), "default": format_percent(option.default)}
    return {"type": "integer", "minimum": option.low, "maximum": option.high, "default": option.default}


def _for_people(schema: Any) -> Any:
    """Defaults of quantities as they are written in the file, and descriptions without markup."""
    if isinstance(schema, list):
        return [_for_people(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _for_people(value) for key, value in schema.items()}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].replace("``", "`").split())
    default = tidy.get("default")
    if isinstance(default, float) and tidy.get("type") == "string":
        percent = str(tidy.get("pattern", "")).endswith("%$")
        tidy["default"] = format_percent(default) if percent else format_duration(default)
    return tidy
