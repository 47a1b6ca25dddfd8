"""Sees what a plain test image shows: the colour of a small PNG in a data URL. Pure."""

from __future__ import annotations

import base64
import struct
import zlib

_COLOURS = {
    "red": (220, 40, 40),
    "orange": (255, 150, 20),
    "yellow": (240, 220, 40),
    "green": (40, 160, 60),
    "blue": (40, 80, 220),
    "purple": (130, 40, 160),
    "pink": (255, 150, 190),
    "brown": (130, 80, 40),
    "black": (0, 0, 0),
    "gray": (128, 128, 128),
    "white": (255, 255, 255),
}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type -> samples a pixel (PNG specification): gray, RGB, palette, gray with alpha, RGB with alpha."""


def colour_of(url: str) -> str | None:
    """The nearest colour's name; None for anything but an 8-bit PNG in a data URL."""
    try:
        pixel = _first_pixel(base64.b64decode(url.partition("base64,")[2], validate=True))
    except (ValueError, IndexError, struct.error, zlib.error):
        return None
    return min(_COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(_COLOURS[name], pixel, strict=True)))


def _first_pixel(png: bytes) -> tuple[int, int, int]:
    """The first pixel has no neighbours, so no filter changes it; interlacing leaves it in its place as well."""
    if not png.startswith(_SIGNATURE) or png[24] != 8:
        raise ValueError("not an 8-bit PNG")
    kind, chunks = png[25], _chunks(png)
    samples = zlib.decompressobj().decompress(chunks[b"IDAT"], 1 + _SAMPLES.get(kind, 3))[1:]
    if kind == 3:
        samples = chunks[b"PLTE"][samples[0] * 3 :][:3]
    if kind in (0, 4):
        samples = samples[:1] * 3
    return samples[0], samples[1], samples[2]


def _chunks(png: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {b"IDAT": b"", b"PLTE": b""}
    place = len(_SIGNATURE)
    while place + 8 <= len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind = png[place + 4 : place + 8]
        found[kind] = found.get(kind, b"") + png[place + 8 : place + 8 + length]
        place += 12 + length
    return found
