"""Notices as log lines: for the console and for whoever collects logs. Wakes nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import structlog
from pydantic import SecretStr

from monitor.clock import Clock
from monitor.config.model import NotifierSettings
from monitor.model import Notice, NoticeCause, NoticeState, Severity
from monitor.notify.model import NotifierKind

log = structlog.get_logger("notice")

_LEVELS = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "error"}


class LogSettings(NotifierSettings):
    """None: where logs go is the daemon's own affair."""

    reaches_people: ClassVar[bool] = False


class LogNotifier:
    def __init__(self, name: str) -> None:
        self.name = name

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        over = notice.state is NoticeState.RESOLVED
        write = getattr(log, "info" if over else _LEVELS[notice.severity])
        write(
            f"{'test' if notice.cause is NoticeCause.TEST else notice.severity} {notice.state}: {notice.title}",
            cause=notice.cause.value,
            alert=notice.alert,
            chain=", ".join(notice.chains),
            incident=notice.incident,
            summary=notice.summary,
            facts=dict(notice.facts),
        )
        return ref

    async def close(self) -> None:
        pass


def build(name: str, _settings: LogSettings, _secrets: Mapping[str, SecretStr], _clock: Clock) -> LogNotifier:
    return LogNotifier(name)


KIND = NotifierKind(settings=LogSettings, build=build)
