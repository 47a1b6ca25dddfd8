"""A group of commands, one of which is meant where none is named: ``drill NAME`` is ``drill run NAME``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

RUN = "run"


class RunByDefault(TyperGroup):
    """``default`` is the name that may be left out, also before its options."""

    default = RUN

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Typer brings its own copy of click, whose types it does not export."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
