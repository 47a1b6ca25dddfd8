"""Drills that look at applications: that they break in the gateway, and may, and have the time to see anything."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.chain_checks import is_header
from monitor.config.document import Node
from monitor.config.drill_sections import ApplicationConfig, CapacityConfig, LiveDrillConfig
from monitor.config.names import plain, seconds
from monitor.config.quantity import format_duration
from monitor.config.showing import quote
from monitor.config.strike_checks import Scene, longest
from monitor.errors import Problem


def mistakes(scene: Scene, gateway: Node) -> Iterator[Problem]:
    """``gateway``: the section of that name, which may be absent."""
    drill = scene.drill
    for name in ("live", "application"):
        if name in drill:
            yield from _in_gateway(scene, drill[name], name, gateway)
    if "live" in drill:
        yield from _time(drill, drill["live"]["for"], _default(LiveDrillConfig, "lasts"))
    application = drill["application"]
    if "application" in drill:
        yield from _time(drill, application["within"], _default(ApplicationConfig, "within"))
        yield from _application(application)
    if drill["capacity"].value is not None:
        yield from _load(drill, drill["capacity"])
    if "live" in drill and "application" in drill:
        yield application.problem("live is set too; one drill looks at one of them, so write two")


def _in_gateway(scene: Scene, node: Node, name: str, gateway: Node) -> Iterator[Problem]:
    by, chain = scene.drill["by"], scene.drill["chain"].text
    if by.text is not None and plain(by.text) != "gateway":
        yield by.problem(f"{name} is broken in the gateway alone; leave by out, or write gateway")
    if gateway.value is None:
        yield node.problem("there is no section gateway, which is where traffic of applications is broken")
        return
    if scene.chain is not None and (elsewhere := _passes_by(scene.chain, gateway)):
        yield node.problem(f"no traffic of {chain} passes the gateway, {elsewhere}")
        return
    forwards = name == "application" and node["forwards_mark"].value is True
    if chain is not None and not forwards and chain not in dict(gateway["live"].entries()):
        also = ", or write forwards_mark: true" if name == "application" else ""
        yield node.problem(f"{chain} is not opted in to live traffic; write it in gateway.live{also}")


def _passes_by(chain: Node, gateway: Node) -> str | None:
    """Why the traffic of a chain does not pass the gateway, as the rest of a sentence; None where it does."""
    named = [node.text for node in gateway["chains"].items()]
    if named:
        return None if chain["name"].text in named else "whose chains do not name it; add it to gateway.chains"
    here, there = chain["endpoint"].text, gateway["endpoint"].text
    if here is None or there is None or here == there:
        return None
    return f"which passes on to {there} while the chain asks {here}; drill a chain of {there}"


def _time(drill: Node, node: Node, default: float) -> Iterator[Problem]:
    wanted = seconds(node) if node.value is not None else default
    limit = longest(drill)
    if wanted is not None and limit is not None and wanted >= limit:
        at = node if node.value is not None else drill["max_duration"]
        yield at.problem(
            f"{format_duration(wanted)} of watching need more than the drill's max_duration of {format_duration(limit)}"
        )


def _load(drill: Node, capacity: Node) -> Iterator[Problem]:
    up_to, step = (_whole(capacity, name) for name in ("up_to", "step"))
    hold = seconds(capacity["hold"]) if "hold" in capacity else _default(CapacityConfig, "hold")
    limit = longest(drill)
    if up_to is None or step is None or hold is None or limit is None or step < 1:
        return
    if step > up_to:
        yield capacity["step"].problem(f"{step} is more than up_to, which is {up_to}")
    elif (lasts := -(-up_to // step) * hold) > 0.9 * limit:
        yield capacity.problem(
            f"its steps take {format_duration(lasts)}, which is most of the drill's max_duration of "
            f"{format_duration(limit)}; raise that, or make step larger or hold shorter"
        )


def _whole(capacity: Node, name: str) -> int | None:
    written = capacity[name].value if name in capacity else CapacityConfig.model_fields[name].default
    return written if type(written) is int else None


def _application(application: Node) -> Iterator[Problem]:
    for name, value in application["headers"].entries():
        if not is_header(name):
            yield value.problem("is no name of a header; use letters, digits and '-'")
    named = application["credential_header"]
    if named.text is not None and not is_header(named.text):
        yield named.problem(f"{quote(named.text)} is no name of a header; use letters, digits and '-'")
    if application["credential_env"].text is not None and application["credential_file"].text is not None:
        yield application["credential_file"].problem("credential_env is set too; keep one of them")
    if application["method"].text == "GET" and application["body"].value is not None:
        yield application["body"].problem("a GET has no body; take it out, or write method: POST")


def _default(section: type[ApplicationConfig | CapacityConfig | LiveDrillConfig], name: str) -> float:
    return float(section.model_fields[name].default)
