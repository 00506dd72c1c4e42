"""How a story says what holds and what is told: whole values, Hanoi's times, seconds of working time.

An answer is taken as other programs read it, from the JSON of ``dunghan replay``; alerts are those that
`streams.alerts.decide` calls for, looked for whenever something arrives and whenever the answer said to look again.
"""

from datetime import date, datetime
from typing import NamedTuple

import orjson

from agents.dead_letters import read_dead_letter
from schemas import topics
from schemas.alert import Alert
from schemas.dossier import ALERT, JUDGEMENT
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Office
from streams.alerts import decide
from streams.replay import Row, row, rows
from streams.rules import Rules, compile_rules
from streams.verdict import assess
from tests.faults.bench import Bench
from tests.hanoi import at, calendar_year, event, history, rules

HOUR = 3600

#: Five working days from Monday 2 March 2026, 09:00. The first day is not counted (Civil Code 147): Tuesday 3,
#: Wednesday 4, Thursday 5, Friday 6 and Monday 9 March, whose end is 17:00 (§5.2). From the start to there are
#: 7 + 4·8 + 8 = 47 open hours, so it is near due when 47/5 = 9.4 h remain (§7): 8 h of Monday and 1.4 h of Friday,
#: from Friday 15:36 on.
FIVE = rules(limit=Limit("working_day", 5))
START = event(2, "2026-03-02T09:00")
DUE = "2026-03-09T17:00"
UNIT = "H26.12"

_TIMES = ("due_original", "due_current", "ended_at")
_USUAL: Row = {
    "level": "none",
    "due_original": DUE,
    "due_current": DUE,
    "remaining_seconds": None,
    "ended_at": None,
    "verdict_766": "on_time",
    "late_working_seconds": 0,
    "breached_in": None,
    "flags": [],
}
_COMPARED = ("clock", "verdict", *_USUAL, "verdict_unextended", "late_unextended_seconds")


def limits_change(first: int, begins: str, then: int) -> Rules:
    """An office whose limit is ``first`` working days, and ``then`` from that date on."""
    written = ((1, date(2020, 1, 1), first), (2, date.fromisoformat(begins), then))
    files = [
        LimitsFile(version, day, (LimitRule(Match(), Limit("working_day", days)),)) for version, day, days in written
    ]
    return compile_rules(Office("vn", "vn"), [], [calendar_year(year) for year in (2025, 2026, 2027)], files)


def stands(clock: str, verdict: str, **told: object) -> Row:
    """What a story expects of a cycle, field by field.

    What it does not name is as usual: due at `DUE`, on time by the indicator, no level, nothing late, no flag; and
    where pauses alone move the appointment, the same holds.
    """
    said = {**_USUAL, "clock": clock, "verdict": verdict, **told}
    said = {"verdict_unextended": verdict, "late_unextended_seconds": said["late_working_seconds"], **said}
    return said | {name: _hanoi(text) for name in _TIMES if isinstance(text := said[name], str)}


def _hanoi(text: str) -> str:
    return at(text).astimezone(FIVE.zone).isoformat()


def _printed(whole: Row) -> Row:
    printed = orjson.loads(orjson.dumps(whole))
    assert isinstance(printed, dict)
    return printed


def standing(whole: Row) -> Row:
    """Of a row of ``dunghan replay``, what a story compares."""
    return {name: whole[name] for name in _COMPARED}


def cycles(now: str, *events: Event, known: Rules = FIVE) -> list[Row]:
    """The whole rows of the dossier's cycles at that instant."""
    return [_printed(whole) for whole in rows(history(*events), known, now=at(now))]


def standings(now: str, *events: Event, known: Rules = FIVE) -> list[Row]:
    """How each cycle stands at that instant."""
    return [standing(whole) for whole in cycles(now, *events, known=known)]


def spent(whole: Row) -> tuple[object, object, object]:
    """Where the time of a cycle went: running, paused and off hours, which together are its wall time (§6)."""
    return whole["working_seconds"], whole["paused_seconds"], whole["off_seconds"]


class Told(NamedTuple):
    """What is told of one alert."""

    action: str
    level: str
    reason: str
    at: datetime
    due: datetime
    cycle: int
    found_late: bool


def told(
    action: str, level: str, reason: str, *, since: str, due: str = DUE, cycle: int = 1, late: bool = False
) -> Told:
    """What a story expects to be told: the level held since then; ``late`` says that it was found late."""
    return Told(action, level, reason, at(since), at(due), cycle, late)


class Desk:
    """A supervisor's desk: what was told, as the events arrived and the timer asked."""

    def __init__(self, known: Rules = FIVE) -> None:
        self.known = known
        self.sent: dict[str, Alert] = {}
        self._events: tuple[Event, ...] = ()
        self._next: datetime | None = None

    def arrive(self, now: str, *events: Event) -> list[Told]:
        """These events arrive at that instant; what is told then."""
        self._events += events
        return self._judge(at(now))

    def wait(self, until: str) -> list[Told]:
        """Nothing arrives up to that instant, and the timer asks whenever the last answer said to look again."""
        found: list[Told] = []
        while self._next is not None and self._next <= at(until):
            found += self._judge(self._next)
        return found

    def open(self) -> list[str]:
        """The levels of the alerts on which the supervisor still has to act."""
        return [alert.level.value for alert in self.sent.values() if alert.open]

    def _judge(self, now: datetime) -> list[Told]:
        answer = assess(history(*self._events), self.known, now=now)
        alerts = decide(answer, tuple(self.sent.values()), now=now)
        self.sent |= {alert.alert_id: alert for alert in alerts}
        assert decide(answer, tuple(self.sent.values()), now=now) == (), "what was told once is not told again"
        self._next = answer.look_again_at
        return [_told(alert) for alert in alerts]


def _told(alert: Alert) -> Told:
    return Told(alert.action.value, alert.level.value, alert.reason, alert.at, alert.due, alert.cycle, alert.found_late)


def told_by(bench: Bench) -> list[Told]:
    """Everything that the judge of the bench has told, in order."""
    return [_told(ALERT.validate_json(record.value or b"")) for record in bench.broker.records(topics.ALERTS.name)]


def judged(bench: Bench) -> list[Row]:
    """How each cycle of the bench stands now, by the last judgement of its dossier; codes in order."""
    last = {}
    for record in bench.broker.records(topics.ASSESSMENTS.name):
        answer = JUDGEMENT.validate_json(record.value or b"").assessment
        last[answer.dossier_code] = answer.cycles
    return [
        standing(_printed(row(code, cycle, bench.rules, now=bench.clock.now())))
        for code, known in sorted(last.items())
        for cycle in known
    ]


def letters(bench: Bench) -> list[tuple[int, str]]:
    """Offset and reason of every buried record."""
    read = [read_dead_letter(record) for record in bench.broker.records(topics.DEAD_LETTERS.name)]
    return [(letter.offset, letter.reason) for letter in read]
