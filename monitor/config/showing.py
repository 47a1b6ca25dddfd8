"""How a value of a config file is shown in a message: short, on one line, and never when it may be a secret."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from typing import Any

_LONGEST = 60
_SECRET = re.compile(
    r"(?<![a-z0-9])(sk-[a-z0-9_-]{8}|xox[a-z]-|xapp-|gh[pousr]_[a-z0-9]{16}|github_pat_|bearer\s)"
    r"|hooks\.slack\.com/services/|://[^/\s@]*:[^/\s@]*@",
    re.IGNORECASE,
)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_@.-]+", re.ASCII)
_MOST_CHOICES = 40


def looks_secret(value: Any) -> bool:
    """Whether a text has the form of a known credential: a provider's key, a Slack token, a webhook's address."""
    return isinstance(value, str) and _SECRET.search(value) is not None


def quote(value: Any) -> str:
    """A value as the message names it: ``"sever"``, ``30``, ``a list``. Credentials are masked, long texts cut."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case str() if looks_secret(value):
            return '"****"'
        case str() if len(value) > _LONGEST:
            return _one_line(f"{value[:_LONGEST]}…")
        case _:
            return _one_line(value)


def _one_line(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def place(path: Iterable[str | int]) -> str:
    """``("chains", 0, "targets", 1)`` as ``chains[0].targets[1]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step) and not looks_secret(step):
            text += f".{step}" if text else step
        else:
            text += f"[{quote(step)}]"
    return text


def closest(found: str, choices: Iterable[str]) -> str | None:
    """The choice that was probably meant."""
    by_fold = {choice.casefold().replace("-", "_"): choice for choice in choices}
    near = difflib.get_close_matches(found.casefold().replace("-", "_"), by_fold, n=1)
    return by_fold[near[0]] if near else None


def among(found: Any, choices: Iterable[str], *, what: str = "is not known here", none: str = "there is none") -> str:
    """The sentence about a word that is none of the choices, with the one that was probably meant."""
    known = sorted(set(choices))  # a name that is taken twice is a mistake of its own
    if not known:
        return f"{quote(found)} {what}; {none}"
    meant = closest(found, known) if isinstance(found, str) else None
    hint = f'did you mean "{meant}"? Known: ' if meant else "known: "
    return f"{quote(found)} {what}; {hint}{listed(known)}"


def listed(names: Iterable[str]) -> str:
    """Names in one line, the rest counted."""
    every = list(names)
    rest = len(every) - _MOST_CHOICES
    return ", ".join(every[:_MOST_CHOICES]) + (f" and {rest} more" if rest > 0 else "")
