"""A journal as one JSON document with everything that is needed to judge its run again.

The document carries its format and version. What a later version adds is skipped; what is damaged or newer than can be
understood is refused in one sentence.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError, to_json

from chaos.evidence import Evidence
from chaos.judge import judge
from chaos.model import Journal
from monitor.config import wording
from monitor.errors import FallbackdError
from monitor.model import Verdict
from monitor.reading import mapping

FORMAT = "fallbackd journal"
VERSION = 1

_ASKED_BY = re.compile(rb'"asked_by":\s*("(?:[^"\\]|\\.)*")')
"""A quote inside of a text is escaped, so that the first of these is the field."""
_JOURNAL: TypeAdapter[Journal] = TypeAdapter(Journal)


class JournalError(FallbackdError):
    """A document that is no journal, or one that cannot be understood or judged."""


def journal_json(journal: Journal) -> bytes:
    """The document. Lone surrogates, which an upstream may send, become ``?``; nothing else is lost."""
    head = {"format": FORMAT, "version": VERSION}
    try:
        return to_json(head | _members(journal), inf_nan_mode="constants")
    except PydanticSerializationError:
        plain = head | _JOURNAL.dump_python(journal, mode="json")
        return json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")


def journal_from_json(data: bytes) -> Journal:
    """Raises JournalError."""
    try:
        document = json.loads(data)
    except UnicodeDecodeError as error:
        raise JournalError(f"this is no journal: byte {error.start} is no UTF-8 text") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise JournalError(f"this is no whole JSON document ({error.msg} in {where}): is the file complete?") from None
    except RecursionError:
        raise JournalError("this is no journal: it is nested too deep") from None
    return journal_from(document)


def asker_of(data: bytes) -> str | None:
    """Who asked for the run, without reading all of a journal, which may be long; None where it does not say."""
    found = _ASKED_BY.search(data)
    return str(json.loads(found[1])) if found else None


def journal_from(document: Any) -> Journal:
    """As ``journal_from_json``, of a document that was parsed already."""
    if not isinstance(document, dict) or document.get("format", FORMAT) != FORMAT:
        raise JournalError('this is no journal of a drill: it has no "format": "fallbackd journal"')
    version = document.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise JournalError(
            f"this journal was written by a newer fallbackd (version {version} of the format; this one reads up to "
            f"{VERSION}): upgrade fallbackd"
        )
    try:
        return _JOURNAL.validate_python(_as_of_today(document))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"] if step != Journal.__name__)
        others = error.error_count() - 1
        more = f" (and {others} more)" if others else ""
        raise JournalError(f"this journal is damaged: {where or 'it'}: {_wrong(first)}{more}") from None


def evidence_of(journal: Journal) -> Evidence:
    """What the judge looks at. Raises JournalError for a journal from before all of it was kept."""
    if not journal.labels:
        raise JournalError(
            "this journal does not say what the chain's targets were called, so it cannot be judged again"
        )
    if max(journal.drill.breaks, default=0) >= len(journal.labels):
        raise JournalError("this journal is damaged: the drill breaks a target that the chain did not have")
    return Evidence(**{each.name: getattr(journal, each.name) for each in fields(Evidence)})


def judged_again(journal: Journal) -> Verdict:
    """The verdict of today's judge on what was recorded, as of the time of the first one. Raises JournalError."""
    return judge(evidence_of(journal), journal.verdict.at)


def differences(recorded: Verdict, again: Verdict) -> tuple[tuple[str, Any, Any], ...]:
    """(what, then, now) for each part in which two verdicts differ."""
    parts = (each.name for each in fields(Verdict))
    return tuple(
        (part, getattr(recorded, part), getattr(again, part))
        for part in parts
        if getattr(recorded, part) != getattr(again, part)
    )


def _wrong(error: ErrorDetails) -> str:
    if error["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return "is missing"
    return wording.sentence(error, error["loc"], error["input"], "")


def _members(journal: Journal) -> dict[str, Any]:
    return {each.name: getattr(journal, each.name) for each in fields(Journal)}


def _as_of_today(document: dict[str, Any]) -> dict[str, Any]:
    """Journals that were kept before drills could have several faults name the only one in the drill itself."""
    found = {key: value for key, value in document.items() if key not in ("format", "version")}
    drill = dict(mapping(found.get("drill")))
    if "fault" in drill and "strikes" not in drill:
        fault, options, positions = (drill.pop(name, None) for name in ("fault", "options", "breaks"))
        drill["strikes"] = [{"fault": fault, "options": options, "positions": positions}]
        found["drill"] = drill
    return found
