"""Whom is asked, and what: targets, and the questions that are put to them on a schedule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model at one provider (or at whoever the router picks, ``provider=None``) at one endpoint."""

    chain: str
    position: int
    label: str
    model: str
    provider: str | None
    endpoint: str
    timeout: float

    @property
    def key(self) -> str:
        """``label``, or ``label@provider`` where a provider is pinned."""
        return f"{self.label}@{self.provider}" if self.provider else self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRange:
    """The intervals between which a question's pace may move, in seconds; healthy for ``slower_after`` is one step."""

    fastest: float
    slowest: float
    slower_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """One scheduled question. ``key`` is ``chain[/target[@provider]]:kind``; ``target`` None asks the whole chain.

    ``passive``: live traffic that was answered within an interval stands in for it. ``pace`` None: always ``every``.
    ``tokens`` and ``depth`` (a share): size of a long prompt, and where in it the needle is.
    """

    key: str
    chain: str
    kind: str
    target: Target | None
    every: float
    first_token: float
    max_tokens: int
    passive: bool = False
    pace: PaceRange | None = None
    tokens: int = 0
    depth: float = 0.0
