"""Logs: one readable line per event on a terminal, one JSON object per line elsewhere."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO

import structlog


class _Printer(structlog.PrintLogger):
    """A word that nobody reads any more (a closed pipe, a full disk) is lost; what goes on must not end with it."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


def configure(*, level: str = "info", stream: TextIO | None = None, json: bool | None = None) -> None:
    """Send all logs to ``stream`` (standard error). ``json`` None means: unless it is a terminal."""
    out = stream or sys.stderr
    as_json = not out.isatty() if json is None else json
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(pad_event_to=0, colors=out.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Printer(out),
        cache_logger_on_first_use=False,
    )
    # What libraries log through the standard module: only what a person must know.
    logging.basicConfig(level=logging.WARNING, stream=out, format="%(levelname)s %(name)s: %(message)s", force=True)
    # Missed runs are counted and logged by the schedule itself.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
