"""The words an officer reads, in Vietnamese: one table, so that a level has the same name wherever it is shown.

The words are those of the office's own reports: trước hạn, đúng hạn, quá hạn; trong hạn, sắp đến hạn.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.alert import Action
from schemas.assessment import Clock, Flag, Level, Verdict, Verdict766
from schemas.event import Channel
from schemas.limits import LimitUnit
from schemas.office import WORKING_DAY
from streams.clock import State
from streams.counting import Ruling, Scored
from streams.reasons import Why
from streams.what_if import Aspect

VERDICTS: Mapping[Verdict, str] = {
    "early": "trước hạn",
    "on_time": "đúng hạn",
    "overdue": "quá hạn",
    "in_time": "trong hạn",
    "no_deadline": "không có hạn",
    "withdrawn": "công dân rút hồ sơ",
    "refused": "không được tiếp nhận",
    "not_started": "chưa tiếp nhận",
}
VERDICTS_766: Mapping[Verdict766, str] = {
    "on_time": "đúng hạn",
    "overdue": "quá hạn",
    "not_counted": "không tính",
}
CLOCKS: Mapping[Clock, str] = {
    "not_started": "chưa chạy",
    "running": "đang chạy",
    "paused": "tạm dừng",
    "stopped": "đã dừng",
    "never": "không chạy",
}
LEVELS: Mapping[Level, str] = {
    Level.NONE: "bình thường",
    Level.NEAR_DUE: "sắp đến hạn",
    Level.DUE_TODAY: "đến hạn hôm nay",
    Level.OVERDUE: "quá hạn",
    Level.SERIOUSLY_OVERDUE: "quá hạn nghiêm trọng",
}
FLAGS: Mapping[Flag, str] = {
    Flag.INCOMPLETE_HISTORY: "thiếu lịch sử: không có lúc tiếp nhận",
    Flag.ILLEGAL_TRANSITION: "chuyển trạng thái không đúng quy trình",
    Flag.CONFLICTING_EVENT: "một mã sự kiện có hai nội dung",
    Flag.DUE_DISAGREES: "ngày hẹn trả khác hạn tính theo quy định",
    Flag.EXTENSION_LIMIT_EXCEEDED: "gia hạn quá một lần",
    Flag.LATE_EXTENSION: "gia hạn khi đã quá hạn",
    Flag.ESTIMATED: "có ngày theo lịch dự kiến",
    Flag.STALLED: "lâu không có tiến triển",
    Flag.LONG_PAUSE: "tạm dừng quá lâu",
    Flag.LETTER_DUE: "phải gửi thư xin lỗi",
}
#: The names of TrangThaiHoSo, as the national codes have them.
STATUSES: Mapping[int, str] = {
    1: "Mới đăng ký",
    2: "Được tiếp nhận",
    3: "Không được tiếp nhận",
    4: "Đang xử lý",
    5: "Yêu cầu bổ sung giấy tờ",
    6: "Yêu cầu thực hiện nghĩa vụ tài chính",
    7: "Công dân yêu cầu rút hồ sơ",
    8: "Dừng xử lý",
    9: "Đã xử lý xong",
    10: "Đã trả kết quả",
}
CHANNELS: Mapping[Channel, str] = {"counter": "trực tiếp", "online": "trực tuyến", "post": "bưu chính"}
LIMIT_UNITS: Mapping[LimitUnit, str] = {
    "hour": "giờ làm việc",
    "working_day": "ngày làm việc",
    "day": "ngày",
    "month": "tháng",
    "same_day": "trong ngày",
    "none": "không có thời hạn",
}
WEEKDAYS = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


def limit_text(limit: str) -> str:
    """A limit as an assessment writes it ("5 working_day"), in words: "5 ngày làm việc"."""
    value, _, unit = limit.rpartition(" ")
    words = next(words for name, words in LIMIT_UNITS.items() if name == unit)
    return f"{value.replace('.', ',')} {words}" if value else words


def instant_text(instant: datetime, zone: ZoneInfo, *, year: bool = True) -> str:
    """An instant by the clock on the wall, with as many decimals as it has; without its year where that is known.

    >>> instant_text(datetime.fromisoformat("2026-11-24T03:15:00+00:00"), ZoneInfo("Asia/Ho_Chi_Minh"))
    'T3 24/11/2026 10:15:00'
    """
    local = instant.astimezone(zone)
    return f"{day_text(local, year=year)} {local:%H:%M:%S}{_decimals(local.microsecond)}"


def day_text(day: date, *, year: bool = True) -> str:
    """A day with its weekday: "T3 24/11/2026"."""
    return f"{WEEKDAYS[day.weekday()]} {day:{'%d/%m/%Y' if year else '%d/%m'}}"


def clock_text(length: timedelta) -> str:
    """A length of time in hours, minutes and seconds, to be added up column by column.

    >>> clock_text(timedelta(days=1, minutes=5)), clock_text(timedelta(seconds=1.5))
    ('24:05:00', '0:00:01,5')
    """
    hours, rest = divmod(length, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{rest.seconds:02}{_decimals(rest.microseconds)}"


def working_text(length: timedelta) -> str:
    """Working time in words, a day of eight hours: "1 ngày làm việc 3 giờ 05 phút"; seconds only below a minute.

    >>> working_text(timedelta(hours=11, minutes=5)), working_text(timedelta(seconds=20))
    ('1 ngày làm việc 3 giờ 05 phút', '20 giây')
    """
    if length < _MINUTE:
        return f"{length.seconds} giây"
    days, rest = divmod(length, WORKING_DAY)
    hours, rest = divmod(rest, _HOUR)
    parts = (
        f"{days} ngày làm việc" if days else "",
        f"{hours} giờ" if hours else "",
        f"{rest // _MINUTE:02} phút" if rest >= _MINUTE else "",
    )
    return " ".join(part for part in parts if part)


def _decimals(microseconds: int) -> str:
    return "," + f"{microseconds:06}".rstrip("0") if microseconds else ""


# `dunghan what-if`: a draft configuration beside the one in force.

ASPECTS: Mapping[Aspect, str] = {
    Aspect.VERDICT: "kết luận",
    Aspect.VERDICT_766: "theo QĐ 766",
    Aspect.LEVEL: "mức cảnh báo",
    Aspect.DUE: "hạn",
}
ACTIONS: Mapping[Action, str] = {
    Action.RAISE: "phát mới",
    Action.REPLACE: "thay bằng mức cao hơn",
    Action.RESOLVE: "kết thúc",
    Action.RETRACT: "rút lại",
    Action.RETIME: "đổi thời điểm",
    Action.HOLD: "tạm giữ, nguồn dữ liệu im lặng",
}
CONFIG_PARTS: Mapping[str, str] = {
    "limits": "thời hạn giải quyết",
    "calendars": "lịch làm việc",
    "office": "quy định chung",
    "units": "đơn vị",
}


# `dunghan explain`: why a dossier stands as it does. What stands in braces is a figure; `words` is a length in words.

STATES: Mapping[State, str] = {
    State.NOT_STARTED: "chưa chạy",
    State.RUNNING: "chạy",
    State.PAUSED: "tạm dừng",
    State.HALTED: "dừng xử lý",
    State.STOPPED: "đã dừng",
    State.WITHDRAWN: "đã rút",
    State.REFUSED: "không chạy",
}
KINDS: Mapping[str, str] = {"extension": "Gia hạn", "letter": "Thư xin lỗi", "void": "Huỷ một sự kiện"}
MOVES: Mapping[Why, str] = {
    Why.COMPUTED: "Hạn tính từ thời hạn: {due}.",
    Why.APPOINTED: "Ngày hẹn trả của hệ thống nguồn là hạn: {due}.",
    Why.CARRIED: "Mở lại hồ sơ: giữ hạn của lần trước: {due}.",
    Why.NO_DUE: "Không có hạn.",
    Why.PAUSED: "Tạm dừng: còn {remaining:words} ({remaining}); hạn tính lại khi xử lý tiếp.",
    Why.PAUSED_OVERDUE: "Tạm dừng khi đã quá hạn: hạn giữ nguyên {due}, tạm dừng không xoá quá hạn.",
    Why.RESUMED: "Hết tạm dừng (từ {paused_at}): cộng phần còn lại {remaining:words} ({remaining}), hạn thành {due}.",
    Why.RESUMED_UNMOVED: "Hết tạm dừng (từ {paused_at}): cộng {remaining} còn lại không quá hạn cũ, giữ nguyên {due}.",
    Why.RESUMED_NAMED: "Hết tạm dừng (từ {paused_at}) với ngày hẹn mới: hạn thành {due}.",
    Why.EXTENDED: "Chấp nhận gia hạn: hạn thành {due}.",
    Why.KNOWN: "Hạn {named:date} đã từng có hiệu lực: không có gì mới.",
    Why.SECOND_EXTENSION: "Không chấp nhận gia hạn đến {named:date}: mỗi lần giải quyết chỉ được gia hạn một lần.",
    Why.LATE_EXTENSION: "Không chấp nhận gia hạn đến {named:date}: gửi khi hồ sơ đã quá hạn.",
    Why.NOT_LATER: "Không chấp nhận {named:date}: không muộn hơn hạn đang có.",
    Why.NOTHING_TO_EXTEND: "Không chấp nhận gia hạn đến {named:date}: hồ sơ không có hạn.",
    Why.AT_END: "Bỏ qua hạn {named:date} gửi cùng lúc kết thúc.",
    Why.AFTER_END: "Bỏ qua hạn {named:date}: gửi sau khi kết thúc.",
    Why.BEFORE_START: "Bỏ qua hạn {named:date}: gửi trước khi tiếp nhận.",
    Why.EVIDENCE: "Bỏ qua hạn {named:date}: sự kiện này không có tác dụng vào lúc đó.",
}
RULINGS: Mapping[Ruling, str] = {
    Ruling.STARTS_AT_ONCE: "Thời hạn theo giờ tính ngay từ lúc tiếp nhận {received}.",
    Ruling.STARTS_AT_OPENING: "Thời hạn theo giờ; tiếp nhận {received} ngoài giờ nên tính từ lúc mở cửa tiếp theo.",
    Ruling.RECEIVED_THAT_DAY: "Tiếp nhận {received}: ngày nhận là {receipt_day} (lịch {reception}).",
    Ruling.RECEIVED_AFTER_CLOSING: "Nhận {received}, sau giờ đóng cửa (lịch {reception}): ngày nhận là {receipt_day}.",
    Ruling.RECEIVED_WHEN_CLOSED: "Nhận {received}, ngày không mở cửa (lịch {reception}): ngày nhận là {receipt_day}.",
    Ruling.FIRST_DAY_NOT_COUNTED: "Không tính ngày đầu tiên (Bộ luật Dân sự 2015, Điều 147).",
    Ruling.WORKING_DAYS_ONLY: "Chỉ đếm ngày làm việc, bỏ qua ngày nghỉ.",
    Ruling.EVERY_DAY_COUNTS: "Đếm theo ngày dương lịch, kể cả ngày nghỉ.",
    Ruling.WORKING_HOURS_ONLY: "Chỉ đếm giờ làm việc (một ngày làm việc là 8 giờ): {length} hết lúc {due}.",
    Ruling.CORRESPONDING_DATE: "Hết tháng vào ngày tương ứng {last_day}.",
    Ruling.MONTH_HAS_NO_SUCH_DATE: "Tháng cuối không có ngày tương ứng: lấy ngày cuối tháng {last_day}.",
    Ruling.ROLLED: "Ngày cuối {last_day} là ngày nghỉ: chuyển sang ngày làm việc sau (Bộ luật Dân sự 2015, Điều 148).",
    Ruling.SAME_DAY: "Tiếp nhận {received}, không muộn hơn 15:00 của ngày làm việc: trả trong ngày {last_day}.",
    Ruling.SAME_DAY_TOO_LATE: "Tiếp nhận {received}, sau 15:00 hoặc ngày nghỉ: trả vào ngày làm việc sau {last_day}.",
    Ruling.ENDS_AT_CLOSING: "Hết hạn vào lúc đóng cửa của ngày cuối: {due}.",
}
SCORED: Mapping[Scored, str] = {
    Scored.NO_DUE: "không có hạn để so",
    Scored.SUPPLEMENTS: "yêu cầu bổ sung hơn một lần mà chưa xử lý xong: tính quá hạn",
    Scored.LATE: "sau hạn",
    Scored.WITHIN: "không sau hạn",
}
#: Why an alert was raised, replaced, ended or taken back, where a level does not say it.
ALERT_REASONS: Mapping[str, str] = {
    "true_again": "lại đúng sau khi đã rút",
    "late_event": "có sự kiện đến muộn",
    "cycle_gone": "lần giải quyết này không còn",
    "policy": "thời hạn hoặc lịch mới có hiệu lực",
    "paused": "hồ sơ tạm dừng",
    "halted": "hồ sơ dừng xử lý",
    "withdrawn": "công dân rút hồ sơ",
    "completed": "đã xử lý xong",
    "due_moved": "hạn đã được dời",
    "feed_silent": "nguồn dữ liệu của đơn vị im lặng, chưa thể kết luận",
    "feed_returned": "nguồn dữ liệu đã trở lại",
}
