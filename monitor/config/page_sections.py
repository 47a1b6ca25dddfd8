"""The section ``page`` of ``chains.yaml``: who may see the status page."""

from __future__ import annotations

from pydantic import Field

from monitor.config.section import Section


class PageConfig(Section):
    """How the status page is shown to those who have no access token."""

    public: bool = Field(
        default=False,
        description="Anybody may read the status page and the badges, without costs, hosts, details and buttons. In "
        "force only where an access token is set, so that there is a difference.",
    )
