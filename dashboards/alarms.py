"""What Prometheus wakes somebody for: the pipeline itself, never a dossier (those are told by alerts of their own).

Each alarm has its words and its entry in the runbook beside its condition, and a condition is written over the
metric vocabulary, so that a metric that is renamed breaks a test and not a night's sleep.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schemas import metrics

#: The names under which Prometheus asks the workers (docker/prometheus/prometheus.yml).
WORKERS = ("judge", "archive")
RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: ``wait`` is how long ``condition`` must hold, ``anchor`` its entry in the runbook.

    ``critical`` is for now, ``warning`` for the next working hour.
    """

    name: str
    condition: str
    wait: str
    severity: Literal["critical", "warning"]
    summary: str
    description: str
    anchor: str
    labels: tuple[tuple[str, str], ...] = ()


def _missing(worker: str, consequence: str) -> Alarm:
    return Alarm(
        f"Dunghan{worker.capitalize()}Missing",
        # Nobody answers, or Prometheus does not even know whom to ask.
        f'absent(up{{job="{worker}"}} == 1)',
        "2m",
        "critical",
        f"Không có tiến trình {worker} nào trả lời",
        f"Đã hai phút không có tiến trình {worker} nào trả lời. {consequence}",
        "alarm-worker-missing",
        (("job", worker),),
    )


def _idle(worker: str) -> Alarm:
    return Alarm(
        f"Dunghan{worker.capitalize()}Idle",
        f'sum(up{{job="{worker}"}}) > 0 and sum({metrics.ASSIGNED.name}{{job="{worker}"}}) == 0',
        "5m",
        "critical",
        f"Tiến trình {worker} chạy nhưng không nhận phân vùng nào",
        f"Đã năm phút tiến trình {worker} trả lời mà không nhận phân vùng nào: không bản ghi nào được xử lý.",
        "alarm-worker-idle",
        (("job", worker),),
    )


ALARMS: tuple[Alarm, ...] = (
    _missing("judge", "Hồ sơ không được xét và không có cảnh báo nào được đưa ra; Kafka giữ mọi bản ghi."),
    _missing("archive", "Bảng và màn hình đứng yên; việc xét hồ sơ và cảnh báo vẫn tiếp tục."),
    *(_idle(worker) for worker in WORKERS),
    Alarm(
        "DunghanPartitionsHeld",
        f"sum by (job, reason) ({metrics.HELD.name}) > 0",
        "2m",
        "critical",
        "{{ $labels.job }} đang giữ lại {{ $value }} phân vùng: {{ $labels.reason }}",
        "Một dịch vụ phía sau không trả lời hoặc từ chối. Không mất gì, khởi động lại không giúp gì; "
        "mục {{ $labels.reason }} trong sổ tay cho biết phải làm gì.",
        "alarm-held",
    ),
    Alarm(
        "DunghanDeadLetters",
        # A reason that was never seen before begins at its first record, and so does not increase.
        f"sum by (reason) (increase({metrics.BURIED.name}[15m])) > 0"
        f" or (sum by (reason) ({metrics.BURIED.name}) unless sum by (reason) ({metrics.BURIED.name} offset 15m)) > 0",
        "0m",
        "warning",
        "Có bản ghi bị loại: {{ $labels.reason }}",
        "Trong 15 phút qua có bản ghi không dùng được, lý do {{ $labels.reason }}. Các bản ghi khác vẫn được xử lý; "
        "bên gửi phải sửa và gửi lại.",
        "alarm-dead-letters",
    ),
    Alarm(
        "DunghanSourceRefused",
        # As for DunghanDeadLetters, a source that was never refused before begins with what it has.
        f"sum by (source) (increase({metrics.REFUSED.name}[15m])) >= 20 or (sum by (source) ({metrics.REFUSED.name})"
        f" unless sum by (source) ({metrics.REFUSED.name} offset 15m)) >= 20",
        "0m",
        "warning",
        "Nguồn {{ $labels.source }} gửi {{ $value | humanize }} bản ghi không dùng được",
        "Trong 15 phút qua nguồn {{ $labels.source }} gửi từ hai mươi bản ghi không dùng được trở lên. Chúng bị loại, "
        "các nguồn khác vẫn được xử lý; hồ sơ của nguồn này có thể không còn đúng cho đến khi gửi lại.",
        "alarm-source-refused",
    ),
    Alarm(
        "DunghanFeedSilent",
        f"max by (unit) ({metrics.SILENT_FEEDS.name}) > 0",
        "5m",
        "warning",
        "Không còn nghe thấy đơn vị {{ $labels.unit }}: không rõ hồ sơ ra sao",
        "Trong giờ làm việc, lâu hơn mức cho phép, không có sự kiện nào của đơn vị {{ $labels.unit }} đến. Cảnh báo "
        "của đơn vị được giữ lại cho đến khi nghe thấy trở lại; phía chúng ta đã đọc hết mọi thứ.",
        "alarm-feed-silent",
    ),
    Alarm(
        "DunghanTimeUnbalanced",
        f"max({metrics.UNBALANCED.name}) > 0",
        "0m",
        "critical",
        "Thời gian của một hồ sơ không cân: lệch {{ $value }} giây",
        "Tổng thời gian chạy, tạm dừng và ngoài giờ khác thời gian thực. Các con số không còn đáng tin: đây là lỗi "
        "của chương trình.",
        "alarm-time-unbalanced",
    ),
    Alarm(
        "DunghanBucketMissing",
        f"max({metrics.UNBUCKETED.name}) > 0",
        "0m",
        "critical",
        "Một hồ sơ có lúc không nằm trong nhóm nào, hoặc trong hai nhóm: {{ $value }} giây",
        "Tổng của các nhóm (trong hạn, quá hạn, tạm dừng…) không còn bằng số hồ sơ. Các con số không còn đáng tin: "
        "đây là lỗi của chương trình.",
        "alarm-bucket-missing",
    ),
    Alarm(
        "DunghanRecordsWithoutFate",
        f"abs(sum by (job) ({metrics.TAKEN.name}) - sum by (job) ({metrics.RECORDS.name})"
        f" - sum by (job) ({metrics.IN_FLIGHT.name})) > 0",
        "5m",
        "critical",
        "{{ $labels.job }}: {{ $value }} bản ghi đã nhận mà không rõ kết quả",
        "Số bản ghi đã nhận khác số đã xong, bị loại, chuyển tiếp và đang xử lý: có bản ghi bị bỏ sót, hoặc được "
        "tính hai lần. Đây là lỗi của chương trình.",
        "alarm-records-without-fate",
    ),
    Alarm(
        "DunghanRulesRefused",
        f"max by (job, instance) ({metrics.RULES_REFUSED.name}) == 1",
        "1m",
        "warning",
        "{{ $labels.job }} ({{ $labels.instance }}) từ chối cấu hình mới, quy định cũ vẫn được áp dụng",
        "Thư mục cấu hình có lỗi hoặc nội dung đổi mà không nâng version. Hồ sơ vẫn được xét theo quy định cũ; "
        "/healthz của tiến trình cho biết tệp, dòng và lý do.",
        "alarm-rules-refused",
    ),
    Alarm(
        "DunghanRulesDiffer",
        f"max({metrics.RULES_VERSION.name}) - min({metrics.RULES_VERSION.name}) > 0",
        "5m",
        "warning",
        "Các tiến trình áp dụng những bản quy định khác nhau",
        "Đã năm phút các tiến trình không cùng một bản quy định: có máy chưa nhận thư mục cấu hình mới.",
        "alarm-rules-differ",
    ),
    Alarm(
        "DunghanLooksLate",
        f"histogram_quantile(0.95, sum by (le) (rate({metrics.LOOK_DELAY.name}_bucket[10m]))) > 15",
        "10m",
        "warning",
        "Hồ sơ đổi mức được ghi nhận trễ {{ $value | humanizeDuration }}",
        "Đã mười phút, cứ hai mươi lần đổi mức thì một lần được ghi nhận trễ hơn 15 giây: cảnh báo đến muộn.",
        "alarm-looks-late",
    ),
)


def rules() -> Iterator[dict[str, object]]:
    """The alarms as Prometheus reads them."""
    for alarm in ALARMS:
        yield {
            "alert": alarm.name,
            "expr": alarm.condition,
            "for": alarm.wait,
            "labels": {"severity": alarm.severity, **dict(alarm.labels)},
            "annotations": {
                "summary": alarm.summary,
                "description": alarm.description,
                "runbook": f"{RUNBOOK}#{alarm.anchor}",
            },
        }
