"""The oracle alone against the worked examples: every row of ``deadlines.csv``."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schemas.calendar import CalendarDay, CalendarYear
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Codes, Office, Unit
from tests.oracle.judge import judge
from tests.oracle.shelf import Shelf

OFF = {
    2025: "0101 0127 0128 0129 0130 0131 0407 0430 0501 0502 0901 0902",
    2026: "0101 0102 0216 0217 0218 0219 0220 0427 0430 0501 0831 0901 0902 1124",
    2027: "0101 0204 0205 0208 0209 0210 0416 0430 0503 0902 0903 1124",
}
WORKED = {2025: "0426", 2026: "0110 0822", 2027: ""}
WEEK: dict[str, tuple[str, ...]] = {"mon-fri": ("08:00-12:00", "13:00-17:00")}

Row = dict[str, object]


def years(name: str, week: dict[str, tuple[str, ...]]) -> list[CalendarYear]:
    return [
        CalendarYear(
            calendar=name,
            year=year,
            zone="Asia/Ho_Chi_Minh",
            shifts=week,
            state="estimated" if year == 2027 else "confirmed",
            days=(
                *(CalendarDay(date=date(year, int(d[:2]), int(d[2:])), off=True) for d in OFF[year].split()),
                *(CalendarDay(date=date(year, int(d[:2]), int(d[2:])), work=True) for d in WORKED[year].split()),
            ),
        )
        for year in OFF
    ]


CALENDARS = [
    *years("vn", WEEK),
    *years("vn-saturday", {**WEEK, "sat": ("08:00-12:00",)}),
    CalendarYear(calendar="nl", year=2026, zone="Europe/Amsterdam", shifts={"mon-fri": ("09:00-17:00",)}),
]
UNITS = [Unit("A"), Unit("SAT", reception="vn-saturday"), Unit("NL", calendar="nl", reception="nl")]


def at(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else datetime.fromisoformat(f"{text}+07:00")).astimezone(UTC)


def rows(
    limit: str | None, *told: tuple[object, ...], now: str | None = None, receipt: str = "next_open", unit: str = "A"
) -> list[Row]:
    """The rows of a dossier told as (status or kind, time[, due])."""
    events = []
    for number, (what, when, *due) in enumerate(told):
        event: dict[str, object] = {"event_id": f"e{number}", "dossier_code": "H26-260302-0001", "at": at(str(when))}
        if isinstance(what, int):
            event |= {"status": what, "procedure_code": "1.004441", "processing_unit": unit}
        else:
            event |= {"kind": what}
        if due:
            event["due"] = at(str(due[0]))
        events.append(Event(**event))  # type: ignore[arg-type]
    rules: tuple[LimitRule, ...] = ()
    if limit is not None:
        value, _, name = limit.rpartition(" ")
        rules = (LimitRule(Match(), Limit(name, float(value) if value else None)),)  # type: ignore[arg-type]
    office = Office(calendar="vn", reception="vn", receipt=receipt, codes=Codes())  # type: ignore[arg-type]
    instant = at(now) if now else max(event.at for event in events)
    return judge(events, Shelf(office, UNITS, CALENDARS, [LimitsFile(1, date(2020, 1, 1), rules)]), instant)


def one(limit: str | None, *told: tuple[object, ...], now: str | None = None) -> Row:
    (row,) = rows(limit, *told, now=now)
    return row


def when(row: Row, field: str = "due_current") -> str:
    """A time of a row, as the examples write it."""
    return str(row[field])[:16].replace("T", " ")


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        ("2026-03-02T09:00", "5 working_day", "2026-03-09 17:00"),  # E01
        ("2026-02-13T10:00", "3 working_day", "2026-02-25 17:00"),  # E02
        ("2026-04-24T09:00", "5 working_day", "2026-05-06 17:00"),  # E03
        ("2026-08-20T09:00", "3 working_day", "2026-08-24 17:00"),  # E04
        ("2025-12-31T09:00", "3 working_day", "2026-01-07 17:00"),  # E05
        ("2026-01-08T09:00", "2 working_day", "2026-01-10 17:00"),  # E06
        ("2026-01-30T09:00", "15 day", "2026-02-23 17:00"),  # E07
        ("2026-01-30T09:00", "1 month", "2026-03-02 17:00"),  # E08
        ("2026-03-02T15:00:00", "same_day", "2026-03-02 17:00"),  # E09
        ("2026-03-02T15:00:01", "same_day", "2026-03-03 17:00"),  # E10
        ("2026-03-02T18:20", "3 working_day", "2026-03-06 17:00"),  # E11
        ("2026-03-02T17:00:00", "1 working_day", "2026-03-03 17:00"),  # E12
        ("2026-03-02T17:00:01", "1 working_day", "2026-03-04 17:00"),  # E12
        ("2026-03-02T17:30:00+00:00", "3 working_day", "2026-03-06 17:00"),  # E13
        ("2026-03-02T10:30", "4 hour", "2026-03-02 15:30"),  # E18
        ("2026-03-02T12:30", "4 hour", "2026-03-02 17:00"),  # E19
    ],
)
def test_a_due_date_follows_from_the_start_and_the_limit(received: str, limit: str, due: str) -> None:
    row = one(limit, (2, received))
    assert when(row) == when(row, "due_original") == due


def test_e11_the_receipt_policy_civil_counts_the_day_itself() -> None:
    (row,) = rows("3 working_day", (2, "2026-03-02T18:20"), receipt="civil")
    assert when(row) == "2026-03-05 17:00"


E14 = [(2, "2026-03-02T09:00"), (5, "2026-03-06T16:00"), (4, "2026-03-09T09:00")]


def test_e14_a_pause_moves_the_due_date_by_what_remained() -> None:
    assert one("5 working_day", *E14[:2])["remaining_seconds"] == 540 * 60
    assert when(one("5 working_day", *E14)) == "2026-03-10 10:00"


def test_e15_the_two_scores_stand_side_by_side() -> None:
    row = one("5 working_day", *E14, (9, "2026-03-11T16:00"))
    assert (row["verdict"], row["verdict_766"]) == ("overdue", "on_time")


@pytest.mark.parametrize(
    ("limit", "told", "remained", "due"),
    [
        (
            "5 working_day",
            [(2, "2026-02-09T09:00"), (5, "2026-02-12T10:00"), (4, "2026-02-23T14:00")],
            1320,
            "2026-02-26 11:00",
        ),  # E16
        (
            "3 working_day",
            [(2, "2026-03-02T08:00"), (6, "2026-03-04T11:00"), (4, "2026-03-12T08:30")],
            780,
            "2026-03-13 14:30",
        ),  # E17
    ],
)
def test_a_pause_leaves_what_remained(limit: str, told: list[tuple[object, ...]], remained: int, due: str) -> None:
    paused = one(limit, *told[:2])
    assert (paused["clock"], paused["due_current"], paused["remaining_seconds"]) == ("paused", None, remained * 60)
    assert when(one(limit, *told)) == due


START = (2, "2026-03-02T09:00", "2026-03-09T17:00")


def test_e20_overdue_at_midnight_and_not_after_the_late_event_arrived() -> None:
    assert one(None, START, now="2026-03-09T23:59:59.999999")["verdict"] == "in_time"
    assert when(one(None, START, now="2026-03-09T17:00"), "look_again_at") == "2026-03-10 00:00"
    assert one(None, START, now="2026-03-10T00:00")["verdict"] == "overdue"
    assert one(None, START, (9, "2026-03-09T16:30"), now="2026-03-10T08:05")["verdict"] == "on_time"


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        ("2026-03-06T16:00", "early"),
        ("2026-03-09T16:00", "on_time"),
        ("2026-03-09T18:45", "on_time"),
        ("2026-03-10T08:00", "overdue"),
    ],
)
def test_e21_dates_decide(end: str, verdict: str) -> None:
    assert one(None, START, (9, end))["verdict"] == verdict


def test_e22_nine_has_priority_over_ten() -> None:
    row = one(None, START, (9, "2026-03-09T16:00"), (10, "2026-03-12T10:00"))
    assert (row["verdict"], row["status"], when(row, "ended_at")) == ("on_time", 10, "2026-03-09 16:00")


def test_e23_an_extension_does_not_hide_lateness() -> None:
    row = one(
        "10 working_day",
        (2, "2026-03-02T09:00"),
        ("extension", "2026-03-10T09:00", "2026-03-23T00:00"),
        (9, "2026-03-20T11:00"),
    )
    assert (row["verdict"], when(row), when(row, "due_original")) == ("early", "2026-03-23 17:00", "2026-03-16 17:00")
    assert (row["verdict_unextended"], row["late_unextended_seconds"]) == ("overdue", 1620 * 60)


def test_e24_a_reopened_dossier_is_held_to_the_due_date_it_had() -> None:
    first, second = rows(
        None,
        (2, "2026-03-02T09:00", "2026-03-06T17:00"),
        (9, "2026-03-05T15:00"),
        (4, "2026-03-09T09:00"),
        (9, "2026-03-10T11:00"),
    )
    assert (first["verdict"], second["verdict"]) == ("early", "overdue")
    assert (second["late_working_seconds"], second["working_seconds"]) == (36000, 36000)


@pytest.mark.parametrize(("unit", "due"), [("SAT", "2026-03-11 17:00"), ("A", "2026-03-12 17:00")])
def test_e25_the_reception_calendar_decides_the_receipt_date(unit: str, due: str) -> None:
    (row,) = rows("3 working_day", (2, "2026-03-07T09:00"), unit=unit)
    assert when(row) == due


def test_e26_near_due_fires_before_tet() -> None:
    start = (2, "2026-02-02T09:00")
    assert when(one("10 working_day", start), "look_again_at") != "2026-02-22 17:00"
    assert one("10 working_day", start, now="2026-02-12T16:59:59")["level"] == "none"
    assert when(one("10 working_day", start, now="2026-02-12T16:59:59"), "look_again_at") == "2026-02-12 17:00"
    assert one("10 working_day", start, now="2026-02-12T17:00")["level"] == "near_due"


def test_e27_before_the_start_there_is_no_pause_and_a_refusal_is_no_start() -> None:
    row = one("5 working_day", (1, "2026-03-02T08:00"), (5, "2026-03-02T08:30"), (2, "2026-03-02T09:00"))
    assert (row["clock"], when(row, "received_at"), row["paused_seconds"]) == ("running", "2026-03-02 09:00", 0)
    row = one("5 working_day", (1, "2026-03-02T08:00"), (3, "2026-03-02T09:00"))
    assert (row["clock"], row["verdict"], row["received_at"]) == ("never", "refused", None)


def test_e28_working_time_of_a_weekend() -> None:
    hours = Shelf(Office("vn", "vn", codes=Codes()), UNITS, CALENDARS, []).at(at("2026-03-06T16:00")).hours("A")
    assert hours.between(at("2026-03-06T16:00"), at("2026-03-09T09:30")) == timedelta(minutes=150)


def test_e29_summer_time_begins_during_the_limit() -> None:
    (row,) = rows("1 hour", (2, "2026-03-27T16:30+01:00"), unit="NL")
    assert row["due_current"] == "2026-03-30T09:30:00+02:00"


def test_e30_a_pause_at_the_due_instant() -> None:
    for limit in ("8 hour", "1 working_day"):
        told = [(2, "2026-03-02T08:00"), (5, "2026-03-02T17:00" if limit == "8 hour" else "2026-03-03T17:00")]
        paused = one(limit, *told, now="2026-03-20T10:00")
        assert (paused["verdict"], paused["remaining_seconds"]) == ("in_time", 0)
        resumed = one(limit, *told, (4, "2026-03-20T10:00"))
        assert (resumed["verdict"], when(resumed)) == ("in_time", "2026-03-20 10:00")


def test_the_oracle_shares_no_code_with_streams() -> None:
    for module in Path(__file__).parent.glob("*.py"):
        lines = module.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if line.startswith(("from streams", "import streams"))], module.name
