"""Reports of a run for people: Markdown for a ticket, one HTML page that stands on its own."""

from chaos.reports.html import html, style_source
from chaos.reports.markdown import markdown

__all__ = ["html", "markdown", "style_source"]
