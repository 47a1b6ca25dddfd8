"""The folder that a daemon keeps its state in: one daemon a folder."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TextIO

from monitor.errors import StartError


def claim(data: Path) -> TextIO:
    """Make the folder and keep others out of it until what is returned is closed, or the process ends: two daemons
    would both speak, and each would overwrite what the other knows. Raises StartError."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise StartError(
            f"the data folder {data} cannot be used: {error.strerror}; choose another with --data"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StartError(
            f"another fallbackd uses the data folder {data}; stop it, or choose another with --data"
        ) from None
    return lock
