"""``python -m tests.simulation FILE ...`` prints what people are told in each scenario, as its ``expect`` has it."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import structlog

from tests.simulation.scenario import line, play, read


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for name in sys.argv[1:]:
        scenario = read(Path(name))
        with tempfile.TemporaryDirectory() as folder:
            told = asyncio.run(play(scenario, Path(folder)))
        sys.stdout.write(f"{name}\nexpect:\n")
        sys.stdout.writelines(f'  - "{line(one, scenario.start)}"\n' for one in told)


main()
