"""Compressed replies, unpacked as they come."""

from __future__ import annotations

import zlib

import httpx


class Gunzip:
    """Unpacks piece by piece, never more than ``limit`` bytes and one: a small reply can hold gigabytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._unpack = zlib.decompressobj(wbits=31)
        self._fed = False

    @property
    def whole(self) -> bool:
        """Nothing came, or all of it did."""
        return self._unpack.eof or not self._fed

    def feed(self, chunk: bytes) -> bytes:
        self._fed = self._fed or bool(chunk)
        try:
            return self._unpack.decompress(chunk, self._limit + 1)
        except zlib.error as error:
            raise httpx.RemoteProtocolError("the reply is not the gzip that its headers announce") from error
