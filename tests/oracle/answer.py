"""What holds at an instant: verdicts, levels, flags, time, and the row that says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.oracle import readings
from tests.oracle.fold import Held, Stretch
from tests.oracle.rulebook import HOUR, WORKING_DAY, Due, Rulebook
from tests.oracle.story import Cycle, Step
from tests.oracle.worktime import ZERO, Hours

SECOND = timedelta(seconds=1)


@dataclass
class Answer:
    """A cycle that has been held to something, asked at an instant."""

    rulebook: Rulebook
    cycle: Cycle
    held: Held
    now: datetime

    @property
    def hours(self) -> Hours:
        """The calendar of the unit that holds the dossier."""
        return self.rulebook.hours(self.cycle.effective[-1].unit)

    @property
    def running(self) -> bool:
        return self.cycle.clock == "running"

    @property
    def until(self) -> datetime:
        """Up to when time counts: the end, or now."""
        end = self.cycle.end
        return end.event.at if end is not None else self.now

    @property
    def received(self) -> datetime:
        start = self.cycle.start
        assert start is not None
        return start.event.at

    def stretches(self) -> list[tuple[Stretch, datetime]]:
        """The intervals with their ends, none beyond the end."""
        return [
            (stretch, max(stretch.begin, min(stretch.end or self.until, self.until))) for stretch in self.held.stretches
        ]

    # Verdicts

    def is_overdue(self, due: Due | None) -> bool:
        return due is not None and self.held.stands(due, self.until) == "overdue"

    def verdict(self, due: Due | None) -> str:
        if self.cycle.clock == "withdrawn":
            return "withdrawn"
        if self.cycle.clock != "stopped" or due is None:
            return self.held.stands(due, self.now)
        if self.is_overdue(due):
            return "overdue"
        return "early" if due.hours.day_of(self.until) < due.day else "on_time"

    def supplements(self) -> list[list[datetime]]:
        """Each supplement request: when it was made, and when it was answered (if it was)."""
        found: list[list[datetime]] = []
        was_five = False
        for step in self.cycle.effective:
            is_five = step.event.status == 5
            if is_five and not was_five:
                found.append([step.event.at])
            if was_five and not is_five:
                found[-1].append(step.event.at)
            was_five = is_five
        return found

    def verdict_766(self) -> str:
        supplements = self.supplements()
        if len(supplements) > 1 and not any(step.event.status in (9, 10) for step in self.cycle.effective):
            return "overdue"
        due = self.held.extension or self.held.original
        if due is None:
            return "not_counted"
        end = supplements[-1][0] if supplements and len(supplements[-1]) == 1 else self.until
        for supplement in supplements:
            if len(supplement) == 2:
                end -= supplement[1] - supplement[0]
        late = due.missed(True, end) if self.held.exact else due.hours.day_of(end) > due.day
        return "overdue" if late else "on_time"

    # Time

    def late(self, due: Due | None) -> timedelta:
        """Running working time after the due instant, once it is overdue."""
        if due is None or not self.is_overdue(due):
            return ZERO
        return sum(
            (
                self.rulebook.hours(stretch.unit).between(max(stretch.begin, due.at), end)
                for stretch, end in self.stretches()
                if not stretch.paused
            ),
            ZERO,
        )

    def remaining(self) -> timedelta | None:
        due, held = self.held.due, self.held
        if due is None or self.cycle.closed:
            return None
        if self.is_overdue(due):
            return ZERO
        return held.remains(due) if held.pause else self.hours.between(self.now, due.at)

    def spent(self) -> tuple[timedelta, timedelta, timedelta]:
        """Running working time, paused working time, wall time."""
        running = paused = ZERO
        for stretch, end in self.stretches():
            worked = self.rulebook.hours(stretch.unit).between(stretch.begin, end)
            if stretch.paused:
                paused += worked
            else:
                running += worked
        return running, paused, self.until - self.received

    def visits(self) -> list[dict[str, object]]:
        """Running working time by unit and stage, in the order of the first visit."""
        sums: dict[tuple[str | None, str | None], timedelta] = {}
        for stretch, end in self.stretches():
            went_on = not stretch.paused and (end > stretch.begin or (stretch.end is None and self.running))
            if not (went_on or readings.A_VISIT_WITHOUT_RUNNING_TIME_IS_LISTED):
                continue
            worked = self.rulebook.hours(stretch.unit).between(stretch.begin, end)
            visit = (stretch.unit, stretch.stage)
            sums[visit] = sums.get(visit, ZERO) + (ZERO if stretch.paused else worked)
        return [
            {"unit": unit, "stage": stage, "working_seconds": seconds(spent)} for (unit, stage), spent in sums.items()
        ]

    def breached_in(self) -> str | None:
        """Who held it at the due instant: up to a hand-over at that very instant the one before."""
        due = self.held.due
        if due is None or not self.is_overdue(due):
            return None
        held_before = [stretch for stretch in self.held.stretches if stretch.begin < due.at]
        return (held_before or self.held.stretches[:1])[-1].unit

    # Levels and flags

    def near(self) -> timedelta | None:
        """The working time from which on it is near due; None: never."""
        promise, original = self.held.promise, self.held.original
        if promise.same_day and not readings.A_RULE_MAY_SET_NEAR_DUE_FOR_SAME_DAY:
            return None
        if promise.near is not None:
            return promise.near
        if promise.same_day or original is None:
            return None
        if promise.exact:
            return HOUR
        start = self.cycle.start
        assert start is not None
        whole = self.rulebook.hours(start.unit).between(self.received, original.at)
        return min(max(whole // 5, 4 * HOUR), 2 * WORKING_DAY)

    def level(self) -> str:
        due = self.held.due
        if not self.running or due is None:
            return "none"
        if self.is_overdue(due):
            return "seriously_overdue" if self.late(due) >= 3 * WORKING_DAY else "overdue"
        left = self.hours.between(self.now, due.at)
        if self.held.promise.same_day:
            today = left <= HOUR
        else:
            today = not self.held.exact and self.now >= due.hours.local(due.day)
        if today:
            return "due_today"
        near = self.near()
        return "near_due" if near is not None and left <= near else "none"

    def flags(self) -> set[str]:
        flags = self.cycle.flags | self.held.flags
        levels, events = self.rulebook.office.levels, [step.event for step in self.cycle.steps]
        if any(self.is_estimate(due) for due in (self.held.original, self.held.due) if due is not None):
            flags.add("estimated")
        signs = [event for event in events if event.kind != "void" or readings.A_VOID_IS_A_SIGN_OF_LIFE]
        if self.running and self.hours.between(signs[-1].at, self.now) >= levels.stalled:
            flags.add("stalled")
        silent = self.cycle.clock == "halted" and not readings.A_HALT_CAN_BE_A_LONG_PAUSE
        if self.held.pause and not silent and self.now >= self.held.pause.begin + levels.long_pause + SECOND:
            flags.add("long_pause")
        if self.verdict(self.held.due) == "overdue" and not any(event.kind == "letter" for event in events):
            flags.add("letter_due")
        return flags

    def is_estimate(self, due: Due) -> bool:
        """Whether its date lies beyond the last confirmed year, as that is known by this rulebook."""
        hours = due.hours if readings.A_CARRIED_DUE_STAYS_ESTIMATED else self.rulebook.calendars[due.hours.name]
        return hours.is_estimate(due.day)

    def due_current(self) -> Due | None:
        """None while it is paused in time."""
        if self.held.pause and not self.is_overdue(self.held.due):
            return None
        return self.held.due

    def state(self) -> tuple[str, str, str, tuple[str, ...]]:
        """What ``look_again_at`` watches."""
        return self.level(), self.verdict(self.held.due), self.verdict_766(), tuple(sorted(self.flags()))

    # The row

    def written(self, at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(self.hours.zone).isoformat()

    def row(self, look_again_at: datetime | None) -> dict[str, object]:
        held, end, current, left = self.held, self.cycle.end, self.due_current(), self.remaining()
        running, paused, wall = self.spent()
        level, verdict, verdict_766, flags = self.state()
        return opening(self.cycle) | {
            "clock": "stopped" if self.cycle.clock in ("halted", "withdrawn") else self.cycle.clock,
            "received_at": self.written(self.received),
            "due_original": self.written(held.original.at if held.original else None),
            "due_current": self.written(current.at if current else None),
            "remaining_seconds": None if left is None else seconds(left),
            "ended_at": self.written(end.event.at if end else None),
            "verdict": verdict,
            "verdict_766": verdict_766,
            "level": level,
            "working_seconds": seconds(running),
            "paused_seconds": seconds(paused),
            "off_seconds": seconds(wall - running - paused),
            "wall_seconds": seconds(wall),
            "late_working_seconds": seconds(self.late(held.due)),
            "verdict_unextended": self.verdict(held.twin),
            "late_unextended_seconds": seconds(self.late(held.twin)),
            "breached_in": self.breached_in(),
            "look_again_at": self.written(look_again_at),
            "flags": list(flags),
            "units": self.visits(),
        }


def opening(cycle: Cycle) -> dict[str, object]:
    stations: list[Step] = [step for step in cycle.steps if step.event.kind == "status"]
    return {
        "dossier_code": stations[-1].event.dossier_code,
        "cycle": cycle.number,
        "status": stations[-1].event.status,
    }


def never_started(cycle: Cycle) -> dict[str, object]:
    """The row of a dossier whose clock has not started, or never will."""
    verdict = {"refused": "refused", "given up": "withdrawn"}.get(cycle.clock, "not_started")
    absent = dict.fromkeys(
        ["received_at", "due_original", "due_current", "remaining_seconds", "ended_at", "breached_in", "look_again_at"]
    )
    measures = ["working", "paused", "off", "wall", "late_working", "late_unextended"]
    return (
        opening(cycle)
        | absent
        | {f"{measure}_seconds": 0.0 for measure in measures}
        | {
            "clock": "not_started" if cycle.clock == "not started" else "never",
            "verdict": verdict,
            "verdict_766": "not_counted",
            "verdict_unextended": verdict,
            "level": "none",
            "flags": sorted(cycle.flags),
            "units": [],
        }
    )


def seconds(length: timedelta) -> float:
    return length / SECOND
