"""What one section cannot see alone, over both files.

The checks read the documents as written, not the models: a mistake of shape in one place does not hide the mistakes
of another kind around it.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config import (
    alert_checks,
    capability_checks,
    chain_checks,
    cost_checks,
    drill_checks,
    endpoint_checks,
    gateway_checks,
)
from monitor.config.document import Document
from monitor.config.model import Vocabulary
from monitor.errors import Problem


def mistakes(chains: Document, alerts: Document, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Everything that refers to nothing or cannot work together."""
    yield from chain_checks.mistakes(chains.top, vocabulary)
    yield from endpoint_checks.mistakes(chains.top, vocabulary)
    yield from capability_checks.mistakes(chains.top)
    yield from cost_checks.mistakes(chains.top)
    yield from drill_checks.mistakes(chains.top, vocabulary)
    yield from gateway_checks.mistakes(chains.top)
    yield from alert_checks.mistakes(chains, alerts, vocabulary)


def doubts(chains: Document, alerts: Document, vocabulary: Vocabulary) -> Iterator[Problem]:
    """What works and is probably not meant."""
    yield from chain_checks.doubts(chains.top)
    yield from cost_checks.doubts(chains.top, vocabulary)
    yield from alert_checks.doubts(alerts)
