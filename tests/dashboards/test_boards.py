"""Boards are built as the house wants them, and Grafana's own types know every word of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins, runtime
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import panels, queries, words
from dashboards.build import FOLDER, built
from schemas import metrics
from tests.commands import ROOT

BOARDS = {name: json.loads(text) for name, text in built().items() if name.endswith(".json")}


def shown(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels that show something."""
    yield from (panel for panel in board["panels"] if panel["type"] != "row")


PANELS = [
    pytest.param(panel, id=f"{name.removeprefix(FOLDER)}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in shown(board)
]


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_types_read_the_board_and_write_the_same_again(name: str) -> None:
    """A key that they do not know would be lost on the way, and so found."""
    plugins.register_default_plugins()
    runtime.register_dataquery_variant(runtime.DataqueryConfig(panels.CLICKHOUSE, panels.Sql.from_json))
    committed = json.loads((ROOT / name).read_text(encoding="utf-8"))
    read = Dashboard.from_json(committed)
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == committed


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_shows_whole_minutes_in_the_zone_of_the_office_and_cannot_be_edited(name: str) -> None:
    board = BOARDS[name]
    assert board["time"] == {"from": "now-6h/m", "to": "now-1m/m"}
    assert board["timezone"] == "Asia/Ho_Chi_Minh"
    assert board["editable"] is False
    assert board["description"]
    assert len({panel["id"] for panel in board["panels"]} - {0}) == len(board["panels"])


@pytest.mark.parametrize("name", BOARDS)
def test_no_panel_lies_on_another_or_beside_the_board(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("panel", PANELS)
def test_no_data_never_looks_good(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"] == words.NO_DATA
    if panel["type"] == "stat":
        assert defaults["mappings"][0]["options"]["match"] == "null+nan"
        assert defaults["mappings"][0]["options"]["result"]["text"] == words.NO_DATA
        assert panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]
    else:
        assert defaults.get("custom", {}).get("spanNulls", False) is False
    overridden = [
        found["value"]
        for override in panel["fieldConfig"]["overrides"]
        for found in override["properties"]
        if found["id"] == "thresholds"
    ]
    for thresholds in [defaults["thresholds"], *overridden]:
        first, *others = thresholds["steps"]
        assert first == {"value": None, "color": panels.NEUTRAL}
        assert [step["value"] for step in others] == sorted(step["value"] for step in others)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_explains_itself_and_asks_the_source_that_the_reader_chose(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    for asked in (panel, *panel["targets"]):
        assert asked["datasource"]["uid"] in ("${clickhouse}", "${prometheus}")


def test_every_query_of_prometheus_is_over_metrics_that_there_are() -> None:
    known = {each.name for each in metrics.ALL}
    for board in BOARDS.values():
        for panel in shown(board):
            for target in panel["targets"]:
                if "expr" in target and "up{" not in target["expr"]:
                    assert any(name in target["expr"] for name in known), target["expr"]


def test_no_query_uses_a_macro_of_the_plugin_or_reads_anything_but_a_view() -> None:
    for sql in (queries.OPEN_NOW, queries.LAST_EVENT, queries.BY_UNIT, queries.SLOWEST):
        assert "$" not in sql
        assert sql.count("FROM ") == sql.count("FROM desk_") + sql.count("FROM (")
