"""The generator knows the truth: what it says of each dossier, the program says too."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from agents.config import load
from schemas.assessment import Level
from schemas.errors import InvalidRecord
from schemas.event import read_event
from streams.history import History, add
from streams.ledger import measure
from streams.rules import Rules
from streams.verdict import assess
from tests.commands import ROOT
from tests.madeup.life import Standing
from tests.madeup.log import BAD_LINES, BRANCHES, CONFIG, STEADY, Log, Told, write_log

RULES = load(CONFIG)
MOMENTS = {
    "a weekday at noon": "2026-11-25T12:00:00+07:00",
    "a weekday in the morning": "2026-03-02T08:00:00+07:00",
    "minutes before closing": "2026-03-02T16:55:00+07:00",
    "a weekday at night": "2026-11-26T02:30:00+07:00",
    "minutes before midnight": "2026-11-25T23:52:00+07:00",
    "a Sunday": "2026-11-29T15:00:00+07:00",
    "in the middle of Tết": "2026-02-18T10:00:00+07:00",
    "a Saturday that is worked": "2026-01-10T10:00:00+07:00",
    "a day off": "2026-11-24T10:00:00+07:00",
    "the first day of a year": "2027-01-01T00:05:00+07:00",
    "a year without a calendar": "2031-05-06T10:00:00+07:00",
}


def log_at(moment: str, **more: int) -> Log:
    now = datetime.fromisoformat(moment).astimezone(UTC)
    return write_log(RULES.newest.home, now=now, **more)


def history(told: Told, rules: Rules) -> History:
    known = History(told.code)
    for event in told.events:
        rules.check_codes(event)
        known = add(known, event)
    return known


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_the_program_gives_every_answer_that_the_generator_knows(moment: str) -> None:
    log = log_at(moment, dossiers=500)
    for told in log.dossiers:
        known = history(told, RULES)
        (cycle,) = assess(known, RULES, now=log.now).cycles
        spent = measure(cycle, RULES, now=log.now)
        wanted = told.answer
        assert (cycle.verdict, cycle.level, cycle.clock, cycle.unit) == (
            wanted.verdict,
            wanted.level,
            wanted.clock,
            wanted.unit,
        ), told
        assert (cycle.received_at, cycle.due_current, cycle.ended_at) == (
            wanted.received_at,
            wanted.due,
            wanted.ended_at,
        ), told
        assert (spent.working, spent.paused) == (wanted.working, wanted.paused), told


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_every_answer_still_holds_a_while_later(moment: str) -> None:
    log = log_at(moment, dossiers=500)
    for told in log.dossiers:
        (cycle,) = assess(history(told, RULES), RULES, now=log.now + STEADY).cycles
        assert (cycle.verdict, cycle.level) == (told.answer.verdict, told.answer.level), told


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_the_log_ends_at_its_moment_and_shows_every_standing_that_there_can_be(moment: str) -> None:
    log = log_at(moment, dossiers=500)
    assert all(event.at <= log.now for told in log.dossiers for event in told.events)
    counts = Counter(told.answer.standing for told in log.dossiers)
    dueable = RULES.newest.home.is_open(RULES.newest.home.day(log.now)) and "23:52" not in moment
    assert counts.keys() == set(Standing) - (set() if dueable else {Standing.DUE_TODAY})
    assert {told.answer.unit for told in log.dossiers} == set(BRANCHES)
    assert any(told.answer.level is Level.SERIOUSLY_OVERDUE for told in log.dossiers)


def test_it_is_two_thousand_dossiers_and_the_same_ones_every_time() -> None:
    moment = MOMENTS["a weekday at noon"]
    log = log_at(moment)
    assert len(log.dossiers) == len({told.code for told in log.dossiers}) == 2_000
    assert log == log_at(moment)
    assert log != log_at(moment, seed=1)


def test_the_lines_are_in_no_order_some_come_twice_and_some_are_refused_for_their_reason() -> None:
    log = log_at(MOMENTS["a weekday at noon"], dossiers=500)
    lines = list(log.lines())
    events, refused = [], []
    for line in lines:
        try:
            events.append(read_event(line))
        except InvalidRecord as error:
            refused.append(error.reason)
    assert sorted(refused) == sorted(BAD_LINES)
    assert len({event.event_id for event in events}) == log.events < len(events)
    assert [event.at for event in events] != sorted(event.at for event in events)


def test_its_office_keeps_the_calendars_of_hanoi() -> None:
    for file in (ROOT / "config" / "calendars").glob("vn-20*.yaml"):
        assert (CONFIG / "calendars" / file.name).read_bytes() == file.read_bytes()
