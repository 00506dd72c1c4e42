"""The procedures of the city: who handles them, how often they are asked for, and how their dossiers are worked on.

Limits are not here: they are the office's, in ``config/limits.yaml``. The codes are those of the national database
of procedures. The shares are assumed: certified copies and civil status make up most of a ward's day.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

NATIONAL = ".000.00.00.H26"  # the long form of a procedure code names the province as well


class Procedure(NamedTuple):
    """One procedure: its code, field and share, what is special about its dossiers."""

    code: str
    field: str
    share: float
    online: float = 0.55
    fee: bool = False
    city: bool = False  # handled by a branch of the centre, not by a ward
    consults: bool = False  # asks another unit for its opinion on the way
    cases: tuple[tuple[str | None, float], ...] = ((None, 1.0),)


CIVIL, COPIES, RESIDENCE, BUSINESS, WELFARE = "ho-tich", "chung-thuc", "cu-tru", "ho-kinh-doanh", "bao-tro"
SCHOOLS, LAND, BUILDING, COMPANIES, PERMITS = "giao-duc", "dat-dai", "xay-dung", "doanh-nghiep", "giay-phep"

PROCEDURES: tuple[Procedure, ...] = (
    Procedure("2.000815", COPIES, 24.0, online=0.15, fee=True),
    Procedure("2.000884", COPIES, 6.0, online=0.1, fee=True),
    Procedure("2.000908", COPIES, 1.0, online=0.3),
    Procedure("2.001035", COPIES, 1.2, online=0.1, fee=True),
    Procedure("2.001019", COPIES, 0.2, online=0.0, fee=True),
    Procedure("1.001193", CIVIL, 5.5, online=0.8),
    Procedure("1.000656", CIVIL, 2.0, online=0.7),
    Procedure("1.000894", CIVIL, 2.5, online=0.6, cases=((None, 0.85), ("xac-minh", 0.15))),
    Procedure("1.001022", CIVIL, 0.3, online=0.4),
    Procedure("1.000689", CIVIL, 0.4, online=0.5),
    Procedure("1.004837", CIVIL, 0.1, online=0.4),
    Procedure("1.004845", CIVIL, 0.05, online=0.4),
    Procedure("1.004859", CIVIL, 2.0, online=0.6, cases=((None, 0.6), ("bo-sung", 0.25), ("xac-minh", 0.15))),
    Procedure("1.004873", CIVIL, 6.0, online=0.85),
    Procedure("1.004884", CIVIL, 0.8, online=0.6),
    Procedure("1.004772", CIVIL, 0.2, online=0.6),
    Procedure("1.004746", CIVIL, 0.2, online=0.5),
    Procedure("1.005461", CIVIL, 0.1, online=0.5),
    Procedure("2.000635", CIVIL, 6.0, online=0.8, fee=True),
    Procedure("1.004222", RESIDENCE, 5.0, online=0.9, fee=True),
    Procedure("1.004194", RESIDENCE, 7.0, online=0.9, fee=True),
    Procedure("1.002755", RESIDENCE, 2.0, online=0.9, fee=True),
    Procedure("1.010041", RESIDENCE, 2.0, online=0.8),
    Procedure("1.001612", BUSINESS, 3.0, online=0.9, fee=True),
    Procedure("2.000720", BUSINESS, 1.2, online=0.9, fee=True),
    Procedure("1.001570", BUSINESS, 0.6, online=0.9),
    Procedure("1.001266", BUSINESS, 1.5, online=0.85),
    Procedure("2.000575", BUSINESS, 0.3, online=0.8, fee=True),
    Procedure("1.001776", WELFARE, 2.2, online=0.4, consults=True),
    Procedure("1.001731", WELFARE, 0.9, online=0.5),
    Procedure("1.001699", WELFARE, 0.4, online=0.3, consults=True),
    Procedure("1.001653", WELFARE, 0.3, online=0.5),
    Procedure("1.010833", WELFARE, 0.3, online=0.5),
    Procedure("1.000775", WELFARE, 0.1, online=0.3),
    Procedure("2.001263", WELFARE, 0.05, online=0.2, fee=True, consults=True),
    Procedure("1.004441", SCHOOLS, 0.15, online=0.7),
    Procedure("1.012787", LAND, 1.5, online=0.4, fee=True, city=True, consults=True),
    Procedure("1.013831", LAND, 4.5, online=0.5, fee=True, city=True),
    Procedure("1.009994", BUILDING, 1.0, online=0.7, fee=True, city=True, consults=True,
              cases=(("nha-o-rieng-le", 0.85), (None, 0.15))),
    Procedure("1.013227", BUILDING, 0.1, online=0.7, fee=True, city=True),
    Procedure("2.001583", COMPANIES, 3.0, online=1.0, fee=True, city=True),
    Procedure("2.001199", COMPANIES, 1.5, online=1.0, fee=True, city=True),
    Procedure("1.014199", PERMITS, 1.2, online=0.9, fee=True, city=True, consults=True),
    Procedure("1.001029", PERMITS, 0.05, online=0.6, fee=True, city=True),
)  # fmt: skip

#: Up to where each procedure reaches in 0 to 1, for a draw.
REACHES: Sequence[float] = tuple(
    reach / sum(each.share for each in PROCEDURES) for reach in accumulate(each.share for each in PROCEDURES)
)

#: The steps of a dossier inside a unit and how much of its time each takes, shares assumed. They end with the result.
RECEIVED, SHARED_OUT, WORKED_ON, APPRAISED = "Tiếp nhận", "Phân công", "Thụ lý", "Thẩm định"
HANDED_OVER, CHECKED, OPINION, SUMMED_UP = "Chuyển xử lý", "Kiểm tra hồ sơ", "Lấy ý kiến", "Tổng hợp"
SUBMITTED, SIGNED, SEALED, RETURNED = "Trình ký", "Ký duyệt", "Đóng dấu", "Chuyển trả"

SHORT_PATH: tuple[tuple[str, float], ...] = (
    (RECEIVED, 0.6), (HANDED_OVER, 0.3), (SHARED_OUT, 0.4), (WORKED_ON, 2.5), (APPRAISED, 2.0), (SUBMITTED, 0.6),
    (SIGNED, 1.2), (SEALED, 0.4), (RETURNED, 0.4),
)  # fmt: skip
LONG_PATH: tuple[tuple[str, float], ...] = (
    (RECEIVED, 0.4), (HANDED_OVER, 0.3), (SHARED_OUT, 0.5), (CHECKED, 0.8), (WORKED_ON, 3.0), (APPRAISED, 4.0),
    (SUMMED_UP, 0.8), (SUBMITTED, 0.6), (SIGNED, 1.5), (SEALED, 0.3), (RETURNED, 0.3),
)  # fmt: skip
CONSULTING_PATH: tuple[tuple[str, float], ...] = (*LONG_PATH[:6], (OPINION, 3.0), *LONG_PATH[6:])
AGAIN_PATH: tuple[tuple[str, float], ...] = ((WORKED_ON, 2.0), (APPRAISED, 2.0), (SUBMITTED, 0.6), (SIGNED, 1.2))
