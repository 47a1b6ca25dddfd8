"""Where a running daemon listens: a small file in its data folder, so that commands find it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from monitor.errors import CommandError

FILE = "addresses.json"
DEFAULT_LISTEN = "127.0.0.1:9469"
DEFAULT_SANDBOX = "127.0.0.1:9470"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """``url`` is the daemon's page, ``sandbox`` the sandbox's control URL when one is embedded."""

    pid: int
    url: str
    sandbox: str | None = None


def write(data: Path, addresses: Addresses) -> None:
    (data / FILE).write_text(json.dumps(asdict(addresses)) + "\n")


def forget(data: Path) -> None:
    (data / FILE).unlink(missing_ok=True)


def find(data: Path) -> Addresses | None:
    """The daemon that uses this data folder, None when there is none or its process has gone."""
    try:
        found = Addresses(**json.loads((data / FILE).read_text()))
        os.kill(found.pid, 0)
    except PermissionError:
        return found  # it lives, under another account
    except (OSError, ValueError, TypeError):
        return None
    return found


def parse_listen(text: str) -> tuple[str, int]:
    """``HOST:PORT`` (``[::1]:9469`` for IPv6) in two. Raises CommandError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise CommandError(f'"{text}" is no address to listen on: write HOST:PORT, as in {DEFAULT_LISTEN}')
    return host.strip("[]"), int(port)
