"""However events arrive, late, twice, under new names, by a wrong clock, the answer is that of the calm day.

Stories of SPEC §9 ("Must survive") about the order and the time of arrival; each name begins with its phrase there.
"""

from dataclasses import replace
from itertools import permutations

import pytest

from schemas.event import Event
from streams.verdict import assess
from tests.faults.bench import Bench, LiveClock, Tomorrow
from tests.hanoi import at, event, history
from tests.stories.standing import DUE, FIVE, HOUR, START, UNIT, Desk, judged, letters, standings, stands, told, told_by

PAUSE = event(5, "2026-03-06T16:00")
RESUME = event(4, "2026-03-09T09:00")
DONE = event(9, "2026-03-11T16:00")
STORY = (START, PAUSE, RESUME, DONE)

#: 9 h remained at the pause (1 of Friday, 8 of Monday): 7 of Monday 9, 2 of Tuesday 10. Late: 6 h of that Tuesday, 7
#: of Wednesday to 16:00. The indicator takes the 65 h of the supplement off the end: 8 March.
ANSWER = stands(
    "stopped",
    "overdue",
    due_current="2026-03-10T10:00",
    late_working_seconds=13 * HOUR,
    ended_at="2026-03-11T16:00",
    breached_in=UNIT,
    flags=["letter_due"],
)


@pytest.mark.parametrize(
    "order", [pytest.param(order, id="-".join(map(str, order))) for order in permutations(range(4))]
)
def test_out_of_order_events_are_judged_as_if_they_had_come_in_order(order: tuple[int, ...]) -> None:
    """§2: any order of arrival gives the same answer, and whatever was told on the way there is over at its end."""
    desk = Desk()
    for number, place in enumerate(order):
        desk.arrive(f"2026-03-12T08:{number:02}", STORY[place])
    assert standings("2026-03-12T09:00", *(STORY[place] for place in order)) == [ANSWER]
    assert desk.open() == []


def test_out_of_order_events_of_one_instant_follow_the_counter_of_their_source() -> None:
    """§2: at the same instant ``sequence``, if all come from one source and have one; else 4 before 5."""
    pause, resume = event(5, "2026-03-06T16:00", source="s"), event(4, "2026-03-06T16:00", source="s")
    left = {"remaining_seconds": 9 * HOUR}
    assert standings("2026-03-06T16:00", START, pause, resume) == [
        stands("paused", "in_time", due_current=None, **left)
    ]
    counted = replace(pause, sequence=7), replace(resume, sequence=8)
    for first, second in (counted, counted[::-1]):
        assert standings("2026-03-06T16:00", START, first, second) == [
            stands("running", "in_time", level="near_due", **left)
        ]


async def test_duplicated_events_change_nothing_and_tell_nothing_twice() -> None:
    """§2: any repeats give the same answer. §7: an alert fires once."""
    once, thrice = history(*STORY), history(*STORY * 3, *STORY[::-1])
    now = at("2026-03-12T09:00")
    assert thrice == once
    assert assess(thrice, FIVE, now=now) == assess(once, FIVE, now=now)
    assert standings("2026-03-12T09:00", *STORY * 3) == [ANSWER]
    bench = Bench(FIVE, LiveClock(at("2026-03-10T08:00")))
    await bench.publish([START] * 3)
    await bench.play(())
    await bench.publish([START] * 3)
    await bench.finish()
    assert told_by(bench) == [told("raise", "overdue", "overdue", since="2026-03-10T00:00", late=True)]


def _again(*events: Event) -> tuple[Event, ...]:
    return tuple(replace(one, event_id=f"{one.event_id}-again") for one in events)


def test_re_sent_with_a_new_id_is_flagged_as_no_expected_step_and_changes_nothing_else() -> None:
    """§2: 2→2, 5→5 and 9→9 are no expected pairs; that is flagged, and nothing else."""
    assert standings("2026-03-12T09:00", *STORY, *_again(*STORY)) == [
        ANSWER | {"flags": ["illegal_transition", "letter_due"]}
    ]
    one_supplement = standings("2026-03-07T09:00", START, PAUSE, *_again(PAUSE))
    assert one_supplement == [
        stands("paused", "in_time", due_current=None, remaining_seconds=9 * HOUR, flags=["illegal_transition"])
    ], "a run of 5s is one (§5.9): two would be overdue by the indicator"


def test_re_sent_with_a_new_id_an_extension_says_nothing_new() -> None:
    """§5.5: a date that has been in force before says nothing new, so it is no second extension."""
    extension = event(None, "2026-03-05T09:00", kind="extension", due="2026-03-12T17:00")
    assert standings("2026-03-06T09:00", START, extension, *_again(extension)) == [
        stands(
            "running",
            "in_time",
            due_current="2026-03-12T17:00",
            remaining_seconds=39 * HOUR,  # 7 of Friday, Monday to Thursday
        )
    ]


def test_re_sent_with_a_new_id_tells_no_alert_again() -> None:
    desk = Desk()
    assert desk.arrive("2026-03-10T00:00", START) == [told("raise", "overdue", "overdue", since="2026-03-10T00:00")]
    assert desk.arrive("2026-03-10T08:00", *_again(START)) == []


def test_late_after_the_alert_retracts_it_when_it_should_never_have_been() -> None:
    """§7: a late event that changes the answer retracts the alert, with the reason."""
    desk = Desk()
    assert desk.arrive("2026-03-02T09:00", START) == []
    assert desk.wait("2026-03-10T08:00") == [
        told("raise", "near_due", "near_due", since="2026-03-06T15:36"),
        told("replace", "near_due", "due_today", since="2026-03-06T15:36"),
        told("raise", "due_today", "due_today", since="2026-03-09T00:00"),
        told("replace", "due_today", "overdue", since="2026-03-09T00:00"),
        told("raise", "overdue", "overdue", since="2026-03-10T00:00"),
    ]
    done = event(9, "2026-03-09T16:30")
    assert desk.arrive("2026-03-10T08:05", done) == [told("retract", "overdue", "late_event", since="2026-03-10T00:00")]
    assert standings("2026-03-10T08:05", START, done) == [stands("stopped", "on_time", ended_at="2026-03-09T16:30")]
    assert (desk.open(), desk.wait("2027-01-01T00:00")) == ([], [])
    # Somebody cancels that completion: the alert was right after all, in the same thread.
    void = event(None, "2026-03-10T09:00", kind="void", voids=done.event_id)
    assert desk.arrive("2026-03-10T09:00", void) == [
        told("raise", "overdue", "true_again", since="2026-03-10T00:00", late=True)
    ]


def test_late_after_the_alert_retracts_it_when_the_office_had_been_waiting_all_the_time() -> None:
    desk = Desk()
    desk.arrive("2026-03-10T00:00", START)
    assert desk.arrive("2026-03-10T08:05", PAUSE) == [
        told("retract", "overdue", "late_event", since="2026-03-10T00:00")
    ]
    assert standings("2026-03-10T08:05", START, PAUSE) == [
        stands("paused", "in_time", due_current=None, remaining_seconds=9 * HOUR)
    ]


def test_late_after_the_alert_resolves_it_when_it_was_right() -> None:
    """§7: an alert of a dossier that was completed is resolved, which is not a retraction: it was right."""
    desk = Desk()
    desk.arrive("2026-03-10T00:00", START)
    done = event(9, "2026-03-10T08:04")
    assert desk.arrive("2026-03-10T08:05", done) == [told("resolve", "overdue", "completed", since="2026-03-10T00:00")]
    assert standings("2026-03-10T08:05", START, done) == [
        stands(
            "stopped",
            "overdue",
            late_working_seconds=4 * 60,
            ended_at="2026-03-10T08:04",
            breached_in=UNIT,
            verdict_766="overdue",
            flags=["letter_due"],
        )
    ]


async def test_clock_skew_of_a_source_up_to_the_tolerance_waits_for_its_time() -> None:
    """§3: five minutes are tolerated; judging as of an instant leaves out the events dated after it."""
    bench = Bench(FIVE, LiveClock(at("2026-03-02T10:00")))
    ahead = event(9, "2026-03-02T10:05")
    await bench.publish([START, ahead])
    await bench.play(())
    # Of Monday 6 h are left, then 32, and 8 of Monday 9.
    assert judged(bench) == [stands("running", "in_time", remaining_seconds=46 * HOUR)]
    await bench.step(Tomorrow(at("2026-03-02T10:04:59")))
    await bench.finish()
    assert judged(bench) == [stands("running", "in_time", remaining_seconds=46 * HOUR - 299)]
    await bench.step(Tomorrow(ahead.at))
    await bench.finish()
    assert judged(bench) == [stands("stopped", "early", ended_at="2026-03-02T10:05")]
    assert letters(bench) == []


async def test_clock_skew_of_a_source_beyond_the_tolerance_is_buried_and_the_rest_goes_on() -> None:
    bench = Bench(FIVE, LiveClock(at("2026-03-02T10:00")))
    await bench.publish([event(9, "2026-03-02T10:05:01"), START])
    await bench.play(())
    assert letters(bench) == [(0, "future_time")]
    assert judged(bench) == [stands("running", "in_time", remaining_seconds=46 * HOUR)]


def test_clock_skew_of_a_source_that_runs_behind_is_flagged_and_never_silently_green() -> None:
    """§2: a 4 that seems to come before the 2 is an imputed start, from which no due date is computed."""
    behind = event(4, "2026-03-02T08:55", source="slow")
    flags = ["illegal_transition", "incomplete_history"]
    assert standings("2026-03-03T09:00", START, behind) == [
        stands("running", "no_deadline", due_original=None, due_current=None, verdict_766="not_counted", flags=flags)
    ]
    # What the receiving source promised is known all the same (§5.1). Tuesday 3 March, 9:00: 7 h, 24, 8.
    promised = replace(START, due=at(DUE))
    assert standings("2026-03-03T09:00", promised, behind) == [
        stands("running", "in_time", remaining_seconds=39 * HOUR, flags=flags)
    ]
    # The source corrects itself.
    void = event(None, "2026-03-02T09:30", kind="void", voids=behind.event_id)
    right = event(4, "2026-03-02T09:05", source="slow")
    assert standings("2026-03-03T09:00", START, behind, void, right) == [
        stands("running", "in_time", remaining_seconds=39 * HOUR)
    ]
