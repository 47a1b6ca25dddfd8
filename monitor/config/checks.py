"""What one section cannot see alone: names that refer to each other, and the limits of each mode."""

from __future__ import annotations

from monitor.config.document import Document
from monitor.config.model import Vocabulary
from monitor.errors import Problem


def mistakes(_chains: Document, _alerts: Document, _vocabulary: Vocabulary) -> list[Problem]:
    return []


def doubts(_chains: Document, _alerts: Document) -> list[Problem]:
    return []


def plain(name: str) -> str:
    """``unknown-id`` and ``unknown_id`` are the same word."""
    return name.replace("-", "_")
