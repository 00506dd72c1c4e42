"""The rules change while dossiers are open, and the judge dies in the middle: the end is that of a restart."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import count, islice

import pytest

from agents.drivers.kafka import partition_of
from agents.sum_up import SumUp
from agents.tick import PORTION, Tick
from schemas import topics
from schemas.alert import Action
from schemas.errors import ConfigError, Unavailable
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Office
from schemas.rulebook import Change, Rulebook, Turned
from streams.rules import Rules, compile_rules
from tests.faults.bench import MINE, PARTITIONS, Bench, Crash, LiveClock, Outage, Take, Tomorrow
from tests.hanoi import at, calendar_year, event

NOW = "2026-03-04T10:00"


def _rules(*days: int) -> Rules:
    """Limits of so many working days, each in force since a later year."""
    files = [
        LimitsFile(version, date(2019 + version, 1, 1), (LimitRule(Match(), Limit("working_day", value)),))
        for version, value in enumerate(days, 1)
    ]
    return compile_rules(Office("vn", "vn"), [], [calendar_year(year) for year in (2025, 2026, 2027)], files)


LONG, SHORT, LONG_AGAIN = _rules(10), _rules(10, 1), _rules(10, 1, 10)


def _codes() -> Iterator[str]:
    codes = (f"H26.12-260302-{number:04}" for number in count(1))
    return (code for code in codes if partition_of(code.encode(), PARTITIONS) == MINE)


def _events(dossiers: int = 5) -> list[Event]:
    """Open dossiers of two units, received two working days ago; the last one is done, in time by the long limit."""
    codes = list(islice(_codes(), dossiers))
    received = [
        event(2, "2026-03-02T09:00", dossier_code=code, processing_unit=f"H26.{number % 2}", event_id=f"r{number}")
        for number, code in enumerate(codes)
    ]
    return [*received, event(9, "2026-03-04T09:00", dossier_code=codes[-1], event_id="done")]


async def _open(dossiers: int = 5) -> Bench:
    """A bench that has judged them by the long limit."""
    bench = Bench(LONG, LiveClock(at(NOW)))
    await bench.start()
    await bench.publish(_events(dossiers))
    await bench.finish()
    return bench


def _take_up(bench: Bench, rules: Rules) -> None:
    bench.rules = rules
    bench.judge.take_up(rules, Rulebook(rules.version))


async def _restarted(rules: Rules) -> Bench:
    """What a judge makes of it that was stopped, and started again with other rules."""
    bench = await _open()
    bench.rules = rules
    await bench.start()
    await bench.finish()
    return bench


async def test_a_change_is_the_same_as_a_restart_with_the_new_rules_and_says_once_what_it_did() -> None:
    bench = await _open()
    assert bench.alerts() == []
    _take_up(bench, SHORT)
    await bench.finish()
    assert Counter(alert.action for alert in bench.alerts()) == {Action.RAISE: 4}
    assert {alert.change for alert in bench.alerts()} == {SHORT.version}
    assert bench.changes() == [Change(SHORT.version, MINE, (Turned("H26.0", raised=2), Turned("H26.1", raised=2)))]
    restarted = await _restarted(SHORT)
    assert bench.tables() == restarted.tables()
    assert bench.changes() == restarted.changes()


async def test_a_change_back_resolves_what_the_change_raised_for_it_was_right_by_its_rules() -> None:
    bench = await _open()
    _take_up(bench, SHORT)
    await bench.finish()
    _take_up(bench, LONG_AGAIN)
    await bench.finish()
    assert {(alert.action, alert.reason, alert.change) for alert in bench.alerts()[4:]} == {
        (Action.RESOLVE, "policy", LONG_AGAIN.version)
    }
    assert bench.changes()[1].units == (Turned("H26.0", resolved=2), Turned("H26.1", resolved=2))
    assert bench.open_alerts() == set()


@pytest.mark.parametrize("write", range(5))
@pytest.mark.parametrize("accepted", [0, 1, 3])
@pytest.mark.parametrize("kind", [Crash, Outage])
async def test_a_judge_that_breaks_in_any_write_of_the_review_ends_the_same(
    write: int, accepted: int, kind: type[Crash | Outage]
) -> None:
    calm = await _restarted(SHORT)
    bench = await _open()
    _take_up(bench, SHORT)
    await Tick(bench.judge).run({MINE: bench.lease})
    await bench.step(kind(2, write, accepted))
    await bench.finish()
    assert bench.tables() == calm.tables()
    assert bench.open_alerts() == calm.open_alerts()
    assert set(bench.changes()) == set(calm.changes())


@pytest.mark.parametrize("write", range(3))
@pytest.mark.parametrize("accepted", [0, 1])
async def test_a_judge_that_dies_while_it_sums_up_tells_the_very_same_again(write: int, accepted: int) -> None:
    calm = await _restarted(SHORT)
    bench = await _open()
    _take_up(bench, SHORT)
    await Tick(bench.judge).run({MINE: bench.lease})
    await bench.step(Take(5, topics.LOOKS.name))
    bench.wire.break_at(write, accepted)
    with pytest.raises(Unavailable):
        await SumUp(bench.judge).run({MINE: bench.lease})
    await bench.start()
    await bench.publish([event(9, "2026-03-04T09:30", dossier_code=_events()[0].dossier_code, event_id="later")])
    counted = write > 0 or accepted > 0
    await bench.finish()
    assert (set(bench.changes()) == set(calm.changes())) is counted
    assert len(set(bench.changes())) == 1, "counted once, whoever told it"


async def test_events_come_between_the_portions_and_are_judged_by_the_new_rules() -> None:
    bench = await _open(2 * PORTION + 20)
    _take_up(bench, SHORT)
    asked = len(bench.broker.records(topics.LOOKS.name))
    for _ in range(3):
        await Tick(bench.judge).run({MINE: bench.lease})
    assert len(bench.broker.records(topics.LOOKS.name)) - asked == PORTION, "the next when these are answered"
    code = _events()[0].dossier_code
    await bench.publish([event(4, "2026-03-04T09:00", dossier_code=code, event_id="e")])
    await bench.step(Take())
    assert bench.alerts()[-1].dossier_code == code, "before any look was answered"
    await bench.finish()
    (change,) = bench.changes()
    assert sum(turned.raised for turned in change.units) == len(bench.alerts()) == 2 * PORTION + 19


async def test_a_change_that_another_breaks_off_is_told_of_as_far_as_it_came() -> None:
    bench = await _open(2 * PORTION)
    _take_up(bench, SHORT)
    await Tick(bench.judge).run({MINE: bench.lease})
    await bench.step(Take(PORTION, topics.LOOKS.name))
    _take_up(bench, LONG_AGAIN)
    await bench.finish()
    assert [(change.change, sum(turned.resolved for turned in change.units)) for change in bench.changes()] == [
        (SHORT.version, 0),
        (LONG_AGAIN.version, PORTION),
    ], "what the first raised, the second resolved"
    assert len(bench.alerts()) == 2 * PORTION
    assert bench.open_alerts() == set()


async def test_a_new_dossier_judged_by_the_rules_before_while_they_change_is_judged_again() -> None:
    bench = await _open()
    fresh = next(code for code in _codes() if code not in {each.dossier_code for each in _events()})
    await bench.publish([event(2, "2026-03-02T09:00", dossier_code=fresh, event_id="fresh")])
    send = bench.wire.send

    async def changing(records: object) -> None:
        if bench.rules is LONG:
            _take_up(bench, SHORT)
        await send(records)  # type: ignore[arg-type]

    bench.wire.send = changing  # type: ignore[method-assign]
    await bench.finish()
    assert fresh in {alert.dossier_code for alert in bench.alerts()}


async def test_rules_under_a_version_that_something_else_was_judged_by_are_refused_and_the_old_stay() -> None:
    bench = await _open()
    with pytest.raises(ConfigError, match="rules_unraised"):
        bench.judge.take_up(SHORT, Rulebook(LONG.version, {"limits version 1": "other"}))
    with pytest.raises(ConfigError, match="rules_older"):
        bench.judge.take_up(SHORT, Rulebook(LONG.version - 1))
    assert bench.judge.rules is LONG


async def test_a_judge_whose_rules_are_older_than_those_of_the_partition_waits_for_the_folder() -> None:
    bench = await _open()
    _take_up(bench, SHORT)
    await bench.finish()
    bench.rules = LONG
    with pytest.raises(Unavailable, match="rules_older"):
        await bench.start()
    bench.judge.take_up(SHORT, Rulebook(SHORT.version))
    await bench.judge.assigned(MINE)
    assert bench.judge.shards[MINE].review.settled() == ()


@pytest.mark.parametrize(("lost", "again"), [((b"rules",), 0), ((b"rules", b"outlook"), 4)])
async def test_what_was_remembered_before_rules_were_is_judged_once_more_unless_it_says_by_which(
    lost: tuple[bytes, ...], again: int
) -> None:
    bench = await _open()
    states = bench.broker.records(topics.STATE.name)
    kept = [record for record in states if (record.key or b"").split(b"\x1f")[1] not in lost]
    bench.broker.topics[topics.STATE.name] = kept
    before = len(bench.broker.records(topics.ASSESSMENTS.name))
    await bench.start()
    await bench.finish()
    assert len(bench.broker.records(topics.ASSESSMENTS.name)) - before == again
    assert bench.changes() == ([Change(LONG.version, MINE)] if again else [])


async def test_looks_that_did_not_go_out_are_asked_for_again() -> None:
    bench = await _open()
    _take_up(bench, SHORT)
    bench.wire.break_at(0)
    with pytest.raises(Unavailable):
        await bench.step(Tomorrow(at(NOW)))
    await bench.finish()
    assert len(bench.alerts()) == 4
