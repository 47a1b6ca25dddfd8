"""SVG badges: the health of a chain in one small picture, for a README or a wiki."""

from __future__ import annotations

import hashlib
from html import escape
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from monitor.model import Health
from monitor.web.api import find_chain
from monitor.web.control import Control
from monitor.web.gate import reader

MAX_AGE = 30
"""Seconds that a copy of a badge is good for."""

_COLOURS = {
    Health.HEALTHY: "#157a46",
    Health.DEGRADED: "#9a5b00",
    Health.LIMITED: "#9a5b00",
    Health.DOWN: "#b3261e",
    Health.UNKNOWN: "#5d6774",
}
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'()[] -"), frozenset("mwMWQO@%")

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {message}">
<title>{label}: {message}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="4"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3b434d"/>\
<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-anchor="middle">\
<text x="{middle_left}" y="14" textLength="{label_length}">{label}</text>\
<text x="{middle_right}" y="14" textLength="{message_length}">{message}</text></g>
</svg>
"""


def badge(label: str, health: Health) -> str:
    """The picture; its text says what its colour says. Pure."""
    label_length, message_length = _length(label), _length(health.value)
    left, right = label_length + 14, message_length + 14
    return SVG.format(
        label=escape(label),
        message=escape(health.value),
        colour=_COLOURS[health],
        width=left + right,
        left=left,
        right=right,
        middle_left=left / 2,
        middle_right=left + right / 2,
        label_length=label_length,
        message_length=message_length,
    )


def _length(text: str) -> int:
    """Pixels, near enough: the browser spreads the text over exactly that."""
    return round(sum(4.4 if char in _NARROW else 10 if char in _WIDE else 7 for char in text))


def router(control: Control) -> APIRouter:
    made = APIRouter()

    @made.get(
        "/badge/{name}.svg",
        summary="The health of a chain as a badge (SVG)",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {}}, "description": "The badge."}},
    )
    async def show(request: Request, name: Annotated[str, Path(max_length=64)]) -> Response:
        picture = badge(name, find_chain(control, name).health)
        tag = f'"{hashlib.sha256(picture.encode()).hexdigest()[:16]}"'
        shared = "private" if reader(request).may_change else "public"
        headers = {
            "cache-control": f"{shared}, max-age={MAX_AGE}",
            "etag": tag,
            "vary": "authorization, cookie",
            "cross-origin-resource-policy": "cross-origin",  # a README is a page of another site
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(picture, media_type="image/svg+xml", headers=headers)

    return made
