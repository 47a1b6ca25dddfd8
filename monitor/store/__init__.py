"""What fallbackd remembers: outcomes, transitions, journals, states and undelivered notices, in one SQLite file."""

from monitor.store.store import Cursor, Store

__all__ = ["Cursor", "Store"]
