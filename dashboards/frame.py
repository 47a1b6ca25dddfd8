"""What all dashboards share: variables, links to one another and to the status page, the annotations of drills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.dashboard import Panel as PanelModel
from grafana_foundation_sdk.models.table import Options as TableOptions

from dashboards.look import BROKEN_ON_PURPOSE
from dashboards.panels import SOURCE, Panel, target
from dashboards.queries import counted, over_time

TAG = "fallbackd"
STATUS_PAGE = "http://127.0.0.1:9469"
WINDOWS = ("5m", "15m", "1h", "6h", "1d", "7d")
KEEP = "${datasource:queryparam}&${window:queryparam}&${status_page:queryparam}&${__url_time_range}"
"""What a link to another dashboard takes along."""

CHAIN_LINK = ("Look into this chain", f"/d/fallbackd-chain?var-chain=${{__data.fields.Chain}}&{KEEP}")


class Variable(builder.QueryVariable):
    """A variable with the values of a label."""

    def __init__(self, name: str, label: str, about: str, values: str) -> None:
        super().__init__(name)
        self.label(label).description(about).datasource(SOURCE).query({"query": values, "refId": name})
        self.definition(values).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.NATURAL_ASC)

    def every(self) -> Variable:
        """Several can be chosen, and all are."""
        everything = VariableOption(selected=True, text=["All"], value=["$__all"])
        self.multi(True).include_all(True).all_value(".+").current(everything)
        return self


CHAIN_VALUES = "label_values(fallbackd_chain_health, chain)"


def every_chain() -> Variable:
    return Variable("chain", "Chain", "The chains that are shown.", CHAIN_VALUES).every()


def one_chain() -> Variable:
    return Variable("chain", "Chain", "The chain that is shown.", CHAIN_VALUES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One dashboard. ``rows`` are (heading, panels), from the top; the first may stand without a heading."""

    uid: str
    title: str
    about: str
    variables: Sequence[Variable]
    rows: Sequence[tuple[str, Sequence[Panel]]]
    status_path: str = "/"
    has_window: bool = True
    drill_marks: str | None = None
    """A selector of the drills that are drawn into the panels; None for none."""


def assemble(page: Page) -> Dashboard:
    made = builder.Dashboard(page.title).uid(page.uid).description(page.about).tags([TAG]).readonly()
    made = made.time("now-6h", "now").refresh("30s").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR)
    for variable in (_source(), *page.variables, *_choices(page)):
        made = made.with_variable(variable)
    for link in _links(page):
        made = made.link(link)
    for mark in _marks(page.drill_marks):
        made = made.annotation(mark)
    ids = iter(range(1, 1000))
    for heading, panels in page.rows:
        if heading:
            made = made.with_row(builder.Row(heading).id(next(ids)))
        for panel in panels:
            made = made.with_panel(panel.id(next(ids)))
    return _trimmed(made.build())


def _trimmed(made: Dashboard) -> Dashboard:
    """Without the defaults that the SDK writes where Grafana's own types have no place for them."""
    for variable in (made.templating and made.templating.list_val) or ():
        variable.auto = variable.auto_count = variable.auto_min = None
    for panel in made.panels or ():
        if isinstance(panel, PanelModel) and isinstance(panel.options, TableOptions):
            panel.options.footer = None
    return made


def _source() -> builder.DatasourceVariable:
    made = builder.DatasourceVariable("datasource").type("prometheus").label("Data source")
    return made.description("The Prometheus that scrapes fallbackd.")


def _choices(page: Page) -> list[builder.CustomVariable | builder.TextBoxVariable]:
    made: list[builder.CustomVariable | builder.TextBoxVariable] = []
    if page.has_window:
        about = "How far back shares, rates and quantiles look at each point in time."
        made.append(_custom("window", "Window", about, {window: window for window in WINDOWS}, "15m"))
    address = builder.TextBoxVariable("status_page").label("Status page").hide(VariableHide.DONT_HIDE)
    address = address.description("Where fallbackd's own pages are, as your browser reaches them.")
    chosen = VariableOption(selected=True, text=STATUS_PAGE, value=STATUS_PAGE)
    made.append(address.default_value(STATUS_PAGE).current(chosen))
    return made


def _custom(name: str, label: str, about: str, values: dict[str, str], chosen: str) -> builder.CustomVariable:
    options = [VariableOption(selected=text == chosen, text=text, value=value) for text, value in values.items()]
    query = ", ".join(value if text == value else f"{text} : {value}" for text, value in values.items())
    current = VariableOption(selected=True, text=chosen, value=values[chosen])
    made = builder.CustomVariable(name).label(label).description(about).values(query)
    return made.options(options).current(current)


def _links(page: Page) -> list[builder.DashboardLink]:
    others = builder.DashboardLink("fallbackd").type(DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True)
    others = (
        others.include_vars(True).keep_time(True).icon("external link").tooltip("The other dashboards of fallbackd")
    )
    status = builder.DashboardLink("Status page").type(DashboardLinkType.LINK).icon("dashboard").target_blank(True)
    status = status.url(f"${{status_page}}{page.status_path}").tooltip(
        "Run a drill, read its journal, silence an alert"
    )
    return [others, status]


def _marks(selector: str | None) -> list[builder.AnnotationQuery]:
    if selector is None:
        return []
    active = over_time(_struck(selector), "")
    ended = over_time(
        f"{counted('fallbackd_drills_total', 'chain, drill, verdict', selector, '$__rate_interval')} > 0", ""
    )
    return [
        _mark("Faults active", active.expr, "{{chain}}: {{fault}}", BROKEN_ON_PURPOSE),
        _mark("Drills ended", ended.expr, "{{chain}}: {{drill}} {{verdict}}", "dark-purple"),
    ]


def _struck(selector: str) -> str:
    """While a fault is active; and where it came and went between two scrapes, when its drill has ended."""
    faults = f"max by (chain, drill, fault) (fallbackd_fault_active{{{selector}}})"
    judged = f'{selector}, verdict!="inconclusive"'
    ended = counted("fallbackd_drills_total", "chain, drill", judged, "$__rate_interval")
    return f"({faults} == 1) or (({faults} * 0 + 1) and on (chain, drill) ({ended} > 0))"


def _mark(name: str, expr: str, title: str, colour: str) -> builder.AnnotationQuery:
    made = builder.AnnotationQuery().name(name).datasource(SOURCE).enable(True).hide(False).icon_color(colour)
    made = made.expr(expr).title_format(title).text_format("{{drill}}").tag_keys("chain,drill").step("15s")
    return made.target(target(over_time(expr, ""), "A"))
