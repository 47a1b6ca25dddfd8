"""The gateway's control, on a port of its own: faults are armed and released here, and what passed is counted.

It listens on the loopback only, and answers no web page: whoever reaches it can break what the config allows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from chaos.backlog import Backlog, dump_page
from chaos.edits import dump_edit
from chaos.gateway.listening import listen
from chaos.gateway.observer import Observer
from chaos.gateway.rule import Rule
from chaos.gateway.rule_reading import read_rule
from chaos.gateway.rules import Rules
from chaos.gateway.watches import Watches, read_watch
from chaos.strikes import dump_strike
from monitor.reading import number, parse

Exposition = Callable[[str], Awaitable[tuple[bytes, str]]]
"""The metrics page for a scraper that accepts so, with its content type."""
_BODY_LIMIT = 64 * 1024
_OWN = ("id", "chain", "drill", "run", "until", "max_count", "seed", "live", "percent", "control", "waits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """What is read at the control of a gateway in a process of its own: its metrics, and for a daemon its outcomes."""

    exposition: Exposition
    backlog: Backlog


class Control:
    def __init__(
        self,
        rules: Rules,
        watches: Watches,
        observer: Observer,
        alone: Alone | None = None,
    ) -> None:
        self._rules = rules
        self._watches = watches
        self._observer = observer
        self._alone = alone
        self._runner: web.AppRunner | None = None

    async def start(self, address: str) -> str:
        """The URL. Raises StartError."""
        app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[_from_here])
        app.add_routes(
            [
                web.get("/", self._status),
                web.get("/rules", self._list),
                web.post("/rules", self._arm),
                web.post("/rules/{id}/open", self._open),
                web.delete("/rules", self._release_all),
                web.delete("/rules/{id}", self._release),
                web.post("/watches", self._watch),
                web.get("/watches/{run}", self._passed),
                web.delete("/watches/{run}", self._look_away),
                web.get("/outcomes", self._outcomes),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        return await listen(self._runner, address, "control")

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _status(self, _: web.Request) -> web.Response:
        one = self._observer
        seen = {"observed": one.seen, "unobserved": one.missed, "of_no_chain": one.strange, "waiting": one.waiting}
        return web.json_response({**seen, "rules": len(self._rules.listed())})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"rules": [_shown(rule, count, *self._rules.course(rule.id)) for rule, count in self._rules.listed()]}
        )

    async def _arm(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return problem(415, "send JSON, with that content type")
        try:
            rule = read_rule(parse(await request.read()))
            self._rules.arm(rule)
        except ValueError as error:
            return problem(422, str(error))
        return web.json_response(_shown(rule, 0, {}, ""), status=201)

    async def _open(self, request: web.Request) -> web.Response:
        """From now on the rule may meet live traffic as well."""
        return web.json_response({"opened": int(self._rules.open(request.match_info["id"]))})

    async def _release(self, request: web.Request) -> web.Response:
        return web.json_response({"released": int(self._rules.release(request.match_info["id"]))})

    async def _release_all(self, _: web.Request) -> web.Response:
        return web.json_response({"released": self._rules.release_all()})

    async def _watch(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return problem(415, "send JSON, with that content type")
        try:
            watch = read_watch(parse(await request.read()))
            self._watches.begin(watch)
        except ValueError as error:
            return problem(422, str(error))
        return web.json_response(asdict(watch), status=201)

    async def _passed(self, request: web.Request) -> web.Response:
        """What passed since the first ``after`` exchanges of a watch."""
        after = number(request.query.get("after", "0"))
        found = self._watches.passed(request.match_info["run"], int(after or 0))
        if found is None:
            return problem(404, "nobody watches for that run")
        return web.json_response({"seen": found[0], "passed": [asdict(one) for one in found[1]]})

    async def _look_away(self, request: web.Request) -> web.Response:
        return web.json_response({"ended": int(self._watches.end(request.match_info["run"]))})

    async def _outcomes(self, request: web.Request) -> web.Response:
        """Those from the number ``after`` on of the run ``of`` of this gateway; all that are kept for any other run."""
        if self._alone is None:
            return problem(404, "the daemon that this gateway is part of has the outcomes")
        after = number(request.query.get("after", "0"))
        page = self._alone.backlog.page(request.query.get("of", ""), int(after or 0))
        return web.Response(body=dump_page(page), content_type="application/json")

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._alone is None:
            return problem(404, "the daemon that this gateway is part of has the metrics")
        body, content_type = await self._alone.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})


@web.middleware
async def _from_here(request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
    """A browser on this machine may be led here by a page; it says so in ``Origin``, or by a name that is not ours."""
    host = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
    if "Origin" in request.headers or host.strip("[]") not in ("127.0.0.1", "::1", "localhost"):
        return problem(403, "this is for programs on this machine")
    return await handler(request)


def problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"code": status, "message": message}}, status=status)


def _shown(rule: Rule, count: int, met: Mapping[int, int], because: str) -> dict[str, Any]:
    """``count``: exchanges that met a fault; ``met``: by position; ``because``: why the latest did, or did not."""
    own = {name: getattr(rule, name) for name in _OWN}
    return {
        **own,
        "strikes": [dump_strike(one) for one in rule.strikes],
        "edits": [dump_edit(one) for one in rule.edits],
        "count": count,
        "met": dict(met),
        "because": because,
    }
