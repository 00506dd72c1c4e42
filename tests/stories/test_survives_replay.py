"""A replay of everything gives the same answers and rows, and tells nobody anything.

A story of SPEC §9 ("Must survive"). The other phrases that are about judging have theirs in the modules beside this
one, each under a name that begins with the phrase. Left out here, because they are about the world outside:

- calendar changed while open, feed outage of a unit: `tests/stories`, with these features, which are being built;
- invalid policy on reload, five thousand breaches in one minute: `tests/system`, with reloading and with ``notify``;
- worker killed at any point: `tests/system/test_killed.py`; between any two writes `tests/faults/test_crashes.py`;
- rebalance: `tests/system/test_transport.py`;
- broker restart: `tests/system/test_broker_outage.py`;
- ClickHouse down for an hour: `tests/system/test_clickhouse_outage.py`;
- the full replay on real services: `tests/system/test_permit_log.py` and `tests/system/test_generated_log.py`.
"""

from dataclasses import replace
from datetime import timedelta

from agents.drivers.kafka import partition_of
from agents.ports import Outgoing
from agents.rows import ASSESSMENTS, COLUMNS, EVENTS
from agents.rows import Row as Fact
from schemas import topics
from schemas.event import Event
from tests.faults.bench import MINE, PARTITIONS, Bench, LiveClock, Tomorrow
from tests.hanoi import at, event
from tests.stories.standing import FIVE, HOUR, START, UNIT, judged, letters, stands, told_by


class BackLoad(LiveClock):
    """A clock that stands at one instant: what is judged by it is told to nobody."""

    live = False


#: Five dossiers of one partition.
CODES = [
    code
    for number in range(1, 100)
    if partition_of((code := f"H26.12-260302-{number:04}").encode(), PARTITIONS) == MINE
][:5]


def _of(code: str, *events: Event) -> list[Event]:
    return [replace(one, dossier_code=code, event_id=f"{code[-4:]}-{one.event_id}") for one in events]


def _void(code: str, wrong: Event, when: str) -> Event:
    (renamed,) = _of(code, wrong)
    return replace(event(None, when, kind="void", voids=renamed.event_id), dossier_code=code)


AGAIN = event(4, "2026-03-06T09:00")
PAUSE = event(5, "2026-03-06T16:00")
NOW = at("2026-03-13T09:00")
#: What arrives when: each with its dossier, most of it in time, some of it late, out of order, or twice.
ARRIVALS: list[tuple[str, list[Event]]] = [
    ("2026-03-02T09:00", [one for code in CODES for one in _of(code, START)]),
    ("2026-03-05T15:00", _of(CODES[4], event(9, "2026-03-05T15:00"))),
    ("2026-03-06T09:00", _of(CODES[4], AGAIN)),
    ("2026-03-06T16:00", _of(CODES[3], PAUSE)),
    ("2026-03-10T08:05", _of(CODES[0], event(9, "2026-03-09T16:30"))),
    ("2026-03-11T16:00", _of(CODES[1], event(9, "2026-03-11T16:00"), event(4, "2026-03-09T09:00"), PAUSE)),
    ("2026-03-12T08:00", [_void(CODES[4], AGAIN, "2026-03-12T08:00")]),
    ("2026-03-12T08:30", [one for code in CODES for one in _of(code, START)]),
]
#: On Friday 13 March, 9:00, in the order of the codes.
ANSWERS = [
    stands("stopped", "on_time", ended_at="2026-03-09T16:30"),
    # Paused with 9 h left, resumed on Monday 9, 9:00: due Tuesday 10:00, late 6 h of it and 7 of Wednesday. The
    # indicator takes 65 h off.
    stands(
        "stopped",
        "overdue",
        due_current="2026-03-10T10:00",
        late_working_seconds=13 * HOUR,
        ended_at="2026-03-11T16:00",
        breached_in=UNIT,
        flags=["letter_due"],
    ),
    # Tuesday, Wednesday, Thursday and an hour: three working days and more. No event since Monday 2.
    stands(
        "running",
        "overdue",
        level="seriously_overdue",
        remaining_seconds=0,
        late_working_seconds=25 * HOUR,
        breached_in=UNIT,
        verdict_766="overdue",
        flags=["letter_due", "stalled"],
    ),
    stands("paused", "in_time", due_current=None, remaining_seconds=9 * HOUR),
    stands("stopped", "early", ended_at="2026-03-05T15:00"),
]


async def _lived() -> Bench:
    """The bench that lived through all of it, hour by hour, with a record in its log that nobody can use."""
    bench = Bench(FIVE, LiveClock(at("2026-03-02T08:00")))
    await bench.start()
    await bench.broker.send([Outgoing(topics.EVENTS.name, b"?", b"rubbish", MINE)])
    arrivals = {at(when): events for when, events in ARRIVALS}
    hours = {NOW - timedelta(hours=hours) for hours in range(11 * 24 + 1)}
    for instant in sorted(hours | arrivals.keys()):
        await bench.step(Tomorrow(instant))
        await bench.publish(arrivals.get(instant, []))
        await bench.finish()
    return bench


def _facts(bench: Bench) -> dict[str, dict[Fact, Fact]]:
    """The rows of ClickHouse that a reader sees."""
    tables, deleted = bench.tables(), COLUMNS[ASSESSMENTS].index("is_deleted")
    seen = {key: row for key, row in tables[ASSESSMENTS].items() if not row[deleted]}
    return {EVENTS: tables[EVENTS], ASSESSMENTS: seen}


async def test_full_replay_from_offset_zero_gives_the_same_verdicts_no_notification_and_an_empty_difference() -> None:
    """§7: a replay sends nothing."""
    live = await _lived()
    assert judged(live) == ANSWERS
    log = live.broker.records(topics.EVENTS.name)
    replayed = Bench(FIVE, BackLoad(NOW))
    await replayed.broker.send([Outgoing(topics.EVENTS.name, record.key or b"", record.value, MINE) for record in log])
    await replayed.play(())
    assert judged(replayed) == ANSWERS
    assert told_by(replayed) == []
    assert _facts(replayed) == _facts(live)
    assert letters(replayed) == letters(live) == [(0, "unreadable")]


async def test_full_replay_from_offset_zero_by_a_worker_that_knows_it_all_tells_nothing_again() -> None:
    """The same group on the same topics, live, and its offsets set back: what was told is in the state."""
    bench = await _lived()
    before, facts = told_by(bench), _facts(bench)
    (last,) = [alert for alert in before if alert.level == "seriously_overdue"]
    # 8 h of Tuesday, Wednesday and Thursday 12 are three working days, at closing time.
    assert (last.action, last.at) == ("raise", at("2026-03-12T17:00"))
    assert {alert.reason for alert in before if alert.action == "retract"} == {"late_event", "cycle_gone"}
    bench.committed[topics.EVENTS.name] = 0
    await bench.play(())
    assert judged(bench) == ANSWERS
    assert told_by(bench) == before
    assert _facts(bench) == facts
