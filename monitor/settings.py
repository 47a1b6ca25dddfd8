"""How the process runs, as the command line says it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from monitor.config.quantity import parse_duration
from monitor.errors import CommandError, StartError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the process runs, as the command line says it; what is watched is in the Config."""

    listen: tuple[str, int]
    data: Path
    sandbox: bool = False
    sandbox_listen: tuple[str, int] | None = None
    token: str | None = None
    retention: float = 30 * 86400.0

    @classmethod
    def parse(cls, *, retention: str, **given: object) -> Self:
        """Raises CommandError or StartError with one sentence."""
        try:
            settings = cls(retention=parse_duration(retention), **given)  # type: ignore[arg-type]  # typed by the command
        except ValueError as error:
            raise CommandError(f"--retention {retention}: {error}") from None
        if not settings.is_loopback and settings.token is None:
            raise StartError(
                f"listening on {settings.listen[0]} lets others reach fallbackd: set FALLBACKD_TOKEN or --token-file, "
                "or listen on 127.0.0.1"
            )
        return settings

    @property
    def is_loopback(self) -> bool:
        host = self.listen[0]
        return host in ("localhost", "::1") or host.startswith("127.")
