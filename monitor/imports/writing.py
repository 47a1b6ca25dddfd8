"""Writes a draft as a ``chains.yaml`` with comments."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.quantity import format_duration
from monitor.imports.draft import ChainDraft, Draft, EndpointDraft, TargetDraft
from monitor.reading import clean

_WIDTH = 112
_PLAIN = re.compile(r"[a-z][a-z0-9._-]*")
_VALUES = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_ADVICE = (
    "Look at the intervals before it runs: `fallbackd check` validates this file, `fallbackd plan` says what a day of "
    "it costs, `fallbackd diff CHAIN` compares a chain with what its endpoint does."
)


def write(draft: Draft, source: str) -> str:
    """``source`` says where it comes from, in a few words."""
    return "\n".join(_lines(draft, source)) + "\n"


def _lines(draft: Draft, source: str) -> Iterator[str]:
    yield from _comment(f"Imported from {source}. {_ADVICE}", 0)
    for note in draft.notes:
        yield from _comment(note, 0)
    yield ""
    yield "endpoints:"
    for endpoint in draft.endpoints:
        yield from _endpoint(endpoint)
    yield ""
    yield "chains:"
    for chain in draft.chains:
        yield from _chain(chain)


def _endpoint(endpoint: EndpointDraft) -> Iterator[str]:
    for note in endpoint.notes:
        yield from _comment(note, 2)
    yield f"  {_name(endpoint.name)}:"
    yield f"    dialect: {endpoint.dialect}"
    yield f"    url: {_quoted(endpoint.url)}"
    if endpoint.credential_env:
        yield f"    credential_env: {endpoint.credential_env}"
    if endpoint.headers:
        yield f"    headers: {_quoted(endpoint.headers)}"


def _chain(chain: ChainDraft) -> Iterator[str]:
    for note in chain.notes:
        yield from _comment(note, 2)
    yield f"  - name: {_name(chain.name)}"
    yield f"    endpoint: {_name(chain.endpoint)}"
    yield f"    mode: {chain.mode}"
    if chain.model:
        yield f"    model: {_quoted(chain.model)}"
    yield "    targets:"
    for target in chain.targets:
        for note in target.notes:
            yield from _comment(note, 6)
        yield f"      - {_target(target)}"
    for name, value in (("needs", list(chain.needs)), ("routing", chain.routing), ("move_on", list(chain.move_on))):
        if value:
            yield f"    {name}: {_quoted(value)}"
    yield "    probes:"
    for probe in _probes(chain):
        yield f"      - {probe}"


def _target(target: TargetDraft) -> str:
    parts = [f"label: {_name(target.label)}"]
    given = {
        "model": target.model, "provider": target.provider, "providers": list(target.providers),
        "endpoint": target.endpoint,
    }  # fmt: skip
    parts += [f"{name}: {_quoted(value)}" for name, value in given.items() if value]
    if target.timeout is not None:
        parts.append(f"timeout: {format_duration(target.timeout)}")
    return "{" + ", ".join(parts) + "}"


def _probes(chain: ChainDraft) -> Iterator[str]:
    if not chain.alone:
        yield "{kind: completion, every: 60s, of: [chain]}"
    yield "{kind: completion, every: 5m, of: [targets]}"
    if any(target.providers for target in chain.targets):
        yield "{kind: completion, every: 15m, of: [providers]}"
    if chain.stream and not chain.alone:
        yield "{kind: stream, every: 5m, of: [chain]}"


def _quoted(value: str | list[Any] | Mapping[str, Any]) -> str:
    """JSON, which YAML reads as it is but for what cannot be printed. Half a surrogate pair becomes a question mark."""
    text = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace").decode()
    return "".join(mark if mark.isprintable() else _escaped(ord(mark)) for mark in text)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _name(text: str) -> str:
    """A name as it is, in quotes where YAML would read a number or another value."""
    return text if _PLAIN.fullmatch(text) and text not in _VALUES else _quoted(text)


def _comment(text: str, indent: int) -> Iterator[str]:
    margin = " " * indent + "# "
    yield from textwrap.wrap(
        clean(text, 2000), _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )
