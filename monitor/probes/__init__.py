"""Asks synthetic questions and makes an Outcome of whatever comes back."""

from __future__ import annotations

from monitor.probes.capabilities import CAPABILITIES
from monitor.probes.kind import Kind
from monitor.probes.kinds import KINDS
from monitor.probes.plan import estimate, expand, specify
from monitor.probes.prober import Prober

__all__ = ["CAPABILITIES", "KINDS", "Kind", "Prober", "estimate", "expand", "specify"]
