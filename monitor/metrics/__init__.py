"""What fallbackd measures: every metric declared once, kept in a registry of its own, exposed to Prometheus."""

from monitor.metrics.declared import METRICS, Declared, Kind
from monitor.metrics.labels import BEAT, OTHER, PlannedDrill
from monitor.metrics.metrics import WINDOWS, Metrics

__all__ = ["BEAT", "METRICS", "OTHER", "WINDOWS", "Declared", "Kind", "Metrics", "PlannedDrill"]
