"""Telling people: one file for each kind of notifier, and the outbox that sees to it that notices arrive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import SecretStr

from monitor.clock import Clock, SystemClock
from monitor.config.model import Config
from monitor.config.quantity import format_duration
from monitor.notify import alertmanager, email, log, pagerduty, slack, webhook
from monitor.notify.alertmanager import AlertmanagerNotifier
from monitor.notify.model import DrillOffer, Notifier, NotifierKind, OffersDrills
from monitor.notify.outbox import Outbox

__all__ = ["NOTIFIERS", "Notifier", "NotifierKind", "Outbox", "build_notifiers", "build_watchdogs"]

NOTIFIERS: Mapping[str, NotifierKind] = {
    "alertmanager": alertmanager.KIND,
    "email": email.KIND,
    "log": log.KIND,
    "pagerduty": pagerduty.KIND,
    "slack": slack.KIND,
    "webhook": webhook.KIND,
}


def build_notifiers(config: Config, clock: Clock | None = None) -> dict[str, Notifier]:
    """Every configured notifier that is not muted, by name. Opens no connection."""
    clock = clock or SystemClock()
    made = {
        notifier.name: NOTIFIERS[notifier.kind].build(
            notifier.name, notifier.settings, _secrets(config, notifier.name), clock
        )
        for notifier in config.alerts.notifiers
        if notifier.name not in config.muted
    }
    for notifier in made.values():
        if isinstance(notifier, OffersDrills):
            notifier.offer(drill_offers(config))
    return made


def drill_offers(config: Config) -> dict[str, DrillOffer]:
    """By chain, its first drill: the one that its owner wrote down first."""
    offers: dict[str, DrillOffer] = {}
    for drill in config.drills:
        faults = (f"{_named(one.break_)} with {_named(one.with_)}" for one in drill.strikes)
        breaks = f"{', then '.join(faults)}, for {format_duration(drill.max_duration)} at most"
        offers.setdefault(drill.chain, DrillOffer(name=drill.name, breaks=breaks))
    return offers


def _named(written: str | Iterable[str]) -> str:
    return written if isinstance(written, str) else " and ".join(written)


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
