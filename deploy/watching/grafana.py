"""Dashboards as Grafana reads them, and how Grafana finds them and their data."""

import json
from typing import Any, Final

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.watching.panels import Dashboard, Panel, Query

DATASOURCE: Final = "huestream-prometheus"
TRACES: Final = "huestream-traces"
_VARIABLE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_LETTERS: Final = "ABCDEFGHIJKLMNOP"
_FILL: Final = {"lines": 8, "stacked": 55}

Built = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel


def dashboard_json(dashboard: Dashboard) -> str:
    """The file that Grafana is provisioned with."""
    return json.dumps(_built(dashboard), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _built(dashboard: Dashboard) -> models.Dashboard:
    page = (
        build.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.description)
        .tags(["huestream"])
        .readonly()
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .link(
            build.DashboardLink("huestream")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags(["huestream"])
            .keep_time(True)
        )
        .annotation(_firing())
    )
    numbers = iter(range(1, 1000))
    for row in dashboard.rows:
        page.with_row(build.Row(row.title).id(next(numbers)))
        for panel in row.panels:
            page.with_panel(_panel(panel).id(next(numbers)))
    return page.build()


def _firing() -> build.AnnotationQuery:
    """Marks where an alert that pages began and ended."""
    return (
        build.AnnotationQuery()
        .name("Pages")
        .datasource(_VARIABLE)
        .enable(True)
        .icon_color("red")
        .expr('ALERTS{alertstate="firing",severity="page"}')
    )


def _panel(panel: Panel) -> Built:
    made = _of_kind(panel).title(panel.title).description(panel.description).unit(panel.unit).datasource(_VARIABLE)
    made.span(panel.width).height(panel.height).no_value(panel.empty or "no data")
    if panel.least is not None:
        made.min(panel.least)
    if panel.most is not None:
        made.max(panel.most)
    if panel.decimals is not None:
        made.decimals(panel.decimals)
    for letter, query in zip(_LETTERS, panel.queries, strict=False):
        made.with_target(_target(query, letter, panel))
    for name, color in panel.colors:
        made.override_by_name(name, [models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})])
    return _colored(made, panel)


def _of_kind(panel: Panel) -> Built:
    if panel.kind == "stat":
        return (
            stat.Panel()
            .reduce_options(_last())
            .graph_mode(words.BigValueGraphMode.AREA)
            .color_mode(words.BigValueColorMode.VALUE)
        )
    if panel.kind == "bars":
        return (
            bargauge.Panel()
            .reduce_options(_last())
            .orientation(words.VizOrientation.HORIZONTAL)
            .display_mode(words.BarGaugeDisplayMode.BASIC)
        )
    if panel.kind == "table":
        return table.Panel()
    return _timeseries(panel)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _timeseries(panel: Panel) -> timeseries.Panel:
    made = timeseries.Panel().line_width(1).fill_opacity(_FILL[panel.kind]).show_points(words.VisibilityMode.NEVER)
    made.legend(
        common.VizLegendOptions()
        .display_mode(words.LegendDisplayMode.LIST)
        .placement(words.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    made.tooltip(common.VizTooltipOptions().mode(words.TooltipDisplayMode.MULTI).sort(words.SortOrder.DESCENDING))
    if panel.kind == "stacked":
        made.stacking(common.StackingConfig().mode(words.StackingMode.NORMAL).group("A"))
    return made


def _target(query: Query, letter: str, panel: Panel) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expression).ref_id(letter).legend_format(query.legend or "__auto")
    if panel.kind in {"bars", "table"}:
        target.instant()
        return target.format(PromQueryFormat.TABLE) if panel.kind == "table" else target
    return target.range().exemplar("huestream_stage_seconds_bucket" in query.expression)


def _colored(made: Built, panel: Panel) -> Built:
    if panel.steps:
        steps = [models.Threshold(step.value, step.color) for step in panel.steps]
        made.thresholds(build.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    by_value = bool(panel.steps) and panel.kind in {"stat", "bars"}
    mode = models.FieldColorModeId.THRESHOLDS if by_value else models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME
    return made.color_scheme(build.FieldColor().mode(mode))


def datasources(prometheus_url: str) -> dict[str, Any]:
    """The data source of the dashboards; its exemplars lead to the data source of traces, where there is one."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "uid": DATASOURCE,
                "type": "prometheus",
                "access": "proxy",
                "url": prometheus_url,
                "isDefault": True,
                "editable": False,
                "jsonData": {
                    "httpMethod": "POST",
                    "timeInterval": "15s",
                    "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": TRACES}],
                },
            }
        ],
    }


def dashboard_provider(folder: str) -> dict[str, Any]:
    """Where Grafana finds the dashboards; what it reads there cannot be changed in its pages."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "huestream",
                "folder": "huestream",
                "type": "file",
                "disableDeletion": True,
                "allowUiUpdates": False,
                "options": {"path": folder},
            }
        ],
    }
