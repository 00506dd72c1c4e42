"""The log: some two thousand made-up dossiers of five branches, with the answer to each.

The log ends at ``now``, whatever day and hour that is. A dossier is made by choosing how it shall
stand, then drawing lives of receipt, hand-overs, pause and end until one leads there and stays there
for a while. Equal instant and seed give the equal log.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.assessment import Level
from schemas.event import Channel, Event, canonical
from schemas.office import WORKING_DAY
from streams.calendar import DAY, Calendar, add_working_time, working_time
from tests.madeup.life import FINISHED, HOUR, WITHDRAWN, Answer, Life, Procedure, Standing, answer, promised, term

BRANCHES = ("H26.01", "H26.02", "H26.03", "H26.04", "H26.05")
CONFIG = Path(__file__).parent / "config"
#: As its limits.yaml has them.
PROCEDURES = (
    Procedure("1.004441", days=5, near_days=2),
    Procedure("1.000894", days=3),
    Procedure("1.005461", days=10),
    Procedure("2.000635", hours=12),
)
CHANNELS: tuple[Channel, ...] = ("counter", "counter", "online", "online", "online", "post")
RECEIVED, EXAMINED, SIGNED = "Tiếp nhận", "Thẩm định", "Trình ký"

#: An answer must hold so long after ``now``: a test takes its time.
STEADY = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
#: Open days before and after ``now`` between which lives are lived.
OLDEST, FURTHEST = 75, 30
TRIES = 2_000
#: One in so many records is sent twice, as sources do after an outage.
REPEATED = 100

#: How many of a hundred dossiers of the first branch stand so; the later a branch, the later its dossiers.
SHARES: Mapping[Standing, tuple[int, int]] = {
    Standing.EARLY: (42, -3),
    Standing.ON_TIME: (18, 1),
    Standing.LATE: (4, 1),
    Standing.OPEN: (16, 0),
    Standing.NEAR_DUE: (5, 0),
    Standing.DUE_TODAY: (4, 0),
    Standing.OVERDUE: (3, 1),
    Standing.PAUSED: (6, 0),
    Standing.WITHDRAWN: (1, 0),
    Standing.REFUSED: (1, 0),
}

#: What a log of the real world also has: lines that no dossier can use, and why each is refused.
BAD_LINES = {
    "naive_time": b'{"event_id":"bad-1","dossier_code":"H26.01-260302-9001","at":"2026-03-02T09:00:00","status":2,'
    b'"procedure_code":"1.004441","processing_unit":"H26.01"}',
    "unknown_field": b'{"event_id":"bad-2","dossier_code":"H26.02-260302-9002","at":"2026-03-02T09:00:00+07:00",'
    b'"status":2,"procedure_code":"1.004441","processing_unit":"H26.02","HoTen":"..."}',
    "unknown_status": b'{"event_id":"bad-3","dossier_code":"H26.03-260302-9003","at":"2026-03-02T09:00:00+07:00",'
    b'"status":11,"procedure_code":"1.004441","processing_unit":"H26.03"}',
}


@dataclass(frozen=True, slots=True)
class Told:
    """One dossier of the log: its events, and the answer to it."""

    code: str
    events: tuple[Event, ...]
    answer: Answer
    life: Life | None


@dataclass(frozen=True, slots=True)
class Log:
    """The whole log; it ends at ``now``."""

    now: datetime
    dossiers: tuple[Told, ...]
    seed: int

    @property
    def events(self) -> int:
        """How many different events there are."""
        return sum(len(told.events) for told in self.dossiers)

    def lines(self) -> Iterator[bytes]:
        """The log as JSON lines: in no order, some events twice, and the bad lines somewhere in it."""
        chance = random.Random(self.seed)
        lines = [canonical(event) for told in self.dossiers for event in told.events]
        lines += lines[::REPEATED]
        lines += BAD_LINES.values()
        chance.shuffle(lines)
        return (line + b"\n" for line in lines)


def write_log(calendar: Calendar, *, now: datetime, dossiers: int = 2_000, seed: int = 766) -> Log:
    """A log of so many dossiers (a multiple of 500 has the shares to the unit) that ends at ``now``."""
    return Log(now, tuple(_Writer(calendar, now, seed).write(dossiers)), seed)


class _Writer:
    """Draws lives and keeps those that lead where they shall."""

    def __init__(self, calendar: Calendar, now: datetime, seed: int) -> None:
        self.calendar = calendar
        self.now = now
        self.chance = random.Random(seed)
        self.days, self.turn = _open_days(calendar, calendar.day(now))
        #: Something can be due today: the office opens, and the day does not end too soon.
        self.dueable = self.days[self.turn - 1] == calendar.day(now) == calendar.day(now + STEADY)

    def write(self, dossiers: int) -> Iterator[Told]:
        wanted = [
            (branch, standing)
            for index, branch in enumerate(BRANCHES)
            for standing, (share, drift) in SHARES.items()
            for _ in range((share + index * drift) * dossiers // (100 * len(BRANCHES)))
        ]
        wanted += [(BRANCHES[0], Standing.EARLY)] * (dossiers - len(wanted))
        for number, (branch, standing) in enumerate(wanted, start=1):
            yield (
                self._refused(number, branch) if standing is Standing.REFUSED else self._told(number, branch, standing)
            )

    def _told(self, number: int, branch: str, standing: Standing) -> Told:
        life, held = self._life(branch, standing)
        code = f"{branch}-{self._stamp(life.received)}-{number:05}"
        return Told(code, tuple(_sourced(self._events(code, life), branch)), held, life)

    def _stamp(self, at: datetime) -> str:
        return f"{self.calendar.day(at):%y%m%d}"

    def _life(self, branch: str, standing: Standing) -> tuple[Life, Answer]:
        """A life that leads to this standing; near due where nothing can be due today."""
        goal = Standing.NEAR_DUE if standing is Standing.DUE_TODAY and not self.dueable else standing
        for _ in range(TRIES):
            life = self._draw(branch, goal)
            if life is None:
                continue
            held = answer(life, self.calendar, now=self.now)
            later = answer(life, self.calendar, now=self.now + STEADY)
            if held.standing is goal and (held.verdict, held.level) == (later.verdict, later.level):
                return life, held
        raise RuntimeError(f"no life leads to {standing} at {self.now}")

    def _draw(self, branch: str, goal: Standing) -> Life | None:
        """A life that may lead there; None when it would not be over by now."""
        procedure = self.chance.choice(PROCEDURES)
        waits = self.chance.choice((0, 0, 0, 1, 2, 4)) if goal is not Standing.WITHDRAWN else 0
        day = self.days[self.turn - self._days_back(procedure, waits, goal)]
        life = Life(procedure, branch, self._within(day))
        if life.received > self.now - 10 * MINUTE or not self._pause(life, waits, goal):
            return None
        if not self._end(life, goal):
            return None
        self._hand_over(life)
        return life

    def _days_back(self, procedure: Procedure, waits: int, goal: Standing) -> int:
        """How many open days ago the dossier came in; 0 and less: it does not yet."""
        need = procedure.days or 2
        match goal:
            case Standing.DUE_TODAY:
                return need + waits + 1
            case Standing.NEAR_DUE:
                return need + waits - self.chance.randint(0, 1)
            case Standing.OPEN:
                return need + waits - self.chance.randint(0, need)
            case Standing.OVERDUE:
                return need + waits + self.chance.randint(1, 9)
            case Standing.PAUSED:
                return self.chance.randint(1, need + 12)
            case _:
                return self.chance.randint(1, OLDEST)

    def _within(self, day: date) -> datetime:
        """An instant of an open day, in office hours."""
        return add_working_time(
            self.calendar, self.calendar.at(day), timedelta(seconds=self.chance.randint(300, 28_200))
        )

    def _between(self, begin: datetime, end: datetime) -> datetime:
        """An instant in office hours between two others, to the second."""
        seconds = int(working_time(self.calendar, begin, end).total_seconds())
        return add_working_time(self.calendar, begin, timedelta(seconds=self.chance.randint(1, max(1, seconds - 1))))

    def _pause(self, life: Life, waits: int, goal: Standing) -> bool:
        """Give the life its pause, if it is to have one; whether it can."""
        if not waits and goal is not Standing.PAUSED:
            return True
        began = self._between(life.received, promised(life, self.calendar).at)
        if goal is Standing.PAUSED:
            life.pause = (began, None)
            return life.received < began < self.now - MINUTE
        resumed = add_working_time(self.calendar, began, waits * WORKING_DAY + MINUTE * self.chance.randint(-200, 200))
        life.pause = (began, resumed)
        return life.received < began < resumed < self.now - MINUTE

    def _end(self, life: Life, goal: Standing) -> bool:
        """Give the life its end, if it is to have one; whether it can."""
        due, begin = term(life, self.calendar), life.pause[1] if life.pause and life.pause[1] else life.received
        match goal:
            case Standing.EARLY | Standing.WITHDRAWN:
                at = self._between(begin, due.at)
            case Standing.ON_TIME:
                at = self._between(max(begin, self.calendar.at(due.day)), due.at)
            case Standing.LATE:
                at = add_working_time(self.calendar, due.at, MINUTE * self.chance.randint(1, 40 * 60))
            case _:
                return True
        life.end = (at, WITHDRAWN if goal is Standing.WITHDRAWN else FINISHED)
        return begin < at < self.now - MINUTE

    def _hand_over(self, life: Life) -> None:
        """Move it through stages, and sometimes to another branch, before its pause or end."""
        bound = life.pause[0] if life.pause else life.end[0] if life.end else self.now - MINUTE
        at, unit = life.received, life.unit
        steps = [(EXAMINED, False), (EXAMINED, self.chance.random() < 0.12), (SIGNED, False)]
        for index, (stage, moves) in enumerate(steps):
            following = self._between(at, min(bound, add_working_time(self.calendar, at, WORKING_DAY)))
            if not at < following < bound or (index == 1 and not moves):
                continue
            at = following
            unit = self.chance.choice([other for other in BRANCHES if other != unit]) if moves else unit
            life.moves.append((at, unit, stage))

    def _events(self, code: str, life: Life) -> Iterator[dict[str, Any]]:
        """The life as events, in order."""
        known = {"dossier_code": code, "procedure_code": life.procedure.code, "processing_unit": life.unit}
        channel = self.chance.choice(CHANNELS)
        if channel == "online":
            registered = life.received - MINUTE * self.chance.randint(5, 14 * 60)
            yield {**known, "status": 1, "at": registered, "receiving_unit": life.unit}
        intake = {"receiving_unit": life.unit, "channel": channel, "stage": RECEIVED}
        yield {**known, **intake, "status": 2, "at": life.received}
        for at, unit, stage in life.moves:
            known["processing_unit"] = unit
            yield {**known, "status": 4, "at": at, "stage": stage}
        if life.pause is not None:
            began, resumed = life.pause
            yield {**known, "status": 5, "at": began, "reason": "thieu-giay-to"}
            if resumed is not None:
                yield {**known, "status": 4, "at": resumed}
        if life.end is not None:
            at, status = life.end
            yield {**known, "status": status, "at": at}
            returned = at + HOUR * self.chance.random()
            if status == FINISHED and returned < self.now - MINUTE:
                yield {**known, "status": 10, "at": returned.replace(microsecond=0) + timedelta(seconds=1)}

    def _refused(self, number: int, branch: str) -> Told:
        """Registered online and not received: no clock ever runs."""
        registered = self._within(self.days[self.turn - self.chance.randint(2, OLDEST)])
        decided = add_working_time(self.calendar, registered, MINUTE * self.chance.randint(30, 400))
        code = f"{branch}-{self._stamp(registered)}-{number:05}"
        known = {"dossier_code": code, "procedure_code": PROCEDURES[0].code, "processing_unit": branch}
        events = [{**known, "status": 1, "at": registered}, {**known, "status": 3, "at": decided}]
        return Told(code, tuple(_sourced(events, branch)), Answer("refused", Level.NONE, "never", branch), None)


def _sourced(events: Any, branch: str) -> Iterator[Event]:
    for count, values in enumerate(events, start=1):
        yield Event(event_id=f"{values['dossier_code']}/{count}", source=f"mot-cua-{branch}", sequence=count, **values)


def _open_days(calendar: Calendar, today: date) -> tuple[list[date], int]:
    """Open days around today, and how many of them are not after it."""
    days = [day for count in range(-400, 120) if calendar.is_open(day := today + DAY * count)]
    turn = bisect_right(days, today)
    first = max(0, turn - OLDEST - 1)
    return days[first : turn + FURTHEST], turn - first
