"""The section ``network`` of chains.yaml."""

from __future__ import annotations

from pydantic import Field, field_validator

from monitor.config.quantity import Duration
from monitor.config.section import Section


class NetworkConfig(Section):
    """How fallbackd tells its own network's trouble from an endpoint's."""

    check: tuple[str, ...] = Field(
        default=(),
        description="Addresses beside the endpoints' own, as host:port. When none of all these can be reached, it is "
        "our own network, and verdicts are suspended. With one endpoint and none here, it is the endpoint.",
    )
    timeout: Duration = Field(default=2.0, gt=0, le=30, description="How long one address may take to answer.")

    @field_validator("check")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            host, _, port = address.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f"{address} is no address; write host:port, as in one.one.one.one:443")
        return value
