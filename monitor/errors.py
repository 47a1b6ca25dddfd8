"""The exceptions of fallbackd.

    FallbackdError                 one sentence for people; ``exit_code``
    ├── ConfigError                wrong settings: every problem at once
    ├── StartError                 a port taken, a database that cannot be used
    ├── CommandError               a command that cannot be carried out as typed
    └── DeliveryError              a notice that could not be handed over; ``permanent`` or passing

Trouble of a provider is never an exception above ``monitor.probes``: it is an Outcome.
"""

from __future__ import annotations

from dataclasses import dataclass


class FallbackdError(Exception):
    """Base: its text is one sentence that a person can act on."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a config file. ``line`` counts from 1, None when there is no line to name."""

    file: str
    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}  {self.path}: {self.message}" if self.path else f"{place}  {self.message}"


class ConfigError(FallbackdError):
    """Every mistake of the configuration, in file order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class StartError(FallbackdError):
    pass


class CommandError(FallbackdError):
    pass


class DeliveryError(FallbackdError):
    """A notifier could not hand a notice over.

    ``reason`` is a short closed word, used as a metric label; ``retry_after`` is in seconds. ``broken``: nothing at
    all can be handed over until somebody mends it, where it is more than this one notice that was refused. ``ref`` is
    what was posted before it failed, where that was a part: the next try goes on from there.
    """

    def __init__(
        self, text: str, *, reason: str, permanent: bool, retry_after: float | None = None, broken: bool = False
    ) -> None:
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.broken = broken
        self.ref: str | None = None
        super().__init__(text)
