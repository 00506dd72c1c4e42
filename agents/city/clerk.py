"""The clerk: the answer to one dossier, worked out from its events with pencil and calendar.

It knows what the lives of the city are made of and no more (one calendar for all units, no limits on events), and
shares no rule with `streams`: where the two differ, one of them is wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from agents.city.account import STANDING_STILL, Account, Hand, Promise
from agents.city.office import CityOffice
from streams.calendar import working_time

Event = dict[str, Any]  # as it is sent, `at` and `due` as instants in UTC
Row = dict[str, object]

SHORT = len("1.001193")
FEE = 6
_RANK = {status: rank for rank, status in enumerate((1, 2, 4, 5, 6, 8, 3, 7, 9, 10))}
_OPEN = {2: Hand.RUN, 4: Hand.RUN, 5: Hand.WAIT, 6: Hand.WAIT, 7: Hand.GONE, 8: Hand.HALT, 9: Hand.STOP, 10: Hand.STOP}
EFFECTS: Mapping[Hand, Mapping[int, Hand]] = {
    Hand.NONE: {
        2: Hand.RUN,
        4: Hand.RUN,
        3: Hand.REFUSED,
        7: Hand.GONE,
        8: Hand.HALT,
        9: Hand.STOP,
        10: Hand.STOP,
    },
    Hand.RUN: _OPEN,
    Hand.WAIT: _OPEN,
    Hand.HALT: {status: hand for status, hand in _OPEN.items() if hand is not Hand.HALT},
    Hand.STOP: {4: Hand.RUN},
    Hand.GONE: {},
    Hand.REFUSED: {},
}
_CLOCKS = {Hand.RUN: "running", Hand.WAIT: "paused"}  # of a started cycle; else it is stopped


def in_order(events: Sequence[Event]) -> list[Event]:
    """What happened, in the order in which it counts: repeats once, voided events not at all."""
    once = {str(event["event_id"]): event for event in sorted(events, key=lambda event: event["at"])}
    voided = {event["voids"] for event in once.values() if "voids" in event}
    counting = [event for name, event in once.items() if name not in voided]
    counting.sort(key=lambda event: event["at"])
    ordered: list[Event] = []
    for _, together in groupby(counting, key=lambda event: event["at"]):
        ordered += _same_instant(list(together))
    return ordered


def _same_instant(events: list[Event]) -> list[Event]:
    if len(events) == 1:
        return events
    counted = len({event["source"] for event in events}) == 1
    return sorted(
        events,
        key=lambda event: (
            event["sequence"] if counted else 0,
            _RANK[event["status"]] if "status" in event else len(_RANK),
            event["event_id"],
        ),
    )


class Clerk:
    """Works out the cycles of a dossier as of ``now``."""

    def __init__(self, office: CityOffice, now: datetime) -> None:
        self.office = office
        self.now = now

    def rows(self, code: str, events: Sequence[Event]) -> list[Row]:
        """One row a cycle, in the terms of ``dunghan replay``; none without any status event."""
        return _File(self, code).read(in_order(events))


class _File:
    """One dossier being read."""

    def __init__(self, clerk: Clerk, code: str) -> None:
        self.office, self.now, self.code = clerk.office, clerk.now, code
        self.hand = Hand.NONE
        self.account: Account | None = None
        self.first: str | None = None  # who held it when the cycle began
        self.carried: Event = {}  # an absent field means: as before
        self.status = 0
        self.rows: list[Row] = []

    def read(self, events: Sequence[Event]) -> list[Row]:
        for event in events:
            if "status" in event:
                self._status(event)
            elif event["kind"] == "extension" and self.account is not None:
                self._extension(event, self.account)
        if self.status:
            self.rows.append(self._row())
        return self.rows

    def _extension(self, event: Event, account: Account) -> None:
        due = self.office.named(event["due"])
        if account.hand in (Hand.RUN, *STANDING_STILL) and account.name(due) not in account.known:
            account.extend(due, event["at"])

    def _status(self, event: Event) -> None:
        hand = self._effect(event)
        if hand is Hand.RUN and self.hand is Hand.STOP:
            self.rows.append(self._row())
        self.status = event["status"]
        if hand is not None or (self.hand is Hand.NONE and self.status == 1):
            unit = self.carried.get("processing_unit")
            self.carried.update(event)
            if hand is None:
                self.carried["processing_unit"] = unit
        if hand is None:
            return
        if self.hand is Hand.NONE or (self.hand is Hand.STOP and hand is Hand.RUN):
            self._begin(event, hand)
        elif self.account is not None:
            due = self.office.named(event["due"]) if "due" in event else None
            self.account.turn(hand, event["at"], self.carried["processing_unit"], due)
        self.hand = hand

    def _effect(self, event: Event) -> Hand | None:
        if event["status"] == FEE and event["procedure_code"][:SHORT] in self.office.clock_runs_on:
            return self.hand if self.hand in (Hand.RUN, *STANDING_STILL) else None
        return EFFECTS[self.hand].get(event["status"])

    def _begin(self, event: Event, hand: Hand) -> None:
        if hand in (Hand.GONE, Hand.REFUSED):
            return
        before, carried, at = self.account, self.carried, event["at"]
        unit = self.first = carried["processing_unit"]
        due = self.office.named(event["due"]) if "due" in event else None
        if before is None:
            procedure, receiving = carried["procedure_code"][:SHORT], carried.get("receiving_unit")
            limit = self.office.limit(procedure, carried.get("case"), carried.get("channel"), unit)
            account = Account(self.office, 1, limit is not None and limit.exact, at, unit, set())
            computed = None if limit is None or event["status"] != 2 else self.office.term(limit, at, receiving or unit)
            if due is not None:
                account.appoint(due)
            elif computed is not None:
                account.current.due = account.plain.due = account.original = computed
                account.known.add(account.name(computed))
        else:
            account = Account(self.office, before.number + 1, before.exact, at, unit, before.known)
            account.current.due, account.plain.due = before.current.due, before.plain.due
            account.original, account.appointed = before.current.due, before.current.due is not None
            if due is not None and account.name(due) not in account.known:
                account.appoint(due)
        account.mark = at
        self.account = account
        if hand is not Hand.RUN:
            account.turn(hand, at, unit, None)

    def _row(self) -> Row:
        account = self.account
        if account is None:
            return self._never()
        lived = account.lived(self.now)
        times = {True: timedelta(0), False: timedelta(0)}
        for span in lived:
            times[span.waiting] += working_time(self.office.calendar, span.begin, span.end)
        wall = lived[-1].end - account.begin if lived else timedelta(0)
        late = account.late(account.current, self.now)
        due = account.current.due
        return {
            **self._head(account.number, _CLOCKS.get(account.hand, "stopped")),
            "received_at": self._local(account.begin),
            "due_original": self._local(account.original.at if account.original else None),
            "due_current": self._local(due.at if due and account.current.left is None else None),
            "remaining_seconds": self._remaining(account, account.current),
            "ended_at": self._local(account.ended),
            "verdict": account.verdict(account.current, self.now),
            "verdict_unextended": account.verdict(account.plain, self.now),
            "working_seconds": _seconds(times[False]),
            "paused_seconds": _seconds(times[True]),
            "off_seconds": _seconds(wall - times[False] - times[True]),
            "wall_seconds": _seconds(wall),
            "late_working_seconds": _seconds(late or timedelta(0)),
            "late_unextended_seconds": _seconds(account.late(account.plain, self.now) or timedelta(0)),
            "breached_in": account.holder(due.at, self.first, self.now) if late is not None and due else None,
        }

    def _remaining(self, account: Account, promise: Promise) -> int | None:
        if promise.due is None or account.hand not in (Hand.RUN, *STANDING_STILL):
            return None
        if account.hand is Hand.RUN:
            return _seconds(working_time(self.office.calendar, self.now, promise.due.at))
        return _seconds(promise.left or timedelta(0))

    def _head(self, cycle: int, clock: str) -> Row:
        return {"dossier_code": self.code, "cycle": cycle, "status": self.status, "clock": clock}

    def _never(self) -> Row:
        verdict = {Hand.GONE: "withdrawn", Hand.REFUSED: "refused"}.get(self.hand, "not_started")
        times = ("received_at", "due_original", "due_current", "remaining_seconds", "ended_at")
        lengths = ("working", "paused", "off", "wall", "late_working", "late_unextended")
        return {
            **self._head(1, "not_started" if self.hand is Hand.NONE else "never"),
            **dict.fromkeys(times),
            "verdict": verdict,
            "verdict_unextended": verdict,
            **{f"{name}_seconds": 0 for name in lengths},
            "breached_in": None,
        }

    def _local(self, instant: datetime | None) -> str | None:
        return None if instant is None else instant.astimezone(self.office.zone).isoformat()


def _seconds(length: timedelta) -> int:
    return length.days * 86_400 + length.seconds


def causes(rows: Sequence[Row], touched: Sequence[str]) -> Iterator[tuple[Row, list[str]]]:
    """Each row with what made it late; none of a row that is not."""
    for row in rows:
        late = "overdue" in (row["verdict"], row["verdict_unextended"]) or row["late_working_seconds"]
        yield row, (list(touched) or ["feed"]) if late else []
