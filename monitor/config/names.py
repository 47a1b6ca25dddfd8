"""Names in a document: which are given, which are given twice, which are meant by a reference."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from monitor.config.document import Node
from monitor.config.quantity import parse_duration
from monitor.config.showing import among, place, quote
from monitor.errors import Problem


def given(items: Iterable[Node], key: str = "name") -> tuple[str, ...]:
    """The names that stand in a list of sections."""
    return tuple(name for item in items if (name := item[key].text) is not None)


def given_endpoints(chain: Node) -> tuple[str, ...]:
    """The endpoints that a chain asks: its own where a target names no other, each once."""
    own = chain["endpoint"].text
    named = (target["endpoint"].text or own for target in chain["targets"].items())
    return tuple(dict.fromkeys(name for name in named if name is not None))


def repeated(items: Iterable[Node], key: str, why: str = "") -> Iterator[Problem]:
    """A problem for each text that an earlier section of the list has already."""
    first: dict[str, Node] = {}
    for item in items:
        node = item[key]
        if node.text is None:
            continue
        if node.text in first:
            earlier = first[node.text]
            yield node.problem(f"{quote(node.text)} is taken by {place(earlier.path)} in line {earlier.line}{why}")
        else:
            first[node.text] = node


def twice(items: Node) -> Iterator[Problem]:
    """A problem for each text that stands in the list already."""
    seen: set[str] = set()
    for item in items.items():
        if item.text is not None and item.text in seen:
            yield item.problem(f"{quote(item.text)} is in the list already")
        elif item.text is not None:
            seen.add(item.text)


def unknown(node: Node, choices: Collection[str], *, none: str = "there is none") -> Iterator[Problem]:
    """A problem when the text of a node is none of the choices. Anything but text is the shape's to report."""
    if node.text is not None and node.text not in choices:
        yield node.problem(among(node.text, choices, none=none))


def seconds(node: Node) -> float | None:
    """A duration in seconds, None when there is none that can be read."""
    try:
        return parse_duration(node.value)
    except ValueError:
        return None


def plain(name: str) -> str:
    """``unknown-id`` and ``unknown_id`` are the same word."""
    return name.replace("-", "_")
