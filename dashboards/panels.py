"""The parts of a board, with the rules of the house built in.

No data never looks good: the lowest threshold is neutral, green is a step of its own that only a value
reaches, and null is said in words. Every panel explains itself, has a unit, and names its data source by a
variable, so that a board can be moved to another Grafana.
"""

from collections.abc import Sequence
from typing import Any, Self

from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    LegendDisplayMode,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DynamicConfigValue,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMappingResult,
)

from dashboards.words import NO_DATA

CLICKHOUSE = "grafana-clickhouse-datasource"
PROMETHEUS = "prometheus"
#: The plugin whose query format this is; the image of Grafana gets the same one (docker-compose.yml).
PLUGIN_VERSION = "4.20.0"
AS_TABLE = 1

NEUTRAL, GOOD, WATCH, BAD, UNKNOWN = "text", "green", "orange", "red", "purple"
Steps = Sequence[tuple[float, str]]
#: Zero is good, anything else is not.
NONE_IS_GOOD: Steps = ((0, GOOD), (1, BAD))


def clickhouse() -> DataSourceRef:
    """The ClickHouse that the board's reader has chosen."""
    return DataSourceRef(type_val=CLICKHOUSE, uid="${clickhouse}")


def metrics() -> DataSourceRef:
    """The Prometheus that the board's reader has chosen."""
    return DataSourceRef(type_val=PROMETHEUS, uid="${prometheus}")


class Sql(Dataquery, Builder[Dataquery]):
    """A query of the ClickHouse plugin, which the SDK does not know: a table of rows."""

    def __init__(self, sql: str, ref: str = "A") -> None:
        self.sql = sql
        self.ref = ref

    def build(self) -> Self:
        """The query is its own builder."""
        return self

    def to_json(self) -> dict[str, object]:
        """The query as the plugin stores it."""
        return {
            "refId": self.ref,
            "datasource": clickhouse(),
            "pluginVersion": PLUGIN_VERSION,
            "editorType": "sql",
            "queryType": "table",
            "format": AS_TABLE,
            "rawSql": self.sql,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """A stored query read again."""
        return cls(data["rawSql"], data["refId"])


def promql(expression: str, legend: str, ref: str = "A", *, instant: bool = False) -> prometheus.Dataquery:
    """A query of Prometheus: over the range of the board, or for its last instant."""
    query = prometheus.Dataquery().ref_id(ref).expr(expression).legend_format(legend).datasource(metrics())
    return query.instant() if instant else query.range()


def thresholds(steps: Steps) -> ThresholdsConfig:
    """These steps above a neutral base."""
    base = Threshold(value=None, color=NEUTRAL)
    return (
        ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([base, *(Threshold(value=value, color=colour) for value, colour in steps)])
    )


def unknown() -> SpecialValueMap:
    """Null and NaN, in words and in a colour that no value has."""
    return SpecialValueMap(
        DashboardSpecialValueMapOptions(
            match=SpecialValueMatch.NULL_AND_NAN, result=ValueMappingResult(text=NO_DATA, color=UNKNOWN)
        )
    )


def figures(title: str, description: str, *, unit: str, steps: Steps) -> stat.Panel:
    """Large figures side by side, one for each column or series."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .decimals(0)
        .no_value(NO_DATA)
        .mappings([unknown()])
        .thresholds(thresholds(steps))
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .orientation(VizOrientation.VERTICAL)
    )


def rows(title: str, description: str) -> table.Panel:
    """A table."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .unit("none")
        .no_value(NO_DATA)
        .thresholds(thresholds(()))
        .datasource(clickhouse())
    )


def curves(title: str, description: str, *, unit: str) -> timeseries.Panel:
    """Series over the range of the board; a gap stays a gap."""
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .min(0)
        .no_value(NO_DATA)
        .thresholds(thresholds(()))
        .span_nulls(False)
        .fill_opacity(10)
        .line_width(2)
        .legend(VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(True))
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .datasource(metrics())
    )


def property_of(name: str, value: object) -> DynamicConfigValue:
    """One property of an override, by Grafana's name for it."""
    return DynamicConfigValue(id_val=name, value=value)


def coloured(steps: Steps) -> list[DynamicConfigValue]:
    """Thresholds for one column, shown in the colour of its text (a table needs to be told)."""
    return [
        property_of("thresholds", thresholds(steps).build()),
        property_of("custom.cellOptions", {"type": "color-text"}),
    ]
