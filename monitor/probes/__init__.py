"""Asks synthetic questions and makes an Outcome of whatever comes back."""

from __future__ import annotations

from monitor.probes.cheap_check import deny
from monitor.probes.expected import expect
from monitor.probes.kind import Kind
from monitor.probes.kinds import KINDS
from monitor.probes.offered import offered
from monitor.probes.plan import estimate, expand, specify
from monitor.probes.prober import Prober

__all__ = ["KINDS", "Kind", "Prober", "deny", "estimate", "expand", "expect", "offered", "specify"]
