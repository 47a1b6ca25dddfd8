"""A tiny picture with a known content: two halves, each of one plain colour, as a PNG in a data URL. Pure."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (220, 30, 30),
    "yellow": (250, 225, 30),
    "green": (30, 150, 50),
    "blue": (30, 60, 220),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
"""Far enough apart that nobody can call one by another's name."""
SIDE = 64


def two_halves(left: str, right: str) -> str:
    """A data URL. ``left`` and ``right`` are names out of ``COLOURS``."""
    half = SIDE // 2
    row = b"\0" + bytes(COLOURS[left]) * half + bytes(COLOURS[right]) * half  # 0: the row is not filtered
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)  # 8 bits a sample, RGB, no interlacing
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * SIDE)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
