"""How a life goes on from receipt to result: stages, hand-overs, pauses, extensions, and what comes after the end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from agents.city.causes import ABSENT, ASTRAY, Episode
from agents.city.knobs import LIVES
from agents.city.lives import MINUTE, SECOND, Pen
from agents.city.office import Due
from agents.city.procedures import (
    AGAIN_PATH,
    APPRAISED,
    CONSULTING_PATH,
    HANDED_OVER,
    LONG_PATH,
    OPINION,
    RECEIVED,
    SHORT_PATH,
    SUBMITTED,
    WORKED_ON,
)
from schemas.office import WORKING_DAY
from streams.calendar import DAY, working_time

SHORT_LIMIT = timedelta(hours=8)
UNLIMITED = timedelta(hours=40)  # what a dossier without any due time is worked on within
Path = Sequence[tuple[str, float]]
HOUR = timedelta(hours=1)
EXTENDED = "extension"  # what is named as the cause where an extension alone made an end later than was promised


def play(pen: Pen) -> None:
    """Tell the whole life, beginning with the receipt."""
    due = _receive(pen)
    budget = working_time(pen.calendar, pen.at, due.at) if due else UNLIMITED
    consults = pen.life.procedure.consults and budget > SHORT_LIMIT
    path = SHORT_PATH if budget <= SHORT_LIMIT else CONSULTING_PATH if consults else LONG_PATH
    if _Course(pen, path, budget, due).run() and pen.happens("reopened"):
        _again(pen)


def _receive(pen: Pen) -> Due | None:
    """Receipt (2), and the due time that holds from then on."""
    life, office = pen.life, pen.city.office
    due = office.term(life.limit, pen.at, life.receiving) if life.limit is not None else None
    fields: dict[str, Any] = {"receiving_unit": life.receiving, "stage": RECEIVED}
    fields["channel"] = life.channel
    if life.case:
        fields["case"] = life.case
    if due is None and life.habit.due:  # the source has an appointment even where the office has no limit
        due = office.closing(pen.calendar.nth_open_day(pen.calendar.day(pen.at), 5))
    if due is not None and life.habit.due:
        due = _named(pen, due, later=life.habit.off_by)
        fields["due"] = _written(pen, due)
    pen.write(2, source=pen.city.places.source(life.receiving), **fields)
    return due


def _named(pen: Pen, due: Due, *, later: int = 0) -> Due:
    """The due time as its source has it, some working days later."""
    if _exact(pen):
        return due
    day = pen.calendar.nth_open_day(due.day, later) if later else due.day
    return pen.city.office.closing(day)


def _written(pen: Pen, due: Due) -> datetime:
    """As it stands in the event: some sources name the date alone, as its midnight."""
    return pen.calendar.at(due.day) if pen.life.habit.midnight and not _exact(pen) else due.at


def _exact(pen: Pen) -> bool:
    return pen.life.limit is not None and pen.life.limit.exact


class _Course:
    """One cycle from its start to its result, within a budget of working time."""

    def __init__(self, pen: Pen, path: Path, budget: timedelta, due: Due | None) -> None:
        self.pen, self.path, self.due = pen, path, due
        least, most = LIVES["used_least"].value, LIVES["used_most"].value
        share = least + (most - least) * (pen.draw.random() + pen.draw.random()) / 2
        short = budget <= SHORT_LIMIT
        self.extended = False
        self.extends = due is not None and not short and not _exact(pen) and pen.happens("extended")
        self.work = budget * (share if not self.extends else pen.draw.uniform(1.05, 1.3))
        self.longer = DAY * (5 + int(budget / WORKING_DAY / 2))  # by so much an extension without a cause moves the due
        self.slack = budget - self.work
        self.breaks = self._breaks(short=short)

    def _breaks(self, *, short: bool) -> dict[str, int]:
        """Which status stops the clock in which stage."""
        pen, breaks = self.pen, {}
        if pen.life.procedure.fee and pen.life.online and pen.happens("fee_request"):
            breaks[WORKED_ON] = 6
        if pen.happens("supplement", 0.1 if short else 1.0):
            breaks[APPRAISED] = 5
        if pen.happens("halted"):
            breaks[APPRAISED] = 8
        if pen.happens("withdrawn"):
            breaks[pen.draw.choice((WORKED_ON, APPRAISED, SUBMITTED))] = 7
        return breaks

    def run(self) -> bool:
        """Tell it; False when it does not come to a result that was handed out."""
        pen, total = self.pen, sum(weight for _, weight in self.path)
        shares = [weight * pen.draw.uniform(0.6, 1.4) for _, weight in self.path]
        scale = min(total / sum(shares), 1.3)
        for (stage, _), share in zip(self.path, shares, strict=True):
            if stage != RECEIVED:
                self._enter(stage)
            work = self.work * (share * scale / total)
            if stage in self.breaks and not self._broken(self.breaks[stage], work):
                return False
            self._spend(stage, work)
        return self._finish()

    def _enter(self, stage: str) -> None:
        pen = self.pen
        home = pen.life.unit
        if stage == OPINION:
            pen.unit = pen.city.places.branches.at(pen.draw.random())
        elif pen.unit != home:
            pen.unit = home
        staff = f"{pen.unit}/{1 + int(pen.draw.random() * 12)}"
        pen.write(4, stage=stage, staff=staff)

    def _spend(self, stage: str, work: timedelta) -> None:
        """Work on the stage, and suffer what befalls it."""
        pen, entered = self.pen, self.pen.at
        for episode in pen.city.causes.at(pen.unit, pen.life.procedure.field):
            delay = episode.delay(pen.calendar, entered, work) if episode.stage == stage else None
            if delay:
                self._suffer(episode, work, delay)
        if self.extends and stage == APPRAISED:
            self._extend(pen.at + MINUTE, self.longer, apology=pen.happens("apology", 0.5))
            self.extends = False
            pen.life.touched.append((pen.at, EXTENDED))
        pen.work(work)

    def _suffer(self, episode: Episode, work: timedelta, delay: timedelta) -> None:
        pen = self.pen
        pen.life.touched.append((pen.at, episode.name))
        will_be_late = self.due is not None and delay > self.slack
        if will_be_late and delay > HOUR:
            self._announce(pen.at + MINUTE)
        self.slack -= delay
        if episode.kind == ASTRAY:
            back, pen.unit = pen.unit, episode.other or pen.unit
            pen.work(MINUTE * 5)
            pen.write(4, stage=HANDED_OVER, reason="chuyen-nham")
            pen.work(delay)
            pen.unit = back
            pen.write(4, stage=HANDED_OVER, reason="tra-lai")
        elif episode.kind == ABSENT:
            pen.work(delay + MINUTE * pen.draw.randint(1, 30))
        else:
            pen.work(delay)
        self._too_late()

    def _announce(self, at: datetime) -> None:
        """What an office does that sees that it will be late: extend, or write the letter, or neither."""
        pen = self.pen
        if pen.happens("saved_by_extension"):
            self._extend(at, DAY * pen.draw.randint(2, 8), apology=pen.happens("apology"))
        elif pen.happens("letter_alone"):
            pen.note("letter", at, letter="apology")

    def _too_late(self) -> None:
        """Some extend when it is too late; that moves nothing."""
        pen, due = self.pen, self.due
        if due is not None and not _exact(pen) and pen.calendar.day(pen.at) > due.day and pen.happens("late_extension"):
            until = pen.city.office.closing(pen.calendar.nth_open_day(pen.calendar.day(pen.at), 3))
            pen.note("extension", pen.at + SECOND, due=until.at, reason="qua-han")

    def _extend(self, at: datetime, by: timedelta, *, apology: bool) -> None:
        """Extend once, at an instant that is before the due time, with or without the letter."""
        pen, due = self.pen, self.due
        if due is None or _exact(pen) or at >= due.at or self.extended:
            return
        day = due.day + by
        until = pen.city.office.closing(day if pen.calendar.is_open(day) else pen.calendar.next_open_day(day))
        pen.note("extension", at, due=until.at, reason="can-xac-minh")
        if apology:
            pen.note("letter", at + SECOND, letter="apology")
        self.due, self.extended = until, True

    def _broken(self, status: int, work: timedelta) -> bool:
        """Stop the clock in the middle of a stage; False when the life ends there."""
        pen = self.pen
        pen.work(work * pen.draw.uniform(0.05, 0.3))
        if status == 7:
            pen.write(7, reason="cong-dan-rut")
            return False
        times = 1 + (status == 5 and pen.happens("second_supplement"))
        for _ in range(times):
            pen.work(MINUTE)
            pen.write(status, reason={5: "thieu-giay-to", 6: "le-phi", 8: "cho-ket-qua-khac"}[status])
            if status != 6 and pen.happens("abandoned" if status == 5 else "halted_for_good"):
                return False
            self._resume(status)
        return True

    def _resume(self, status: int) -> None:
        """The citizen comes back, or pays, or what was waited for is there."""
        pen, began = self.pen, self.pen.at
        hours = {5: (3, 72), 6: (0.1, 14), 8: (8, 120)}[status]
        pen.work(pen.within(hours[0] * 60, hours[1] * 60))
        fields: dict[str, Any] = {}
        if self.due is not None and began < self.due.at:
            left = working_time(pen.calendar, began, self.due.at)
            moved = pen.city.office.after(pen.at, left)
            self.due = moved if moved.at > self.due.at else self.due
            if pen.life.habit.new_due and status != 6 and not _exact(pen):
                self.due = _named(pen, self.due)
                fields["due"] = _written(pen, self.due)
        pen.write(2 if status == 5 and pen.draw.random() < 0.3 else 4, **fields)

    def _finish(self) -> bool:
        """The result (9), and its hand-over (10) when the citizen comes; False when nobody does."""
        pen = self.pen
        if pen.happens("slipped"):
            pen.write(9)
            slip = pen.life.events[-1]["event_id"]
            pen.note("void", pen.at + MINUTE * 3, voids=slip, reason="bam-nham")
            pen.work(MINUTE * 10)
        pen.write(9)
        if pen.happens("never_fetched"):
            return False
        pen.work(pen.within(0.2, 3) if pen.life.online else pen.within(5, 900 if pen.draw.random() < 0.4 else 90))
        pen.unit = pen.life.receiving
        pen.write(10)
        return True


def _again(pen: Pen) -> None:
    """A complaint or a correction opens the dossier again, with an appointment of its own."""
    pen.work(HOUR * pen.draw.randint(2, 40))
    pen.unit = pen.life.unit
    day = pen.calendar.nth_open_day(pen.calendar.day(pen.at), pen.draw.randint(3, 6))
    due = pen.city.office.closing(day)
    if _exact(pen):
        due = pen.city.office.after(pen.at, HOUR * 30)
    pen.write(4, stage=WORKED_ON, reason=pen.draw.choice(("khieu-nai", "dinh-chinh")), due=_written(pen, due))
    budget = working_time(pen.calendar, pen.at, due.at)
    _Course(pen, ((RECEIVED, 0.2), *AGAIN_PATH), budget, due).run()
