"""What a fault looks like to whoever asked a plain question: the reason that the question ends with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Connect, Effect, Fault
from monitor.classify import from_error
from monitor.model import Reason

_CONNECT = {Connect.REFUSE: Reason.CONNECT, Connect.DNS: Reason.DNS, Connect.TLS: Reason.TLS}
_REWRITTEN = {
    "empty_content": Reason.EMPTY,
    "starved": Reason.STARVED,
    "wrong_model": Reason.WRONG_MODEL,
    "wrong_answer": Reason.WRONG_ANSWER,
    "refusal": Reason.WRONG_ANSWER,
}


def cause(fault: Fault, options: Mapping[str, float], *, patience: float) -> Reason | None:
    """The reason of the bad outcome, None where the answer still comes, or where that cannot be foretold.

    ``patience``: seconds that whoever asks waits for a whole answer.
    """
    effect = fault.effect(options, Random(0))
    if effect.connect is not None:
        return _CONNECT[effect.connect]
    if effect.reset:
        return Reason.CONNECT
    if effect.connect_delay >= patience:
        return Reason.CONNECT
    wait = effect.connect_delay + effect.delay
    if effect.error is None and effect.raw is None:
        wait += effect.first_token_delay
    if wait >= patience:
        return Reason.TIMEOUT
    return _of_reply(effect)


def _of_reply(effect: Effect) -> Reason | None:
    if effect.error is not None:
        told = effect.error
        said = {"code": told.status, "message": told.message, "metadata": {"error_type": told.error_type}}
        return from_error(said, status=told.status, headers={}, now=0.0).reason
    if effect.raw is not None:
        return Reason.MALFORMED if effect.raw.body else Reason.EMPTY
    if effect.stall_after is not None:
        return Reason.STALLED
    if effect.cut_after is not None or effect.reset_after is not None:
        return Reason.CUT
    if effect.end_after is not None:
        return Reason.MALFORMED
    if effect.error_after is not None:
        return Reason.SERVER_ERROR
    if effect.malformed_after is not None:
        return Reason.MALFORMED
    return _REWRITTEN.get(effect.rewrite or "")
