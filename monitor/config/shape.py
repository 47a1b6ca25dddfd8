"""Checks a document against a section's model and words every mistake of shape in our own sentences.

Documents are validated as JSON in strict mode: lists become tuples and words become enums, but ``"3"`` is no number
and ``"on"`` is not true.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor.config.document import Document, Steps
from monitor.config.model import Section
from monitor.config.wording import ALTERNATIVES, missing, sentence, unknown_setting
from monitor.errors import Problem

SectionT = TypeVar("SectionT", bound=Section)


def validate(
    model: type[SectionT], value: Any, document: Document, at: Steps = ()
) -> tuple[SectionT | None, tuple[Problem, ...]]:
    """The section, or None and everything that is wrong with its shape. ``at`` is where the value stands."""
    try:
        return model.model_validate_json(json.dumps(value), strict=True), ()
    except ValidationError as error:
        return None, tuple(_problems(error.errors(include_url=False), model, value, document, at))


def _problems(
    errors: Sequence[ErrorDetails], model: type[Section], value: Any, document: Document, at: Steps
) -> list[Problem]:
    found: dict[Steps, Problem] = {}
    for error in errors:
        path = _written(error["loc"])
        if _is_echo(error) or path in found:
            continue
        found[path] = document.problem((*at, *path), _message(error, path, model, value))
    return list(found.values())


def _is_echo(error: ErrorDetails) -> bool:
    """pydantic counts only the valid items of a list: a list of one bad item is then "too short" as well."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _written(loc: Steps) -> Steps:
    """The part of pydantic's location that a person wrote: without the branch of an alternative or a key's marker."""
    for index, step in enumerate(loc):
        if step in ALTERNATIVES and index and isinstance(loc[index - 1], int):
            return loc[: index + 1]
    return tuple(step for step in loc if step != "[key]")


def _message(error: ErrorDetails, path: Steps, model: type[Section], value: Any) -> str:
    parent, field = _field(model, path)
    meaning = (field.description if field else None) or ""
    if error["type"] == "extra_forbidden" and parent is not None:
        return unknown_setting(str(path[-1]), settings(parent))
    if error["type"] == "missing":
        return missing(meaning)
    found = path[-1] if error["loc"][-1:] == ("[key]",) else _found(value, path)
    return sentence(error, path, found, meaning)


def _found(value: Any, path: Steps) -> Any:
    """What was written at a path; pydantic reports some values only after they were read."""
    for step in path:
        inner = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(inner, dict) and step in inner:
            value = inner[step]
    return value


def settings(model: type[Section]) -> Mapping[str, FieldInfo]:
    """The settings of a section by the names that are written in the file."""
    hidden = {"settings"}
    return {info.alias or name: info for name, info in model.model_fields.items() if name not in hidden}


def _field(model: type[Section], path: Steps) -> tuple[type[Section] | None, FieldInfo | None]:
    """The section that the last step of a path stands in, and the setting it names, as far as they exist."""
    parent: type[Section] | None = None
    field: FieldInfo | None = None
    here: Any = model
    for step in path:
        section = section_in(here)
        if isinstance(step, int) or (section is None or get_origin(here) is not None):
            here = item_of(here)
            continue
        parent, field = section, settings(section).get(step)
        here = bare(field.annotation) if field else None
    return parent, field


def bare(annotation: Any) -> Any:
    """An annotation without ``Annotated`` and without ``| None``."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            branches = [branch for branch in get_args(annotation) if branch is not type(None)]
            if len(branches) > 1:
                return annotation
            annotation = branches[0]
        else:
            return annotation


def item_of(annotation: Any) -> Any:
    """What a list or a mapping holds; None for anything else."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return bare(args[0])
    if origin in (dict, Mapping):
        return bare(args[1])
    return None


def section_in(annotation: Any) -> type[Section] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None
