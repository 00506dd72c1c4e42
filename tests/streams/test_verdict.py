"""Verdicts, due dates and flags: the cases that peers get wrong, each with the answer of the office."""

from datetime import date, timedelta

from schemas.assessment import Cycle, Flag
from schemas.calendar import CalendarYear
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match, NearDue
from schemas.office import Office, Unit
from streams.ledger import measure
from streams.rules import Rules, compile_rules
from streams.verdict import assess
from tests.hanoi import at, calendar_year, event, history, rules

FIVE = rules(limit=Limit("working_day", 5))  # received Monday 2 March at 9: due Monday 9 March, 17:00
NO_LIMIT = rules()
START = event(2, "2026-03-02T09:00")
DUE = at("2026-03-09T17:00")


def _cycles(now: str, *events: Event, known: Rules = FIVE) -> tuple[Cycle, ...]:
    return assess(history(*events), known, now=at(now)).cycles


def _one(now: str, *events: Event, known: Rules = FIVE) -> Cycle:
    (cycle,) = _cycles(now, *events, known=known)
    return cycle


def _extension(when: str, due: str) -> Event:
    return event(None, when, kind="extension", due=due)


def test_a_pause_one_second_after_the_breach_moves_nothing() -> None:
    cycle = _one("2026-03-20T09:00", START, event(5, "2026-03-10T00:00:00"), event(4, "2026-03-16T09:00"))
    assert (cycle.due_current, cycle.verdict) == (DUE, "overdue")
    paused = _one("2026-03-12T09:00", START, event(5, "2026-03-10T00:00:00"))
    assert (paused.verdict, paused.due_current, paused.remaining_seconds) == ("overdue", DUE, 0)
    assert paused.level == "none"


def test_a_pause_wholly_off_hours_moves_nothing() -> None:
    cycle = _one("2026-03-05T09:00", START, event(5, "2026-03-03T18:00"), event(4, "2026-03-04T07:00"))
    assert cycle.due_current == DUE
    assert (cycle.used.paused_seconds, cycle.used.off_seconds) == (0, (46 - 15) * 3600)


def test_a_completion_inside_a_pause_ends_it_there() -> None:
    cycle = _one("2026-04-01T09:00", START, event(5, "2026-03-06T16:00"), event(9, "2026-03-20T10:00"))
    assert (cycle.verdict, cycle.ended_at) == ("early", at("2026-03-20T10:00"))
    assert cycle.due_current == at("2026-03-23T11:00")


def test_a_supplement_then_a_halt_are_one_pause() -> None:
    cycle = _one(
        "2026-03-30T09:00",
        START,
        event(5, "2026-03-06T16:00"),
        event(8, "2026-03-10T09:00"),
        event(4, "2026-03-16T09:00"),
    )
    assert cycle.due_current == at("2026-03-17T10:00")
    assert [segment.paused for segment in cycle.segments] == [False, True, False]


def test_a_halted_dossier_stands_still_at_the_halt() -> None:
    cycle = _one("2026-03-30T09:00", START, event(8, "2026-03-06T16:00"))
    assert (cycle.clock, cycle.ended_at, cycle.verdict) == ("stopped", at("2026-03-06T16:00"), "in_time")
    assert (cycle.due_current, cycle.remaining_seconds, cycle.look_again_at) == (
        None,
        540 * 60,
        at("2026-04-05T16:00:01"),
    )
    assert [span.bucket for span in cycle.spans] == ["in_time", "near_due", "halted"]


def test_a_start_that_nobody_saw_is_imputed_and_never_silently_green() -> None:
    cycle = _one("2026-03-30T09:00", event(4, "2026-03-02T09:00"))
    assert (cycle.verdict, cycle.due_current, cycle.flags) == (
        "no_deadline",
        None,
        (Flag.INCOMPLETE_HISTORY, Flag.STALLED),
    )
    with_due = _one("2026-03-30T09:00", event(9, "2026-03-05T09:00", due="2026-03-04T17:00"))
    assert (with_due.verdict, with_due.received_at) == ("overdue", with_due.ended_at)
    halted = _one("2026-03-30T09:00", event(8, "2026-03-05T09:00", due="2026-03-10T17:00"))
    assert (halted.clock, halted.verdict) == ("stopped", "in_time")


def test_the_appointment_replaces_the_computed_due_date() -> None:
    cycle = _one("2026-03-03T09:00", event(2, "2026-03-02T09:00", due="2026-03-12T17:00"))
    assert (cycle.due_original, cycle.flags) == (at("2026-03-12T17:00"), (Flag.DUE_DISAGREES,))
    later = _one("2026-03-04T09:00", START, event(4, "2026-03-03T09:00", due="2026-03-12T17:00"))
    assert (later.due_original, later.flags) == (at("2026-03-12T17:00"), (Flag.DUE_DISAGREES,))
    same = _one("2026-03-04T09:00", event(2, "2026-03-02T09:00", due="2026-03-09T00:00"))
    assert (same.due_original, same.flags) == (DUE, ())
    closed = _one("2026-03-04T09:00", event(2, "2026-03-02T09:00", due="2026-03-08T00:00"))
    assert closed.due_original == at("2026-03-08T23:59:59"), "a Sunday has no closing time"


def test_an_appointment_named_before_the_start_counts_unless_the_start_names_one() -> None:
    registered = event(1, "2026-03-01T09:00", due="2026-03-12T17:00", limit=Limit("working_day", 8))
    assert _one("2026-03-03T09:00", registered, START).due_original == at("2026-03-12T17:00")
    named = event(2, "2026-03-02T09:00", due="2026-03-13T17:00")
    assert _one("2026-03-03T09:00", registered, named).due_original == at("2026-03-13T17:00")
    limit = event(1, "2026-03-01T09:00", limit=Limit("working_day", 1))
    assert _one("2026-03-03T09:00", limit, START).due_original == at("2026-03-03T17:00")


def test_it_is_too_late_for_an_appointment_when_the_computed_one_is_missed() -> None:
    cycle = _one("2026-03-11T09:00", START, event(4, "2026-03-10T09:00", due="2026-03-20T17:00"))
    assert (cycle.due_current, cycle.verdict, Flag.LATE_EXTENSION in cycle.flags) == (DUE, "overdue", True)


def test_the_first_due_date_of_a_dossier_without_one_is_its_appointment_whenever_it_comes() -> None:
    opened = _one("2026-03-20T09:00", START, event(5, "2026-03-05T09:00", due="2026-03-06T17:00"), known=NO_LIMIT)
    assert opened.remaining_seconds == 15 * 3600
    inside = _one(
        "2026-03-20T09:00",
        START,
        event(5, "2026-03-05T09:00"),
        event(6, "2026-03-09T09:00", due="2026-03-06T17:00"),
        known=NO_LIMIT,
    )
    assert inside.remaining_seconds == 15 * 3600, "as if sent when the pause began"
    ending = _one(
        "2026-03-20T09:00",
        START,
        event(5, "2026-03-05T09:00"),
        event(4, "2026-03-09T09:00", due="2026-03-11T17:00"),
        known=NO_LIMIT,
    )
    assert ending.due_current == at("2026-03-11T17:00")
    ignored = _one("2026-03-20T09:00", START, _extension("2026-03-04T09:00", "2026-03-30T17:00"), known=NO_LIMIT)
    assert ignored.verdict == "no_deadline"


def test_an_extension_counts_once_and_in_time_and_forward() -> None:
    first = _extension("2026-03-05T09:00", "2026-03-12T17:00")
    moved = _one("2026-03-06T09:00", START, first)
    assert (moved.due_current, moved.due_original, moved.flags) == (at("2026-03-12T17:00"), DUE, ())
    twice = _one("2026-03-06T10:00", START, first, _extension("2026-03-06T09:00", "2026-03-20T17:00"))
    assert (twice.due_current, twice.flags) == (at("2026-03-12T17:00"), (Flag.EXTENSION_LIMIT_EXCEEDED,))
    again = _one("2026-03-06T10:00", START, first, _extension("2026-03-06T09:00", "2026-03-12T12:00"))
    assert again.flags == (), "the same date says nothing new"
    late = _one("2026-03-11T09:00", START, _extension("2026-03-10T09:00", "2026-03-20T17:00"))
    assert (late.due_current, Flag.LATE_EXTENSION in late.flags) == (DUE, True)
    back = _one("2026-03-06T10:00", START, _extension("2026-03-05T09:00", "2026-03-06T17:00"))
    assert (back.due_current, back.flags) == (DUE, ())
    after = _extension("2026-03-05T09:00", "2026-03-20T17:00")
    ended = _one("2026-03-12T10:00", START, event(9, "2026-03-04T09:00"), after)
    assert ended.due_current == DUE


def test_an_extension_during_a_pause_counts_as_sent_before_it() -> None:
    pause = event(5, "2026-03-06T16:00")
    extended = _extension("2026-03-10T09:00", "2026-03-12T17:00")
    assert _one("2026-03-11T09:00", START, pause, extended).remaining_seconds == (9 + 24) * 3600
    by_status = event(6, "2026-03-10T09:00", due="2026-03-12T17:00")
    appointed = event(2, "2026-03-02T09:00", due="2026-03-09T17:00")
    assert _one("2026-03-11T09:00", appointed, pause, by_status).remaining_seconds == (9 + 24) * 3600


def test_a_new_due_date_on_resuming_replaces_what_remained() -> None:
    events = [START, event(5, "2026-03-06T16:00"), event(4, "2026-03-11T09:00", due="2026-03-20T17:00")]
    cycle = _one("2026-03-11T10:00", *events)
    assert (cycle.due_current, cycle.due_unextended, cycle.flags) == (
        at("2026-03-20T17:00"),
        at("2026-03-12T10:00"),
        (),
    )
    overdue = [START, event(5, "2026-03-10T09:00"), event(4, "2026-03-11T09:00", due="2026-03-20T17:00")]
    late = _one("2026-03-11T10:00", *overdue)
    assert (late.due_current, Flag.LATE_EXTENSION in late.flags) == (DUE, True)
    stopped = [START, event(5, "2026-03-06T16:00"), event(9, "2026-03-11T09:00", due="2026-03-20T17:00")]
    assert _one("2026-03-11T10:00", *stopped).due_current == at("2026-03-12T10:00")


def test_a_reopened_cycle_is_held_to_the_old_due_date_unless_it_brings_a_new_one() -> None:
    end = event(9, "2026-03-05T09:00")
    _, carried = _cycles("2026-03-10T09:00", START, end, event(4, "2026-03-06T09:00"))
    assert (carried.due_original, carried.due_current, carried.verdict) == (DUE, DUE, "overdue")
    _, fresh = _cycles("2026-03-10T09:00", START, end, event(4, "2026-03-06T09:00", due="2026-03-12T17:00"))
    assert (fresh.due_original, fresh.due_unextended) == (at("2026-03-12T17:00"), at("2026-03-12T17:00"))
    _, known = _cycles("2026-03-10T09:00", START, end, event(4, "2026-03-06T09:00", due="2026-03-09T12:00"))
    assert known.due_original == DUE
    first, third = _cycles("2026-03-10T09:00", START, end, event(4, "2026-03-06T09:00"), known=NO_LIMIT)
    assert (first.verdict, third.verdict) == ("no_deadline", "no_deadline")


def test_a_withdrawal_is_neither_on_time_nor_late_but_its_lateness_stays_known() -> None:
    cycle = _one("2026-03-30T09:00", START, event(7, "2026-03-10T10:00"))
    assert (cycle.verdict, cycle.clock, cycle.breached_in) == ("withdrawn", "stopped", "H26.12")
    assert cycle.used.late_working_seconds == 2 * 3600
    early = _one("2026-03-30T09:00", event(1, "2026-03-01T09:00"), event(7, "2026-03-02T09:00"))
    assert (early.verdict, early.clock, early.received_at) == ("withdrawn", "never", None)


def test_an_exact_limit_is_missed_one_second_after_its_instant() -> None:
    hours = rules(limit=Limit("hour", 4))
    start = event(2, "2026-03-02T10:30")  # due 15:30
    assert _one("2026-03-02T15:30:00", start, known=hours).verdict == "in_time"
    assert _one("2026-03-02T15:30:00.999999", start, known=hours).verdict == "in_time"
    assert _one("2026-03-02T15:30:01", start, known=hours).verdict == "overdue"
    assert _one("2026-03-02T16:00", start, event(9, "2026-03-02T15:30:00.5"), known=hours).verdict == "on_time"
    assert _one("2026-03-02T14:30:00", start, known=hours).level == "near_due"
    named = event(2, "2026-03-02T10:30", due="2026-03-03T10:00")
    assert _one("2026-03-03T10:00:01", named, known=hours).verdict == "overdue", "exact with a source's due, too"


def test_the_breach_belongs_to_who_held_it_at_the_due_instant() -> None:
    moved = event(4, "2026-03-09T17:00", processing_unit="B")
    assert _one("2026-03-10T09:00", START, moved).breached_in == "H26.12", "handed over at that very instant"
    earlier = event(4, "2026-03-09T16:59:59", processing_unit="B")
    assert _one("2026-03-10T09:00", START, earlier).breached_in == "B"


def test_the_indicator_counts_two_supplement_requests_as_overdue() -> None:
    asked = [START, event(5, "2026-03-03T09:00"), event(5, "2026-03-03T10:00"), event(4, "2026-03-04T09:00")]
    assert _one("2026-03-05T09:00", *asked).verdict_766 == "on_time", "a run of requests is one"
    again = [*asked, event(5, "2026-03-05T09:00")]
    assert _one("2026-03-05T10:00", *again).verdict_766 == "overdue"
    assert _one("2026-03-06T10:00", *again, event(9, "2026-03-06T09:00")).verdict_766 == "on_time"
    waiting = _one("2026-03-30T09:00", *asked[:2])
    assert (waiting.verdict_766, waiting.look_again_at) == ("on_time", at("2026-04-02T09:00:01"))
    assert _one("2026-03-30T09:00", *asked[:2], known=NO_LIMIT).verdict_766 == "not_counted"


def test_neglect_is_flagged_at_its_instant() -> None:
    assert Flag.STALLED not in _one("2026-03-09T08:59:59", START).flags
    assert Flag.STALLED in _one("2026-03-09T09:00", START).flags
    pause = event(5, "2026-03-03T09:00")
    assert Flag.LONG_PAUSE not in _one("2026-04-02T09:00", START, pause).flags
    assert Flag.LONG_PAUSE in _one("2026-04-02T09:00:01", START, pause).flags
    overdue = _one("2026-03-10T09:00", START)
    assert Flag.LETTER_DUE in overdue.flags
    letter = event(None, "2026-03-10T08:30", kind="letter", letter="apology")
    assert Flag.LETTER_DUE not in _one("2026-03-10T09:00", START, letter).flags


def test_a_letter_before_the_start_is_a_letter() -> None:
    letter = event(None, "2026-03-02T08:00", kind="letter", letter="apology")
    assert Flag.LETTER_DUE not in _one("2026-03-10T09:00", letter, START).flags


def test_two_contents_under_one_id_are_flagged_on_every_cycle_unless_the_id_is_voided() -> None:
    events = [START, event(9, "2026-03-03T09:00"), event(4, "2026-03-04T09:00", event_id="e")]
    other = event(5, "2026-03-05T09:00", event_id="e")
    flagged = _cycles("2026-03-06T09:00", *events, other)
    assert [Flag.CONFLICTING_EVENT in cycle.flags for cycle in flagged] == [True, True]
    void = event(None, "2026-03-05T10:00", kind="void", voids="e")
    (cleared,) = _cycles("2026-03-06T09:00", *events, other, void)
    assert cleared.flags == ()
    letters = [event(None, f"2026-03-01T0{hour}:00", kind="letter", letter="apology", event_id="l") for hour in (8, 9)]
    assert _one("2026-03-01T10:00", event(1, "2026-03-01T09:30"), *letters).flags == (Flag.CONFLICTING_EVENT,)


def test_limits_that_come_into_force_are_looked_at_when_they_change_something() -> None:
    files = [LimitsFile(1, date(2020, 1, 1), _all(10)), LimitsFile(2, date(2026, 3, 6), _all(2))]
    known = compile_rules(Office("vn", "vn"), [], [calendar_year(2026)], files)
    cycle = _one("2026-03-04T09:00", START, known=known)
    assert (cycle.verdict, cycle.look_again_at) == ("in_time", at("2026-03-06T00:00"))
    assert _one("2026-03-06T00:00", START, known=known).verdict == "overdue"
    late = _one("2026-03-05T09:00", event(2, "2026-03-05T08:00"), known=known)
    assert late.look_again_at == at("2026-03-09T00:00"), "no change then, but its next one is another"
    near = _one("2026-03-04T09:00", event(2, "2026-02-19T08:00", due="2026-03-05T17:00"), known=known)
    assert near.look_again_at == at("2026-03-04T09:36"), "which comes first"
    same = [LimitsFile(1, date(2020, 1, 1), _all(3)), LimitsFile(2, date(2026, 3, 6), _all(5))]
    longer = compile_rules(Office("vn", "vn"), [], [calendar_year(2026)], same)
    eve = _one("2026-03-05T17:00", START, known=longer)
    assert eve.level == "due_today", "and overdue at midnight, were it not for the new limits"
    assert eve.look_again_at == at("2026-03-06T00:00"), "when it is due no more"
    kept = compile_rules(
        Office("vn", "vn"), [], [calendar_year(2026)], [same[0], LimitsFile(2, date(2026, 3, 6), _all(4))]
    )
    assert _one("2026-03-05T17:00", START, known=kept).look_again_at == at("2026-03-07T00:00")
    closed = _one("2026-03-04T09:00", START, event(9, "2026-03-03T09:00"), known=known)
    assert closed.look_again_at is None


def test_a_due_date_named_inside_a_pause_counts_by_the_calendar_of_who_held_it_when_the_pause_began() -> None:
    always = CalendarYear("always", 2026, "Asia/Ho_Chi_Minh", {"mon-sun": ("00:00-24:00",)})
    known = rules(units=[Unit("B", calendar="always")], calendars=[always])
    pause = event(5, "2026-03-06T16:00")
    named = event(6, "2026-03-09T09:00", processing_unit="B", due="2026-03-09T17:00")
    assert _one("2026-03-10T09:00", START, pause, named, known=known).remaining_seconds == 9 * 3600
    appointed = event(2, "2026-03-02T09:00", due="2026-03-06T17:00")
    moved = event(5, "2026-03-08T09:00", processing_unit="B")
    extension = _extension("2026-03-09T09:00", "2026-03-09T17:00")
    assert _one("2026-03-10T09:00", appointed, pause, moved, extension, known=known).remaining_seconds == 9 * 3600


def test_a_due_time_at_midnight_belongs_to_the_day_that_ends_then() -> None:
    always = CalendarYear("always", 2026, "Asia/Ho_Chi_Minh", {"mon-sun": ("00:00-24:00",)})
    known = rules(units=[Unit("H26.12", calendar="always")], calendars=[always])
    named = event(2, "2026-03-02T09:00", due="2026-03-05T00:00")
    assert _one("2026-03-05T23:59", named, known=known).verdict == "in_time"
    assert _one("2026-03-06T00:00", named, known=known).verdict == "overdue"
    day = [named, event(5, "2026-03-03T09:00"), event(4, "2026-03-04T09:00")]
    assert _one("2026-03-06T23:59", *day, known=known).verdict == "in_time"
    assert _one("2026-03-07T00:00", *day, known=known).verdict == "overdue", "no day is won by a pause"


def test_dates_are_compared_in_the_zone_of_the_calendar_that_set_the_due_date() -> None:
    dutch = CalendarYear("nl", 2026, "Europe/Amsterdam", {"mon-fri": ("09:00-17:00",)})
    known = rules(units=[Unit("NL", calendar="nl")], calendars=[dutch])
    start = event(2, "2026-03-02T15:00", processing_unit="NL", due="2026-03-06T17:00+01:00")
    moved = event(4, "2026-03-03T09:00")
    done = event(9, "2026-03-06T00:30")  # still the 5th in Amsterdam
    assert _one("2026-03-10T09:00", start, moved, done, known=known).verdict == "early"
    assert _one("2026-03-06T05:59:59", start, moved, known=known).level == "near_due"
    assert _one("2026-03-06T06:00", start, moved, known=known).level == "due_today"


def test_a_due_date_in_the_past_counts_the_lateness_there_was() -> None:
    late = _one("2026-02-27T23:59", event(4, "2026-02-24T00:00"), event(4, "2026-02-27T08:00", due="2026-02-24T00:01"))
    assert measure(late, FIVE, now=at("2026-02-27T23:59")).late == timedelta(hours=32)
    assert late.level == "seriously_overdue"
    at_once = _one("2026-03-02T10:00", event(9, "2026-03-02T09:00", due="2026-02-20T09:00"))
    assert (at_once.verdict, at_once.breached_in) == ("overdue", "H26.12")


def test_a_limit_that_the_event_brings_is_near_due_by_default_and_a_same_day_rule_may_have_its_own() -> None:
    own = rules(LimitRule(Match(), Limit("working_day", 5), NearDue(working_hours=1)))
    brought = event(2, "2026-03-02T09:00", limit=Limit("working_day", 5))
    assert _one("2026-03-06T15:36", brought, known=own).level == "near_due"
    same_day = rules(LimitRule(Match(), Limit("same_day"), NearDue(working_hours=2)))
    assert _one("2026-03-02T15:00", START, known=same_day).level == "near_due"
    assert _one("2026-03-02T16:00", START, known=same_day).level == "due_today"


def _all(days: int) -> tuple[LimitRule, ...]:
    return (LimitRule(Match(), Limit("working_day", days)),)


def test_an_answer_beyond_the_confirmed_years_says_so() -> None:
    assert Flag.ESTIMATED in _one("2026-12-30T10:00", event(2, "2026-12-30T09:00")).flags
    assert Flag.ESTIMATED not in _one("2026-12-20T10:00", event(2, "2026-12-16T09:00")).flags


def test_near_due_may_be_the_rules_own_and_same_day_has_none() -> None:
    own = rules(LimitRule(Match(), Limit("working_day", 5), NearDue(working_hours=1.5)))
    assert _one("2026-03-06T17:00", START, known=own).level == "none"
    assert _one("2026-03-09T15:30", START, known=own).level == "due_today"
    same_day = rules(limit=Limit("same_day"))
    assert _one("2026-03-02T15:59:59", START, known=same_day).level == "none"
    assert _one("2026-03-02T16:00", START, known=same_day).level == "due_today"


def test_seriously_overdue_is_three_working_days_of_lateness_pauses_left_out() -> None:
    assert _one("2026-03-12T16:59:59", START).level == "overdue"
    assert _one("2026-03-12T17:00", START).level == "seriously_overdue"
    pause = [event(5, "2026-03-11T12:00"), event(4, "2026-03-16T08:00")]
    assert _one("2026-03-17T11:59:59", START, *pause).level == "overdue"
    assert _one("2026-03-17T12:00", START, *pause).level == "seriously_overdue"
    passed = [event(5, "2026-03-13T09:00"), event(4, "2026-03-13T18:00")]
    assert _one("2026-03-13T18:00", START, *passed).level == "seriously_overdue", "at once, also off hours"


def test_events_dated_after_now_are_left_out_and_announce_themselves() -> None:
    answer = assess(history(START, event(9, "2026-03-04T09:00")), FIVE, now=at("2026-03-03T09:00"))
    assert (answer.cycles[0].clock, answer.look_again_at) == ("running", at("2026-03-04T09:00"))
    nothing = assess(history(START), FIVE, now=at("2026-03-01T09:00"))
    assert (nothing.cycles, nothing.look_again_at) == ((), START.at)
