"""``python -m tests.simulation FILE ...`` plays scenarios and prints what people are told.

With ``--write`` that becomes the ``expect`` of the file, to be read and believed by a person before it is committed.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import textwrap
from pathlib import Path

import structlog

from tests.simulation.scenario import message, play, read

EXPECT = "expect:"


def main(*names: str, write: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for path in map(Path, names):
        scenario = read(path)
        with tempfile.TemporaryDirectory() as folder:
            told = asyncio.run(play(scenario, Path(folder)))
        lines = [textwrap.indent(f"- |-\n{textwrap.indent(message(one, scenario.start), '  ')}", "  ") for one in told]
        sys.stdout.write("\n".join([str(path), *lines, ""]))
        if write:
            before = path.read_text().partition(EXPECT)[0]
            path.write_text("\n".join([before + EXPECT, *lines, ""]))


if __name__ == "__main__":
    main(*(name for name in sys.argv[1:] if name != "--write"), write="--write" in sys.argv)
