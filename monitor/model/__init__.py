"""The words of fallbackd: frozen values and closed enums that every other part shares.

Times named ``at``, ``since`` or ``until`` are seconds since the epoch (UTC); durations are
seconds. Nothing here does I/O or imports a third-party package.
"""

from monitor.model.enums import Health, Mode, Origin, Overhead, Path, Reason, Severity, Status
from monitor.model.notices import Acknowledgement, Member, Notice, NoticeCause, NoticeState
from monitor.model.outcomes import NO_TOKENS, Attempt, Outcome, Subject, Tokens, Transition, new_id
from monitor.model.questions import PaceRange, ProbeSpec, Target
from monitor.model.verdicts import Misdeed, Verdict, VerdictKind

__all__ = [
    "NO_TOKENS",
    "Acknowledgement",
    "Attempt",
    "Health",
    "Member",
    "Misdeed",
    "Mode",
    "Notice",
    "NoticeCause",
    "NoticeState",
    "Origin",
    "Outcome",
    "Overhead",
    "PaceRange",
    "Path",
    "ProbeSpec",
    "Reason",
    "Severity",
    "Status",
    "Subject",
    "Target",
    "Tokens",
    "Transition",
    "Verdict",
    "VerdictKind",
    "new_id",
]
