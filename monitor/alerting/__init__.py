"""From conditions to messages: alerts with a life, incidents of one cause, and whether to speak now and why. Pure."""

from monitor.alerting.alert import Alert, Stage, alert_key
from monitor.alerting.deciding import PATIENCE, REOPEN_WITHIN, THROTTLE, Decision, DecisionReason, decide
from monitor.alerting.example import example
from monitor.alerting.incident import AlertState, Incident, Told, acknowledge, changes, load_state
from monitor.alerting.silences import Silence, dump_silence, load_silence

__all__ = [
    "PATIENCE",
    "REOPEN_WITHIN",
    "THROTTLE",
    "Alert",
    "AlertState",
    "Decision",
    "DecisionReason",
    "Incident",
    "Silence",
    "Stage",
    "Told",
    "acknowledge",
    "alert_key",
    "changes",
    "decide",
    "dump_silence",
    "example",
    "load_silence",
    "load_state",
]
