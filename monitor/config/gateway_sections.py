"""The section ``gateway`` of ``chains.yaml``: where application traffic passes, and how it may be broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from monitor.config.quantity import Duration, Percent
from monitor.config.section import Name, Section

Address = Annotated[str, Field(pattern=r"^[^\s/]+:[0-9]{1,5}$")]


class LiveConfig(Section):
    """How much of one chain's real traffic a drill may break. All of it holds at once."""

    percent: Percent = Field(gt=0, description="Share of the chain's exchanges that a drill may break.")
    headers: Mapping[str, str] = Field(
        default_factory=dict, description="Only requests with these header fields are broken; empty, any."
    )
    hours: str | None = Field(
        default=None,
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="Only at these hours of the day, in UTC, as in 09:00-17:00; unset, at any.",
    )
    max_in_flight: int = Field(default=5, ge=1, le=1000, description="At most so many are being broken at a time.")


class GatewayConfig(Section):
    """Application traffic passes here on its way to one endpoint, byte for byte. Keys are the application's own."""

    endpoint: str = Field(description="Name of the endpoint that traffic is passed on to, from endpoints.")
    listen: Address = Field(
        default="127.0.0.1:9480",
        description="Where applications send their requests, as HOST:PORT; port 0, a free one.",
    )
    control: Address = Field(
        default="127.0.0.1:9481",
        description="Where faults are armed, on this machine, as HOST:PORT; port 0, a free one.",
    )
    separate: bool = Field(
        default=False,
        description="true: fallbackd gateway runs it in a process of its own; the daemon then only arms its faults.",
    )
    chains: tuple[str, ...] = Field(
        default=(), description="The chains that traffic may belong to; empty, every chain of the endpoint."
    )
    max_body_mib: int = Field(
        default=64,
        ge=1,
        le=4096,
        description="Largest request that is passed on, in MiB; a larger one is answered 413.",
    )
    live: Mapping[Name, LiveConfig] = Field(
        default_factory=dict,
        description="Chains of any mode whose real traffic a drill may break, by name; without it only a drill's own "
        "requests are.",
    )
    sandbox_traffic: Duration | None = Field(
        default=None,
        ge=0.1,
        description="With run --sandbox an imaginary application asks so often, to have traffic to look at.",
    )
