"""The section ``coverage`` of chains.yaml."""

from __future__ import annotations

from pydantic import Field

from monitor.config.quantity import Duration
from monitor.config.section import Section


class CoverageConfig(Section):
    """How long what a drill has proven is believed."""

    stale_after: Duration = Field(
        default=14 * 86400.0, gt=0, description="A failover that was proven longer ago is stale: prove it again."
    )
