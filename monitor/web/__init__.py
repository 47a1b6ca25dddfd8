"""The status page and the JSON API, on FastAPI; everything they show comes through ``Control``."""

from monitor.web.control import Control
from monitor.web.feed import Feed
from monitor.web.site import build

__all__ = ["Control", "Feed", "build"]
