"""Answers whole: every field of a cycle that never started, runs, waits, or ended; and the seconds at the edges."""

from datetime import date

from schemas.assessment import Assessment, Cycle, Flag, Level, Reached, Segment, Span, Used, Version
from schemas.calendar import CalendarYear
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Office, Unit
from streams.rules import Rules, compile_rules
from streams.verdict import assess
from tests.hanoi import ZONE, at, calendar_year, event, history, rules

#: Received Monday 2 March 2026, 09:00: due Monday 9 March, 17:00. To there 7 + 4·8 + 8 = 47 open hours, so it is near
#: due when a fifth, 9.4 h, remain: on Friday 6 March at 15:36.
LIMIT = Limit("working_day", 5)
START = event(2, "2026-03-02T09:00", case="hard", channel="online", receiving_unit="R", stage="intake")
DUE, NEAR = at("2026-03-09T17:00"), at("2026-03-06T15:36")
UNIT, HOUR = "H26.12", 3600


def answer(now: str, *events: Event, known: Rules | None = None) -> Assessment:
    return assess(history(*events), known or rules(limit=LIMIT), now=at(now))


def one(now: str, *events: Event, known: Rules | None = None) -> Cycle:
    (cycle,) = answer(now, *events, known=known).cycles
    return cycle


def never(status: int, clock: str, verdict: str, **told: object) -> Cycle:
    """A cycle without a start: verdict and indicator say so, and nothing is counted."""
    values = {"procedure": "1.004441", "unit": UNIT, **told}
    return Cycle(1, status, clock, verdict, "not_counted", verdict, Level.NONE, **values)  # type: ignore[arg-type]


def test_a_dossier_that_only_registered_has_not_started() -> None:
    first = event(1, "2026-03-02T09:00", processing_unit="A")
    assert one("2026-03-03T09:00", first) == never(1, "not_started", "not_started", unit="A")
    again = event(1, "2026-03-02T10:00", procedure_code="1.004442", processing_unit="B")
    letter = event(None, "2026-03-02T11:00", kind="letter", letter="apology")
    expected = never(1, "not_started", "not_started", procedure="1.004442", unit="B", flags=(Flag.ILLEGAL_TRANSITION,))
    assert one("2026-03-03T09:00", first, again, letter) == expected, "as its last status says; 1 after 1 is unknown"


def test_a_dossier_that_was_refused_or_withdrawn_before_its_start_never_had_a_clock() -> None:
    registered = event(1, "2026-03-02T09:00")
    after = event(5, "2026-03-04T09:00", procedure_code="1.004442", processing_unit="B")
    refused = event(3, "2026-03-03T09:00", processing_unit="A")
    assert one("2026-03-03T10:00", registered, refused) == never(3, "never", "refused", unit="A")
    illegal = (Flag.ILLEGAL_TRANSITION,)
    expected = never(5, "never", "refused", unit="A", flags=illegal)
    assert one("2026-03-05T09:00", registered, refused, after) == expected, "what follows is evidence and no more"
    withdrawn = event(7, "2026-03-03T09:00", processing_unit="A")
    assert one("2026-03-03T10:00", registered, withdrawn) == never(7, "never", "withdrawn", unit="A")


def test_a_running_cycle_whole() -> None:
    expected = Cycle(
        cycle=1,
        status=2,
        clock="running",
        verdict="in_time",
        verdict_766="on_time",
        verdict_unextended="in_time",
        level=Level.NONE,
        procedure="1.004441",
        case="hard",
        channel="online",
        receiving_unit="R",
        unit=UNIT,
        stage="intake",
        limit="5 working_day",
        policy_version=1,
        rules_from=at("2020-01-01T00:00"),
        received_at=START.at,
        due_original=DUE,
        due_current=DUE,
        due_unextended=DUE,
        look_again_at=NEAR,
        segments=(Segment(START.at, None, False, UNIT, "intake", None),),
        spans=(Span(START.at, None, "in_time", UNIT),),
    )
    # One event; limits of version 1 and three calendars of version 1; nothing has changed since the start.
    found = answer("2026-03-04T09:00", START)
    assert found == Assessment(START.dossier_code, Version(1, 4, START.at), (expected,), NEAR)


def test_a_cycle_that_ended_late_after_an_extension_and_a_hand_over_whole() -> None:
    extended = event(None, "2026-03-05T09:00", kind="extension", due="2026-03-12T17:00")
    moved = event(4, "2026-03-10T09:00", processing_unit="B", stage="work")
    end = event(9, "2026-03-13T10:00", processing_unit="B")
    due, friday = at("2026-03-12T17:00"), at("2026-03-13T00:00")
    # 9.4 open hours before Thursday 12 March, 17:00: its eight, and 1.4 of Wednesday.
    near, today = at("2026-03-11T15:36"), at("2026-03-12T00:00")
    expected = Cycle(
        cycle=1,
        status=9,
        clock="stopped",
        verdict="overdue",
        verdict_766="overdue",
        verdict_unextended="overdue",
        level=Level.NONE,
        procedure="1.004441",
        case="hard",
        channel="online",
        receiving_unit="R",
        unit="B",
        stage="work",
        limit="5 working_day",
        policy_version=1,
        rules_from=at("2020-01-01T00:00"),
        received_at=START.at,
        ended_at=end.at,
        due_original=DUE,
        due_current=due,
        due_unextended=DUE,
        # 7 + 8·8 + 2 open hours of eleven days and an hour. Late from Thursday's end: 2; from Monday's: 3·8 + 2.
        used=Used(73 * HOUR, 0, (265 - 73) * HOUR, 2 * HOUR, 26 * HOUR),
        breached_in="B",
        flags=(Flag.LETTER_DUE,),
        segments=(
            Segment(START.at, moved.at, False, UNIT, "intake", 48 * HOUR),
            Segment(moved.at, end.at, False, "B", "work", 25 * HOUR),
        ),
        spans=(
            Span(START.at, moved.at, "in_time", UNIT),
            Span(moved.at, near, "in_time", "B"),
            Span(near, today, "near_due", "B"),
            Span(today, friday, "due_today", "B"),
            Span(friday, end.at, "overdue", "B"),
        ),
        levels=(
            Reached(Level.NEAR_DUE, near, today, due),
            Reached(Level.DUE_TODAY, today, friday, due),
            Reached(Level.OVERDUE, friday, end.at, due),
        ),
    )
    found = answer("2026-03-20T09:00", START, extended, moved, end)
    assert found == Assessment(START.dossier_code, Version(4, 4, end.at), (expected,), None)


def test_a_paused_cycle_whole() -> None:
    pause = event(5, "2026-03-06T16:00")
    long_pause = at("2026-04-05T16:00:01")
    expected = Cycle(
        cycle=1,
        status=5,
        clock="paused",
        verdict="in_time",
        verdict_766="on_time",
        verdict_unextended="in_time",
        level=Level.NONE,
        procedure="1.004441",
        case="hard",
        channel="online",
        receiving_unit="R",
        unit=UNIT,
        stage="intake",
        limit="5 working_day",
        policy_version=1,
        rules_from=at("2020-01-01T00:00"),
        received_at=START.at,
        due_original=DUE,
        remaining_seconds=9 * HOUR,
        # 7 + 3·8 + 7 open hours of four days and seven hours.
        used=Used(38 * HOUR, 0, (103 - 38) * HOUR, 0, 0),
        look_again_at=long_pause,
        segments=(
            Segment(START.at, pause.at, False, UNIT, "intake", 38 * HOUR),
            Segment(pause.at, None, True, UNIT, "intake", None),
        ),
        spans=(
            Span(START.at, NEAR, "in_time", UNIT),
            Span(NEAR, pause.at, "near_due", UNIT),
            Span(pause.at, None, "paused", UNIT),
        ),
        levels=(Reached(Level.NEAR_DUE, NEAR, pause.at, DUE),),
    )
    found = answer("2026-03-10T09:00", START, pause)
    assert found == Assessment(START.dossier_code, Version(2, 4, pause.at), (expected,), long_pause)


def test_an_exact_limit_and_one_without_a_value_are_written_as_they_are() -> None:
    hours = one("2026-03-02T10:00", START, known=rules(limit=Limit("hour", 4.5)))
    assert (hours.limit, hours.exact, hours.due_current) == ("4.5 hour", True, at("2026-03-02T14:30"))
    same_day = one("2026-03-02T10:00", START, known=rules(limit=Limit("same_day")))
    assert (same_day.limit, same_day.exact, same_day.due_current) == ("same_day", False, at("2026-03-02T17:00"))
    none = one("2026-03-02T10:00", START, known=rules())
    assert (none.limit, none.exact, none.due_current) == (None, False, None)


def test_nothing_remains_of_no_due_date() -> None:
    pause = event(5, "2026-03-06T16:00")
    assert one("2026-03-10T09:00", START, pause, known=rules()).remaining_seconds is None
    assert one("2026-03-10T09:00", START, pause).remaining_seconds == 9 * HOUR
    late = event(5, "2026-03-10T08:00")
    assert one("2026-03-10T09:00", START, late).remaining_seconds == 0, "overdue when the pause began"


def test_before_the_first_limits_there_are_none() -> None:
    files = [LimitsFile(7, date(2026, 7, 1), (LimitRule(Match(), LIMIT),))]
    known = compile_rules(Office("vn", "vn"), [], [calendar_year(2026)], files)
    ended = one("2026-07-10T09:00", START, event(9, "2026-03-05T09:00"), known=known)
    assert (ended.verdict, ended.limit, ended.policy_version) == ("no_deadline", None, None)
    later = one("2026-07-10T09:00", event(2, "2026-07-02T09:00"), event(9, "2026-07-03T09:00"), known=known)
    assert (later.verdict, later.limit, later.policy_version) == ("early", "5 working_day", 7)


def test_an_end_at_the_midnight_that_begins_the_due_date_is_on_that_date() -> None:
    assert one("2026-03-20T09:00", START, event(9, "2026-03-08T23:59:59")).verdict == "early"
    assert one("2026-03-20T09:00", START, event(9, "2026-03-09T00:00")).verdict == "on_time"
    assert one("2026-03-20T09:00", START, event(9, "2026-03-09T23:59:59")).verdict == "on_time"
    assert one("2026-03-20T09:00", START, event(9, "2026-03-10T00:00")).verdict == "overdue"


def test_an_extension_into_a_year_that_is_not_decreed_is_estimated_and_so_is_an_appointment_there() -> None:
    start = event(2, "2026-12-14T09:00")
    extended = event(None, "2026-12-15T09:00", kind="extension", due="2027-01-05T17:00")
    assert one("2026-12-15T08:00", start).flags == ()
    assert one("2026-12-15T10:00", start, extended).flags == (Flag.ESTIMATED,)
    carried = event(2, "2026-12-28T09:00", due="2027-01-05T17:00", limit=Limit("none"))
    assert one("2026-12-28T10:00", carried).flags == (Flag.ESTIMATED,)


def test_a_dossier_is_stalled_by_the_hours_of_the_unit_that_holds_it() -> None:
    always = CalendarYear("always", 2026, ZONE, {"mon-sun": ("00:00-24:00",)})
    known = rules(limit=LIMIT, units=[Unit("B", calendar="always")], calendars=[always])
    moved = event(4, "2026-03-03T09:00", processing_unit="B")
    # Five working days are forty open hours: of an office that never closes, to Thursday, 01:00.
    assert one("2026-03-05T00:59:59", START, moved, known=known).flags == ()
    assert one("2026-03-05T01:00", START, moved, known=known).flags == (Flag.STALLED,)
    back = event(4, "2026-03-04T09:00")
    assert one("2026-03-11T08:59:59", START, moved, back, known=known).flags == (Flag.LETTER_DUE,)
    assert one("2026-03-11T09:00", START, moved, back, known=known).flags == (Flag.LETTER_DUE, Flag.STALLED)


def test_a_fee_runs_the_clock_of_the_procedures_that_the_office_names() -> None:
    fee = event(6, "2026-03-03T09:00")
    runs = rules(limit=LIMIT, office=Office("vn", "vn", clock_runs_on=("1.004441",)))
    assert one("2026-03-04T09:00", START, fee, known=runs).clock == "running"
    assert one("2026-03-04T09:00", START, fee).clock == "paused"


def test_a_halted_cycle_is_open_and_judged_by_the_newest_limits_a_stopped_one_by_those_of_its_end() -> None:
    files = [
        LimitsFile(version, begins, (LimitRule(Match(), Limit("working_day", days)),))
        for version, begins, days in ((1, date(2020, 1, 1), 5), (2, date(2026, 3, 5), 10))
    ]
    known = compile_rules(Office("vn", "vn"), [], [calendar_year(2026)], files)
    halted = one("2026-03-06T09:00", START, event(8, "2026-03-04T09:00"), known=known)
    # Ten working days end on Monday 16 March: 7 open hours that Wednesday, and eight days.
    assert (halted.policy_version, halted.remaining_seconds) == (2, (7 + 8 * 8) * HOUR)
    stopped = one("2026-03-06T09:00", START, event(9, "2026-03-04T09:00"), known=known)
    assert (stopped.policy_version, stopped.due_current) == (1, DUE)
    assert answer("2026-03-06T09:00", START, event(8, "2026-03-04T09:00"), known=known).version.as_of == (
        at("2026-03-05T00:00")
    )
