"""What an import makes, before it is written: endpoints, chains, targets, and notes on what is not carried over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.config.document import Document, Node
from monitor.config.showing import looks_secret, quote
from monitor.errors import ConfigError, Problem
from monitor.model import Mode, Reason

MOST_SECONDS = 3600.0
"""A longer timeout than an hour is none; it is not carried over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line adds: where the endpoint is, which model is asked where the source does not say."""

    url: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDraft:
    name: str
    dialect: str
    url: str
    credential_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDraft:
    """``timeout`` in seconds."""

    label: str
    model: str | None = None
    provider: str | None = None
    providers: tuple[str, ...] = ()
    endpoint: str | None = None
    timeout: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainDraft:
    """``alone``: only its targets are asked, since an ordinary question never makes the endpoint walk it."""

    name: str
    endpoint: str
    mode: Mode
    targets: tuple[TargetDraft, ...]
    model: str | None = None
    needs: tuple[str, ...] = ()
    routing: Mapping[str, Any] = field(default_factory=dict)
    move_on: tuple[Reason, ...] = ()
    stream: bool = False
    alone: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    endpoints: tuple[EndpointDraft, ...]
    chains: tuple[ChainDraft, ...]
    notes: tuple[str, ...] = ()


class Names:
    """Names as ``chains.yaml`` takes them, each once."""

    def __init__(self, *taken: str) -> None:
        self._taken = set(taken)

    def of(self, text: str) -> str:
        plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:56].rstrip("-._") or "unnamed"
        name, count = plain, 1
        while name in self._taken:
            count += 1
            name = f"{plain}-{count}"
        self._taken.add(name)
        return name


class Reading:
    """Reads a document and gathers what is wrong with it."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._problems: list[Problem] = []

    def text(self, node: Node, what: str) -> str:
        """The text of a node that must have one. What looks like a credential is never carried over."""
        if node.value is None:
            self.blame(node, f"is missing; {what}")
        elif node.text is None or not node.text.strip():
            self.blame(node, f"{quote(node.value)} stands where a text belongs ({what})")
        elif looks_secret(node.text):
            self.blame(node, "looks like a credential where a name belongs; name it in another way")
        else:
            return node.text
        return ""

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """The items of a list; what is no list is a problem, an absent one is empty."""
        if node.value is not None and not isinstance(node.value, list):
            self.blame(node, f"{quote(node.value)} stands where a list belongs ({what})")
        return node.items()

    def blame(self, node: Node, message: str) -> None:
        self._problems.append(node.problem(message))

    def finish(self) -> None:
        """Raises ConfigError with everything that was found."""
        if self._problems:
            raise ConfigError(tuple(sorted(self._problems, key=lambda found: found.line or 0)))


def seconds(node: Node, scale: float = 1.0) -> float | None:
    """A timeout as number, in units of ``scale`` seconds; None where there is none that means anything."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    found = value * scale
    return found if 0.001 <= found <= MOST_SECONDS else None
