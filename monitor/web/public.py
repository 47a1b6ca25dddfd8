"""What is shown to everybody: the same values without costs, hosts, reasons and other people's texts. Pure.

Values are emptied here and not left out by the templates, so that a template has nothing to give away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.model import Reason
from monitor.web.history_views import HistoryView, TroubleView
from monitor.web.views import ChainView, ProviderView, RunView, ServingView, StatusView, TargetView

_UNSAID = {"reason": Reason.NONE, "detail": ""}


def chain(view: ChainView) -> ChainView:
    return view.model_copy(
        update={
            **_UNSAID,
            "endpoint": "",
            "budget": None,
            "alerts": (),
            "serving": _serving(view.serving),
            "targets": tuple(map(_target, view.targets)),
        }
    )


def status(view: StatusView) -> StatusView:
    return view.model_copy(
        update={"budgets": (), "notes": (), "outbox_pending": 0, "stopped": None if view.stopped is None else ""}
    )


def troubles(found: Sequence[TroubleView]) -> tuple[TroubleView, ...]:
    return tuple(one.model_copy(update={"why": ""}) for one in found)


def run(view: RunView) -> RunView:
    """The id stays out as well: it leads to the journal."""
    update: dict[str, object] = {"asked_by": None, "run": ""}
    if view.verdict is not None:
        update["verdict"] = replace(view.verdict, because="", run="")
    return view.model_copy(update=update)


def history(view: HistoryView) -> HistoryView:
    return view.model_copy(
        update={"troubles": troubles(view.troubles), "runs": tuple(map(run, view.runs))},
    )


def _target(view: TargetView) -> TargetView:
    abilities = tuple(one.model_copy(update={"detail": ""}) for one in view.abilities)
    providers = tuple(_state(one) for one in view.providers)
    return view.model_copy(update={**_UNSAID, "abilities": abilities, "providers": providers})


def _state(view: ProviderView) -> ProviderView:
    return view.model_copy(update=_UNSAID)


def _serving(view: ServingView | None) -> ServingView | None:
    """A model outside the chain is somebody else's text."""
    return None if view is None else view.model_copy(update={"model": None})
