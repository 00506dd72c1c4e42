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
}
CONFIG_PARTS: Mapping[str, str] = {
    "limits": "thời hạn giải quyết",
    "calendars": "lịch làm việc",
    "office": "quy định chung",
    "units": "đơn vị",
}
