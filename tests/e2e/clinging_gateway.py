"""``fallbackd gateway``, but for a bug: a fault that is in place stays there, whoever says that it is over."""

from __future__ import annotations

from chaos.gateway.rules import Rules
from monitor.cli import main


def _stay(*_: object) -> bool:
    return False


Rules.release = _stay  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
