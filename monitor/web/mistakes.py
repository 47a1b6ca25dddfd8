"""What is wrong with a request, in our own sentences: the place, what stands there, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, get_args

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor.config import wording
from monitor.config.showing import listed

Fields = Mapping[str, FieldInfo]
_BODY, _QUERY = "body", "query"


def sentences(request: Request, error: RequestValidationError) -> str:
    """``query limit: "501" is out of bounds; it must be at most 500``, one after the other."""
    return "; ".join(_sentence(request, one, error.body) for one in error.errors())


def _sentence(request: Request, error: ErrorDetails, body: Any) -> str:
    where, *rest = error["loc"]
    fields = _fields(request, str(where))
    if error["type"] == "json_invalid":
        return f"body: is no JSON ({error['ctx']['error']} at character {rest[0]}); {_object_of(fields)}"
    path = tuple(rest)
    if not path and error["type"] != "value_error":
        return f"{where}: {_object_of(fields)}"
    name = ".".join(map(str, path))
    return f"{where}{f' {name}' if name else ''}: {_wrong(error, path, _found(request, error, body), fields)}"


def _wrong(error: ErrorDetails, path: tuple[str | int, ...], found: Any, fields: Fields) -> str:
    field = fields.get(str(path[0])) if path else None
    meaning = (field.description if field else None) or ""
    if error["type"] == "missing" or (found is None and field is not None and field.is_required()):
        return wording.missing(meaning)
    if error["type"] == "extra_forbidden":
        return wording.unknown_setting(str(path[-1]), fields)
    return wording.sentence(error, path, found, meaning)


def _found(request: Request, error: ErrorDetails, body: Any) -> Any:
    """What was sent. What pydantic hands over may have been read already: a duration as seconds."""
    where, *path = error["loc"]
    if where == _QUERY and path:
        text = request.query_params.get(str(path[0]), error["input"])
        with suppress(ValueError):
            return int(text)
        return text
    found = body if where == _BODY else error["input"]
    for step in path if where == _BODY else ():
        if not isinstance(found, Mapping) or step not in found:
            return error["input"]
        found = found[step]
    return found


def _object_of(fields: Fields) -> str:
    return f"write a JSON object of {listed(fields)}" if fields else "write a JSON object"


def _fields(request: Request, where: str) -> Fields:
    """What may be sent, by the name under which it is sent."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    params = getattr(dependant, {_BODY: "body_params", _QUERY: "query_params"}.get(where, ""), ())
    return dict(_named(params))


def _named(params: Sequence[Any]) -> Iterator[tuple[str, FieldInfo]]:
    for param in params:
        annotation = param.field_info.annotation
        models = [one for one in (annotation, *get_args(annotation)) if _is_model(one)]
        for model in models:
            yield from ((field.alias or name, field) for name, field in model.model_fields.items())
        if not models:
            yield param.alias, param.field_info


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
