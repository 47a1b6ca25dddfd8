"""The sections of ``alerts.yaml``, and the base of a notifier's own settings."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from monitor.config.quantity import Duration, Percent
from monitor.config.section import Name, Section
from monitor.findings import Drift
from monitor.model import Severity


class RuleConfig(Section):
    """When to speak. Which of the optional settings a rule takes depends on ``when`` (see ``conditions``).

    ``above``: share of answers from a fallback; ``rise``: how many times the chain's own ``baseline`` share.
    """

    name: Name = Field(description="Name of the alert in messages, routes and metrics; unique.")
    when: str = Field(description="The condition that is watched for.")
    severity: Severity = Field(default=Severity.WARNING, description="How urgent it is: info, warning or critical.")
    for_: Duration = Field(default=0.0, alias="for", description="It must hold this long before anybody is told.")
    repeat: Duration = Field(default=4 * 3600.0, gt=0, description="Time after which a firing alert is told again.")
    resolve: bool = Field(default=True, description="Whether the end of the condition is told too.")
    chains: tuple[str, ...] = Field(default=(), description="Names of the chains it is about; empty, all of them.")
    above: Percent | None = Field(
        default=None, description="fallback_rate: fires when the share of answers from a fallback is above this."
    )
    rise: float | None = Field(
        default=None, gt=1, description="fallback_rate: fires at this many times the chain's own share over baseline."
    )
    window: Duration = Field(default=600.0, gt=0, description="The stretch of time that is looked at.")
    baseline: Duration = Field(default=86400.0, gt=0, description="The stretch before it that rise compares with.")
    same_hour_days: int | None = Field(
        default=None,
        ge=1,
        le=7,
        description="rise compares with the same hour of the day on so many days before, instead of with baseline.",
    )
    factor: float | None = Field(
        default=None,
        gt=0,
        description="burn_rate: fires when errors come so many times faster than the chain's objective allows.",
    )
    short_window: Duration = Field(
        default=300.0, gt=0, description="burn_rate: the second window, which says that it still goes on."
    )
    lasting: Duration = Field(
        default=86400.0,
        gt=0,
        le=7 * 86400,
        description="first_fallback: so long none before; silent_fallback: so long on fallbacks; edge_unproven: so "
        "long without a drill that passed. At most 7d.",
    )
    slower_than: Duration | None = Field(
        default=None,
        gt=0,
        description="slow_cascade: failovers longer than this; unset, the chain's objective.latency.",
    )
    late: Duration = Field(default=10.0, gt=0, description="daemon_unwell: runs that start later than this are late.")
    skipped: int = Field(
        default=5, ge=1, description="daemon_unwell: so many runs that were not made within ten minutes."
    )
    waits: Duration = Field(
        default=300.0,
        gt=0,
        description="daemon_unwell: notices and results must not wait longer than this.",
    )
    min_samples: int = Field(default=10, ge=1, description="Fewer answers than this in the window say nothing.")
    findings: tuple[Drift, ...] = Field(
        default=(), description="catalogue_drift: what is told; empty, everything but what providers say of themselves."
    )
    intervals: float = Field(default=3.0, ge=1, description="probe_stale: so many intervals without a result.")


class MatchConfig(Section):
    """All that are given must fit; an empty one fits everything."""

    severity: tuple[Severity, ...] = Field(default=(), description="Severities that fit; empty, all.")
    alerts: tuple[str, ...] = Field(default=(), description="Names of the rules that fit; empty, all.")
    chains: tuple[str, ...] = Field(default=(), description="Names of the chains that fit; empty, all.")


class RouteConfig(Section):
    """Every route that fits is used; ``notify`` names notifiers."""

    match: MatchConfig = Field(default=MatchConfig(), description="What the route is for; unset, everything.")
    notify: tuple[str, ...] = Field(min_length=1, description="Names of the notifiers that are told.")


class Weekday(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class WindowConfig(Section):
    """A maintenance window that comes again: firing alerts that it is for are told when it is over, if they still fire.

    It belongs to the day on which it begins; with ``to`` before ``from`` it ends on the next.
    """

    chains: tuple[str, ...] = Field(default=(), description="Names of the chains that it is for; empty, all.")
    alerts: tuple[str, ...] = Field(default=(), description="Names of the rules that it is for; empty, all.")
    days: tuple[Weekday, ...] = Field(default=(), description="Days on which it begins; empty, every day.")
    from_: str = Field(
        alias="from",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description='When it begins, by the clocks of its zone, as in "22:00".',
    )
    to: str = Field(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        description='When it ends; before from, on the next day; "24:00" is the end of the day.',
    )
    zone: str = Field(
        default="UTC",
        description="Time zone by its name in the tz database, as in Europe/Berlin; summer time included.",
    )

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone has this name; write one of the tz database, as in Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.from_ == self.to:
            raise ValueError('from and to are the same; a whole day is from "00:00" to "24:00"')
        return self


class NotifierConfig(Section):
    """A way to reach people. ``settings`` is validated by the model that the notifier's own file declares; in the
    file its settings stand beside ``name`` and ``kind``.

    ``optional``: without its credential it is off instead of a mistake.
    """

    name: Name = Field(description="Name of the notifier in routes and metrics; unique.")
    kind: str = Field(description="What sort of notifier it is.")
    optional: bool = Field(default=False, description="Without its credential it is off instead of a mistake.")
    fallback: str | None = Field(
        default=None,
        description="Who is told in its place while it is broken (a revoked token, a channel that is gone); unset, the "
        "next one of its route.",
    )
    settings: Any = None


class HeartbeatConfig(Section):
    """Whom to tell, at intervals, that all goes on: silence then means that fallbackd watches nothing any more."""

    url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$", description="Fetched (GET) at every heartbeat.")
    url_env: str | None = Field(
        default=None, description="Environment variable that holds the URL, which is as good as a password."
    )
    url_file: str | None = Field(default=None, description="File that holds the URL.")
    every: Duration = Field(default=60.0, ge=1, description="Time between two heartbeats.")

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        given = [name for name in ("url", "url_env", "url_file") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"takes exactly one of url, url_env and url_file; it has {' and '.join(given) or 'none'}")
        return self


class AlertsFile(Section):
    """``alerts.yaml``: when to speak, and to whom."""

    notifiers: tuple[NotifierConfig, ...] = Field(min_length=1, description="The ways to reach people.")
    routes: tuple[RouteConfig, ...] = Field(min_length=1, description="Who is told; every route that fits is used.")
    rules: tuple[RuleConfig, ...] = Field(min_length=1, description="When to speak.")
    windows: tuple[WindowConfig, ...] = Field(
        default=(), description="Maintenance windows: stretches of the week in which firing alerts are not told."
    )
    heartbeat: HeartbeatConfig | None = Field(
        default=None, description="A dead man's switch: fetched for as long as questions get results."
    )
    link: str | None = Field(
        default=None, pattern=r"^https?://[^\s]+$", description="Address of the status page, put into every message."
    )
    docs: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        description="Address of this README: messages link to their rule in it. Unset, to the page's list of rules.",
    )

    @field_validator("docs")
    @classmethod
    def _has_no_anchor(cls, value: str | None) -> str | None:
        if value is not None and "#" in value:
            raise ValueError("leave out what comes from # on; each message adds the heading of its own rule")
        return value


class NotifierSettings(Section):
    """Base of a notifier's own settings. Fields ``X_env``/``X_file`` name the credential X.

    ``reaches_people``: False for one that nobody is woken by, such as a log.
    """

    reaches_people: ClassVar[bool] = True

    @property
    def cannot(self) -> str:
        """What this way cannot do that others of its kind can, as a sentence without its subject; or empty."""
        return ""
