"""Why somebody was told about an alert, or why nobody was, as a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.alerting.reasons import DecisionReason

R = DecisionReason

EXPLAINED: Mapping[DecisionReason, str] = {
    R.FIRST: "told for the first time",
    R.CHANGED: "told anew, since something that matters changed",
    R.AGAIN: "told anew, since it came back soon after its end",
    R.REPEAT_DUE: "told again, since the rule's repeat was due",
    R.ACKNOWLEDGED: "told that somebody acknowledged it",
    R.RESOLVED: "told that it is over",
    R.MERGED: "told that it goes on as part of another incident of the same cause",
    R.LEFT: "over, while its incident goes on: said with the incident's next change",
    R.VANISHED: "told that the config no longer has it",
    R.PENDING: "not told yet: it must hold for the rule's `for`",
    R.LAPSED: "not told: it was gone before the rule's `for` had passed",
    R.NOT_DUE: "told already; nothing that matters changed, and no repeat is due",
    R.TAKEN_ON: "told already; no repeats, since somebody acknowledged it and nothing got worse",
    R.THROTTLED: "a change waits: the last message is only minutes old",
    R.INHIBITED: "not told: a graver alert of the same chain says it all",
    R.SILENCED: "not told: a silence or a maintenance window covers it",
    R.SILENCE_OVER: "told again, since a silence ended and it still fires",
    R.HELD: "gone for now; it counts as over when it stays away for a while",
    R.UNSETTLED: "unchanged: nothing was learned about the chain since the start",
    R.NO_ROUTE: "not told: no route of alerts.yaml fits it",
    R.MUTED: "not told: its notifiers are off, for want of their credentials",
    R.STOOD_IN: "told to the notifier that stands in for the broken one",
    R.NOBODY_ELSE: "not told: no other notifier could be told in its place",
    R.RESOLVED_QUIETLY: "over; nobody who was told of it is to be told its end",
    R.OVER: "over; kept for a while, for it may come back",
    R.FORGOTTEN: "over and forgotten",
}
