"""A private OpenRouter to run against and to break, and an application that asks it."""

from chaos.sandbox.application import Application
from chaos.sandbox.server import Sandbox

__all__ = ["Application", "Sandbox"]
