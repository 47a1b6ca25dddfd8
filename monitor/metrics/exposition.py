"""The page that Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder


async def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The page for a scraper that accepts ``accept``, with its content type: text, or OpenMetrics when asked for.

    Each metric is read in one piece on the loop, where all of them are written, so none is seen half changed; the
    loop is given back between two metrics, and the text is made in a thread.
    """
    encode, content_type = choose_encoder(accept)
    families: list[Metric] = []
    for family in registry.collect():
        families.append(family)
        await asyncio.sleep(0)
    return await asyncio.to_thread(encode, _Snapshot(families)), content_type


class _Snapshot:
    """Metrics that were read already, for an encoder."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
