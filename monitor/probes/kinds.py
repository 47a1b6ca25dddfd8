"""The list of kinds. A new one is a new file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.probes.completion import Completion
from monitor.probes.kind import Kind
from monitor.probes.long_context import LongContext
from monitor.probes.reasoning import Reasoning
from monitor.probes.stream import Stream
from monitor.probes.structured import Structured
from monitor.probes.tools import Tools
from monitor.probes.vision import Vision

_ALL: tuple[Kind, ...] = (
    Completion(),
    Stream(),
    Tools(),
    Structured(),
    Vision(),
    LongContext(),
    Reasoning(),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
