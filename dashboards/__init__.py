"""Grafana dashboards over fallbackd's metrics: generated here, committed as JSON under ``json``."""
