"""Toàn cảnh: how the dossiers of the city stand now, and whether the pipeline behind these figures can be trusted."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    GridPos,
    ValueMap,
    ValueMappingResult,
    VariableOption,
)

from dashboards import panels, queries, words
from dashboards.panels import BAD, GOOD, NONE_IS_GOOD, WATCH, Sql, promql

ZONE = "Asia/Ho_Chi_Minh"
#: Seconds; a look is judged within one as a rule, and beyond the last step an alarm is raised.
DELAYS = ((0, GOOD), (2, WATCH), (15, BAD))


def board() -> Dashboard:
    """The board, to be encoded."""
    made = (
        Dashboard("Đúng Hạn: Toàn cảnh")
        .uid("dunghan-overview")
        .description("Hồ sơ đang ở đâu so với hạn, và dòng dữ liệu phía sau có đang chạy hay không.")
        .tags(["dunghan"])
        .timezone(ZONE)
        .time("now-6h/m", "now-1m/m")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .annotations([])
        .with_variable(_source("clickhouse", "ClickHouse", panels.CLICKHOUSE, "dunghan-desk"))
        .with_variable(_source("prometheus", "Prometheus", panels.PROMETHEUS, "dunghan-prometheus"))
    )
    _dossiers(made)
    _flow(made)
    return made


def _source(name: str, label: str, plugin: str, uid: str) -> DatasourceVariable:
    """A data source to choose; the one that is provisioned under this uid unless the reader says otherwise."""
    return DatasourceVariable(name).label(label).type(plugin).current(VariableOption(True, label, uid))


def _dossiers(made: Dashboard) -> None:
    made.with_row(Row("Hồ sơ").grid_pos(_place(0, 0, 24, 1)))
    made.with_panel(
        panels.figures(
            "Đang giải quyết",
            "Số hồ sơ chưa xong, theo mức so với hạn, tính đến lúc này. Không có hồ sơ nào thì không có số.",
            unit="none",
            steps=(),
        )
        .datasource(panels.clickhouse())
        .with_target(Sql(queries.OPEN_NOW))
        .override_by_name(words.STANDINGS["overdue"], [panels.coloured(NONE_IS_GOOD)[0]])
        .override_by_name(words.STANDINGS["due_today"], [panels.coloured(((1, WATCH),))[0]])
        .override_by_name(words.STANDINGS["near_due"], [panels.coloured(((1, WATCH),))[0]])
        .grid_pos(_place(0, 1, 18, 4))
    )
    made.with_panel(
        panels.figures(
            words.LAST_EVENT,
            "Sự kiện mới nhất trong ClickHouse đã xảy ra cách đây bao lâu. Ngoài giờ làm việc, lâu là bình thường.",
            unit="dtdurations",
            steps=(),
        )
        .datasource(panels.clickhouse())
        .with_target(Sql(queries.LAST_EVENT))
        .grid_pos(_place(18, 1, 6, 4))
    )
    made.with_panel(
        panels.rows(
            "Hồ sơ theo đơn vị", "Mỗi hồ sơ (và mỗi lần giải quyết) được đếm một lần; các cột cộng lại bằng cột cuối."
        )
        .with_target(Sql(queries.BY_UNIT))
        .override_by_name(words.STANDINGS["overdue"], panels.coloured(((1, BAD),)))
        .override_by_name(words.STANDINGS["finished_overdue"], panels.coloured(((1, BAD),)))
        .override_by_name(words.STANDINGS["due_today"], panels.coloured(((1, WATCH),)))
        .override_by_name(words.STANDINGS["near_due"], panels.coloured(((1, WATCH),)))
        .grid_pos(_place(0, 5, 24, 9))
    )
    made.with_panel(
        panels.rows("Hồ sơ đang giải quyết quá hạn lâu nhất", "Hai mươi hồ sơ; mã chỉ hiện bốn ký tự cuối.")
        .with_target(Sql(queries.SLOWEST))
        .override_by_name(words.DUE, [panels.property_of("unit", "dateTimeAsLocal")])
        .override_by_name(
            words.LATE,
            [*panels.coloured(((0, BAD),)), panels.property_of("unit", f"suffix: {words.WORKING_HOURS}")],
        )
        .grid_pos(_place(0, 14, 24, 9))
    )


def _flow(made: Dashboard) -> None:
    made.with_row(Row("Dòng dữ liệu").grid_pos(_place(0, 23, 24, 1)))
    running = ValueMap({"0": ValueMappingResult(text="không trả lời", color=BAD)})
    made.with_panel(
        panels.figures("Tiến trình", "Số tiến trình judge và archive đang trả lời.", unit="none", steps=((1, GOOD),))
        .mappings([panels.unknown(), running])
        .datasource(panels.metrics())
        .with_target(promql(queries.WORKERS, "{{job}}", instant=True))
        .grid_pos(_place(0, 24, 6, 4))
    )
    made.with_panel(
        panels.figures(
            "Thời gian không cân",
            "Chênh lệch lớn nhất giữa tổng chạy, tạm dừng, ngoài giờ và thời gian thực; phải luôn bằng không.",
            unit="s",
            steps=((0, GOOD), (0.000001, BAD)),
        )
        .datasource(panels.metrics())
        .with_target(promql(queries.UNBALANCED, "chênh lệch", instant=True))
        .grid_pos(_place(0, 28, 6, 4))
    )
    rates = panels.curves(
        "Bản ghi mỗi giây, theo kết cục", "Bản ghi đọc từ Kafka: đã xử lý, bị loại hay chuyển phân vùng.", unit="cps"
    ).with_target(promql(queries.RECORDS_PER_SECOND, "{{fate}}"))
    for fate, word in words.FATES.items():
        rates.override_by_name(fate, [panels.property_of("displayName", word)])
    made.with_panel(rates.grid_pos(_place(6, 24, 9, 8)))
    made.with_panel(
        panels.curves("Dòng ghi vào ClickHouse mỗi giây", "Theo bảng, khi ClickHouse đã xác nhận.", unit="cps")
        .with_target(promql(queries.ROWS_PER_SECOND, "{{table}}"))
        .grid_pos(_place(15, 24, 9, 8))
    )
    made.with_panel(
        panels.curves(
            "Phân vùng đang giữ lại",
            "Chờ Kafka hoặc ClickHouse, theo lý do; không mất gì, và khởi động lại không giúp gì.",
            unit="none",
        )
        .with_target(promql(queries.HELD, "{{job}}: {{reason}}"))
        .grid_pos(_place(0, 32, 8, 8))
    )
    made.with_panel(
        panels.curves(
            "Trễ so với thời điểm đổi mức", "Từ lúc kết quả của hồ sơ thay đổi đến khi được ghi nhận.", unit="s"
        )
        .thresholds(panels.thresholds(DELAYS))
        .with_target(promql(queries.look_delay(0.5), "một nửa", "A"))
        .with_target(promql(queries.look_delay(0.95), "95%", "B"))
        .grid_pos(_place(8, 32, 8, 8))
    )
    made.with_panel(
        panels.curves(
            "Bản ghi bị loại trong một giờ, theo lý do", "Mỗi lý do có một mục trong docs/runbook.md.", unit="none"
        )
        .with_target(promql(queries.DEAD_LETTERS, "{{reason}}"))
        .grid_pos(_place(16, 32, 8, 8))
    )


def _place(x: int, y: int, width: int, height: int) -> GridPos:
    return GridPos(h=height, w=width, x=x, y=y)
