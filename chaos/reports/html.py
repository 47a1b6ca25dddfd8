"""A run as one HTML page that stands on its own: no script, no other host, light and dark."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from chaos.model import Journal
from chaos.report import event_line
from chaos.reports.facts import COLOURS, asked, summary
from chaos.reports.letters import carried
from chaos.reports.tables import tables
from chaos.timeline import timeline

TEMPLATE = "report.html"
STYLE = "report.css"


def html(journal: Journal) -> str:
    page = _environment().get_template(TEMPLATE)
    return carried(
        page.render(
            journal=journal,
            verdict=journal.verdict,
            tone=COLOURS[journal.verdict.kind],
            facts=summary(journal),
            rows=tuple(asked(journal)),
            tables=tables(journal),
            lines=[event_line(event, journal.started) for event in journal.events],
            picture=timeline(journal),
            style=_style(),
        )
    )


def style_source() -> str:
    """The page's own style as a source of a Content-Security-Policy, so that no other is let in."""
    digest = hashlib.sha256(_style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("chaos", "reports"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 - set two lines above; for the type checker
    source, _, _ = environment.loader.get_source(environment, STYLE)
    return source
