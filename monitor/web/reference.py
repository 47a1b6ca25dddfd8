"""The API's document as a page shows it. Pure: an OpenAPI document in, plain values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter, or a field of a value. ``kind`` is its type in words; ``place``: path, query, body or nothing."""

    name: str
    kind: str
    place: str = ""
    required: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``value`` names what is answered, where that is one of the document's own."""

    code: str
    value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    method: str
    path: str
    summary: str
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    name: str
    text: str
    fields: tuple[Field, ...]


def operations(document: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Every operation, in the order of the document."""
    schemas = document["components"]["schemas"]
    return tuple(
        Operation(
            method=method.upper(),
            path=path,
            summary=found.get("summary", ""),
            fields=(*(_parameter(one, schemas) for one in found.get("parameters", ())), *_body(found, schemas)),
            answers=tuple(_answer(code, answer) for code, answer in found["responses"].items()),
        )
        for path, methods in document["paths"].items()
        for method, found in methods.items()
    )


def values(document: Mapping[str, Any]) -> tuple[Value, ...]:
    """Every object that operations take or answer, by name."""
    schemas = document["components"]["schemas"]
    return tuple(
        Value(name=name, text=found.get("description", ""), fields=_fields(found, schemas, place=""))
        for name, found in sorted(schemas.items())
        if "properties" in found
    )


def _parameter(found: Mapping[str, Any], schemas: Mapping[str, Any]) -> Field:
    schema = found["schema"]
    return Field(
        name=found["name"],
        kind=_kind(schema, schemas),
        place=found["in"],
        required=found.get("required", False),
        text=schema.get("description") or found.get("description") or "",
    )


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Field, ...]:
    schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
    named = next((one for one in (schema, *schema.get("anyOf", ())) if "$ref" in one), None)
    return _fields(schemas[_name(named)], schemas, place="body") if named else ()


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], *, place: str) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=name,
            kind=_kind(found, schemas),
            place=place,
            required=name in schema.get("required", ()),
            text=found.get("description", ""),
        )
        for name, found in schema["properties"].items()
    )


def _answer(code: str, found: Mapping[str, Any]) -> Answer:
    schema = found.get("content", {}).get(JSON, {}).get("schema", {})
    named = "$ref" in schema
    return Answer(code=code, value=_name(schema) if named else "", text="" if named else found.get("description", ""))


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """``integer 1 to 500``, ``list of TargetView``, ``scheduled, drill, manual or live``."""
    if "$ref" in schema:
        found = schemas[_name(schema)]
        return _kind(found, schemas) if "enum" in found else _name(schema)
    if "anyOf" in schema:
        return " or ".join("nothing" if one.get("type") == "null" else _kind(one, schemas) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "items" in schema:
        return f"list of {_kind(schema['items'], schemas)}"
    bounds = " to ".join(str(schema[key]) for key in ("minimum", "maximum") if key in schema)
    return f"{schema.get('type', 'anything')} {bounds}".rstrip()
