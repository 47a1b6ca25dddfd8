"""Sees what a plain test image shows: the colours of a small PNG in a data URL. Pure."""

from __future__ import annotations

import base64
import struct
import zlib

_Pixel = tuple[int, int, int]

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


def colours_of(url: str) -> tuple[str, ...]:
    """The nearest colour's name at the left and at the right, once where they are the same; none for anything but an
    8-bit PNG in a data URL."""
    try:
        pixels = _corners(base64.b64decode(url.partition("base64,")[2], validate=True))
    except (ValueError, IndexError, struct.error, zlib.error):
        return ()
    return tuple(dict.fromkeys(_nearest(pixel) for pixel in pixels))


def _nearest(pixel: _Pixel) -> str:
    return min(_COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(_COLOURS[name], pixel, strict=True)))


def _corners(png: bytes) -> tuple[_Pixel, _Pixel]:
    """The first and the last pixel of the first row."""
    if not png.startswith(_SIGNATURE) or png[24] != 8:
        raise ValueError("not an 8-bit PNG")
    chunks, size = _chunks(png), _SAMPLES.get(png[25], 3)
    width = 1 if png[28] else struct.unpack(">I", png[16:20])[0]  # an interlaced one begins with single pixels
    row = zlib.decompressobj().decompress(chunks[b"IDAT"], 1 + size * width)
    samples = _unfiltered(row[0], row[1:], size)
    return _pixel(png[25], samples[:size], chunks), _pixel(png[25], samples[-size:], chunks)


def _unfiltered(kind: int, row: bytes, size: int) -> bytes:
    """The first row of a picture, which has nothing above it: filters add the pixel to the left, half of it, or nothing
    (PNG specification)."""
    if kind in (0, 2):
        return row
    samples = bytearray(row)
    for place in range(size, len(samples)):
        left = samples[place - size]
        samples[place] = (samples[place] + (left // 2 if kind == 3 else left)) % 256
    return bytes(samples)


def _pixel(kind: int, samples: bytes, chunks: dict[bytes, bytes]) -> _Pixel:
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
