"""The list of kinds. A new one is a new file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.probes.completion import Completion
from monitor.probes.kind import Kind
from monitor.probes.stream import Stream

_ALL: tuple[Kind, ...] = (
    Completion(),
    Stream(),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
