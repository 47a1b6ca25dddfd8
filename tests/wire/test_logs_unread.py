"""Logs whose reader has gone."""

from __future__ import annotations

import os

import pytest
import structlog

from monitor import logs


@pytest.mark.parametrize("json", [True, False])
def test_a_word_that_nobody_can_read_ends_nothing(*, json: bool) -> None:
    reading, writing = os.pipe()
    kept = structlog.get_config()
    with os.fdopen(writing, "w", buffering=1) as stream:
        try:
            logs.configure(stream=stream, json=json)
            structlog.get_logger().warning("first")
            assert b"first" in os.read(reading, 1000)
            os.close(reading)
            structlog.get_logger().warning("second")
            structlog.get_logger().error("third")
        finally:
            structlog.configure(**kept)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())  # what was left in the buffer goes there
            os.close(null)
