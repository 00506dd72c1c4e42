"""The words that people read on boards, in Vietnamese: one table, with the terms of the office's own reports."""

from collections.abc import Mapping
from typing import Literal

NO_DATA = "không có dữ liệu"
WORKING_HOURS = "giờ làm việc"

#: How a dossier stands, each in one place only: the columns of the counts, in the order of reading.
Standing = Literal[
    "in_time",
    "near_due",
    "due_today",
    "overdue",
    "paused",
    "early",
    "on_time",
    "finished_overdue",
    "withdrawn",
    "without_deadline",
]
STANDINGS: Mapping[Standing, str] = {
    "in_time": "Trong hạn",
    "near_due": "Sắp đến hạn",
    "due_today": "Đến hạn hôm nay",
    "overdue": "Quá hạn",
    "paused": "Tạm dừng",
    "early": "Đã xong trước hạn",
    "on_time": "Đã xong đúng hạn",
    "finished_overdue": "Đã xong quá hạn",
    "withdrawn": "Rút, từ chối",
    "without_deadline": "Không tính hạn",
}
#: Those that are still worked on, worst last.
OPEN: tuple[Standing, ...] = ("in_time", "near_due", "due_today", "overdue", "paused")

UNIT = "Đơn vị"
TOTAL = "Cộng"
CODE = "Mã hồ sơ (4 ký tự cuối)"
PROCEDURE = "Thủ tục"
STAGE = "Bước"
DUE = "Hạn"
LATE = "Quá hạn"
LAST_EVENT = "Sự kiện mới nhất cách đây"

FATES = {"done": "đã xử lý", "buried": "bị loại", "rerouted": "chuyển phân vùng"}
