"""From conditions to messages: incidents with a life, and for each notifier whether to speak now and why. Pure."""

from monitor.alerting.deciding import REOPEN_WITHIN, THROTTLE, Decision, DecisionReason, decide
from monitor.alerting.example import example
from monitor.alerting.incident import Incident, Stage, Told, changes, dump_state, incident_key, load_state
from monitor.alerting.silences import Silence, dump_silence, load_silence

__all__ = [
    "REOPEN_WITHIN",
    "THROTTLE",
    "Decision",
    "DecisionReason",
    "Incident",
    "Silence",
    "Stage",
    "Told",
    "changes",
    "decide",
    "dump_silence",
    "dump_state",
    "example",
    "incident_key",
    "load_silence",
    "load_state",
]
