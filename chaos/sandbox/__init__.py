"""A private OpenRouter to run against and to break."""

from chaos.sandbox.server import Sandbox

__all__ = ["Sandbox"]
