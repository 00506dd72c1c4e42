"""What-if, reported: what was compared and what a draft leaves as it is, in words; and all of it for programs."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agents.config import Folder
from agents.messages import CONFIG_PARTS, instant_text
from schemas.assessment import Cycle
from schemas.calendar import CalendarYear
from streams.policy import Policy
from streams.rules import Rules
from streams.what_if import Pair, WhatIf

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Report:
    """What was compared, and what came out. ``rules`` are those that the draft was judged by."""

    against: Folder
    draft: Folder
    rules: Rules
    now: datetime
    as_if_always: bool
    limit: int
    outcome: WhatIf

    @property
    def newest(self) -> Policy:
        """The newest limits of the draft, with the date that its file names."""
        return self.draft.rules.policies[-1]

    @property
    def differs_in(self) -> tuple[str, ...]:
        """In which kinds of files the folders differ."""
        pairs = (
            ("limits", _by_version(self.against), _by_version(self.draft)),
            ("calendars", _by_year(self.against), _by_year(self.draft)),
            ("office", self.against.office, self.draft.office),
            ("units", self.against.units, self.draft.units),
        )
        return tuple(name for name, before, after in pairs if before != after)


def _by_version(folder: Folder) -> object:
    return sorted(folder.limits, key=lambda file: file.version)


def _by_year(folder: Folder) -> list[CalendarYear]:
    return sorted(folder.calendars, key=_file)


def notices(report: Report) -> Iterator[str]:
    """What was compared, from when on the draft holds, and what it leaves as it is."""
    zone = report.rules.zone
    yield (
        f"Thử cấu hình {report.draft.path} thay cho {report.against.path} · "
        f"xét đến {instant_text(report.now, zone)} ({zone.key}) · không ghi gì"
    )
    differs = ", ".join(CONFIG_PARTS[name] for name in report.differs_in)
    yield f"Khác nhau ở: {differs}" if differs else "Hai cấu hình giống hệt nhau."
    if "limits" in report.differs_in:
        yield _limits_in_force(report)
    for version in _rewritten(report):
        yield (
            f"Dự thảo sửa ngay trong bản thời hạn {version} đang có, nên kết luận của hồ sơ đã kết thúc cũng đổi. "
            "Muốn giữ: viết thành bản mới (limits-2.yaml) với số và ngày hiệu lực sau."
        )
    yield from _calendars_in_force(report)
    if report.against.office.codes != report.draft.office.codes:
        yield "Mẫu mã hồ sơ hoặc mã thủ tục khác nhau: sự kiện được đọc theo mẫu đang áp dụng."


def _limits_in_force(report: Report) -> str:
    """From when on the newest limits of the draft hold, and for whom."""
    begins = f"{report.newest.begins.astimezone(report.rules.zone):%d/%m/%Y}"
    draft = f"Dự thảo: thời hạn bản {report.newest.version}, có hiệu lực từ {begins}"
    if report.as_if_always:
        return (
            f"{draft}; ở đây xem như đã áp dụng từ đầu cho mọi hồ sơ. "
            f"Khi áp dụng thật, hồ sơ kết thúc trước {begins} giữ thời hạn của lúc kết thúc."
        )
    if report.newest.begins > report.now:
        return (
            f"{draft}, sau thời điểm xét: chưa tính cho hồ sơ nào; "
            "hồ sơ kết thúc trước ngày đó giữ thời hạn của lúc kết thúc. "
            "Muốn biết nếu đã áp dụng từ đầu: thêm --as-if-always."
        )
    return (
        f"{draft}: tính cho hồ sơ đang giải quyết; hồ sơ kết thúc trước ngày đó giữ thời hạn của lúc kết thúc. "
        "Muốn tính cho cả các hồ sơ đó: thêm --as-if-always."
    )


def _rewritten(report: Report) -> list[int]:
    """The versions of limits that the draft changes under their old number, so that what ended under them changes."""
    standing = {file.version: file for file in report.against.limits}
    return sorted(file.version for file in report.draft.limits if standing.get(file.version, file) != file)


def _calendars_in_force(report: Report) -> Iterator[str]:
    """From when on the calendars that the draft adds hold; and those that it changes under their old version."""
    standing = {_file(year): year for year in report.against.calendars}
    for year in _by_year(report.draft):
        before = standing.get(_file(year))
        name = f"Lịch {year.calendar} {year.year}, bản {year.version}"
        if before is None:
            since = f"từ {year.in_force_from:%d/%m/%Y}" if year.in_force_from is not None else "từ trước đến nay"
            yield f"{name}: mới, có hiệu lực {since}; hồ sơ kết thúc trước ngày có hiệu lực giữ lịch của lúc kết thúc."
        elif before != year:
            yield (
                f"{name}: sửa ngay trong bản đang có, nên kết luận của hồ sơ đã kết thúc cũng đổi. "
                "Muốn giữ: viết thành tệp mới với version và in_force_from sau."
            )


def _file(year: CalendarYear) -> tuple[str, int, int]:
    return year.calendar, year.year, year.version


def as_json(report: Report, *, refused: int) -> Json:
    """The whole report as one object: times in the office's zone, absent values null."""
    outcome, zone, newest = report.outcome, report.rules.zone, report.newest
    current = report.against.rules.edition(report.now).policy
    return {
        "now": _local(report.now, zone),
        "against": {
            "config": str(report.against.path),
            "limits_version": current.version if current is not None else None,
            "in_force_from": _local(current.begins, zone) if current is not None else None,
        },
        "draft": {
            "config": str(report.draft.path),
            "limits_version": newest.version,
            "in_force_from": _local(newest.begins, zone),
            "in_force": newest.begins <= report.now,
            "differs_in": report.differs_in,
        },
        "as_if_always": report.as_if_always,
        "refused": refused,
        "dossiers": outcome.dossiers,
        "open": asdict(outcome.open),
        "closed": asdict(outcome.closed),
        "turns": [asdict(turn) for turn in outcome.turns],
        "alerts": _actions(outcome.alerts.items()),
        "units": [
            {
                "unit": tally.unit,
                "procedure": tally.procedure,
                "open": asdict(tally.open),
                "closed": asdict(tally.closed),
                "alerts": _actions(tally.alerts.items()),
            }
            for tally in outcome.tallies
        ],
        "changes": [_change(pair, zone) for pair in outcome.worst],
    }


def _actions(counted: Iterable[tuple[str, int]]) -> Json:
    return {str(action): number for action, number in counted}


def _change(pair: Pair, zone: ZoneInfo) -> Json:
    return {
        "dossier_code": pair.dossier_code,
        "cycle": pair.after.cycle,
        "closed": pair.closed,
        "unit": pair.after.unit,
        "procedure": pair.after.procedure,
        "changed": [aspect.value for aspect in pair.aspects],
        "before": _side(pair.before, zone),
        "after": _side(pair.after, zone),
    }


def _side(cycle: Cycle, zone: ZoneInfo) -> Json:
    return {
        "verdict": cycle.verdict,
        "verdict_766": cycle.verdict_766,
        "level": cycle.level.value,
        "due_original": _local(cycle.due_original, zone),
        "due_current": _local(cycle.due_current, zone),
        "remaining_seconds": cycle.remaining_seconds,
        "limit": cycle.limit,
        "policy_version": cycle.policy_version,
    }


def _local(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return None if instant is None else instant.astimezone(zone).isoformat()
