"""Telling people: one file for each kind of notifier, and the outbox that sees to it that notices arrive."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from monitor.clock import Clock, SystemClock
from monitor.config.model import Config
from monitor.notify import alertmanager, log, pagerduty, slack, webhook
from monitor.notify.alertmanager import AlertmanagerNotifier
from monitor.notify.model import Notifier, NotifierKind
from monitor.notify.outbox import Outbox

__all__ = ["NOTIFIERS", "Notifier", "NotifierKind", "Outbox", "build_notifiers", "build_watchdogs"]

NOTIFIERS: Mapping[str, NotifierKind] = {
    "alertmanager": alertmanager.KIND,
    "log": log.KIND,
    "pagerduty": pagerduty.KIND,
    "slack": slack.KIND,
    "webhook": webhook.KIND,
}


def build_notifiers(config: Config, clock: Clock | None = None) -> dict[str, Notifier]:
    """Every configured notifier that is not muted, by name. Opens no connection."""
    clock = clock or SystemClock()
    return {
        notifier.name: NOTIFIERS[notifier.kind].build(
            notifier.name, notifier.settings, _secrets(config, notifier.name), clock
        )
        for notifier in config.alerts.notifiers
        if notifier.name not in config.muted
    }


def build_watchdogs(config: Config, clock: Clock) -> tuple[AlertmanagerNotifier, ...]:
    """A connection of its own to every Alertmanager that is to have the Watchdog."""
    return tuple(
        alertmanager.build(notifier.name, notifier.settings, _secrets(config, notifier.name), clock)
        for notifier in config.alerts.notifiers
        if notifier.name not in config.muted
        and isinstance(notifier.settings, alertmanager.AlertmanagerSettings)
        and notifier.settings.watchdog
    )


def _secrets(config: Config, name: str) -> dict[str, SecretStr]:
    prefix = f"notifiers/{name}/"
    return {key.removeprefix(prefix): value for key, value in config.secrets.items() if key.startswith(prefix)}
