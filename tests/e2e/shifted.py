"""``shifted.py ISO ARGUMENTS``: fallbackd in a process whose clock begins at a moment and goes on from there."""

from __future__ import annotations

import sys
from datetime import datetime

import time_machine

from monitor.cli import main

if __name__ == "__main__":
    at = datetime.fromisoformat(sys.argv[1])
    sys.argv[:] = ["fallbackd", *sys.argv[2:]]
    with time_machine.travel(at, tick=True):
        main()
