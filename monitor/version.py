"""The version, as the installed package says it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("fallbackd")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0+unknown"
