"""A file of events, dossier by dossier: sorted by code in bounded memory, however long the file is.

Lines are gathered in runs; a run that is full is written to a temporary file, sorted by dossier, and what is read
in the end is the merge of all runs. A line is judged to be an event only then: the first reading takes no more
from it than its dossier and its time.
"""

import heapq
import marshal
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import IO, NamedTuple

import orjson

from schemas import topics
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event, read_events
from streams.history import History, add, build
from streams.rules import Rules

#: Lines held in memory at a time, some 500 bytes each.
RUN = 200_000

_SIZE = 8  # bytes of the size of a group in a run
_EVER = datetime.min.replace(tzinfo=UTC)
_at = itemgetter(0)
_code = attrgetter("code")


_Line = tuple[int, bytes]  # its number in the file, and its text


class _Group(NamedTuple):
    """The lines of one dossier in one run."""

    code: str
    run: int
    lines: list[_Line]


class EventFile:
    """The events of these lines. ``last`` is the time of the last that can be used, ``lines`` how many there are.

    ``refused`` fills while `histories` is read: the number and the reason of each line that cannot be used.
    """

    def __init__(self, lines: Iterable[bytes], rules: Rules, *, run: int = RUN) -> None:
        self.last: datetime | None = None
        self.lines = 0
        self.refused: list[tuple[int, InvalidRecord]] = []
        self._rules = rules
        self._runs: list[IO[bytes]] = []
        self._open = ExitStack()
        self._gathered: dict[str, list[_Line]] = {}
        numbered = enumerate(lines, start=1)
        while self._gather(islice(numbered, run)) == run:
            self._spill()

    def __enter__(self) -> "EventFile":
        return self

    def __exit__(self, *failure: object) -> None:
        self._open.close()

    @property
    def dossiers(self) -> int | None:
        """How many dossiers there are, those with refused lines alone included; None when only a merge will tell."""
        return None if self._runs else len(self._gathered)

    def _gather(self, numbered: Iterator[_Line]) -> int:
        """Take lines by dossier; return how many there were, blank ones included."""
        gathered = self._gathered
        times: list[tuple[datetime, bytes]] = []
        taken = blank = 0
        for number, text in numbered:
            taken += 1
            if text.isspace():
                blank += 1
                continue
            try:
                code, at = _named(text) or self._read(text)
            except InvalidRecord as refusal:
                self._refuse(number, refusal)
                continue
            times.append((at, text))
            lines = gathered.get(code)
            if lines is None:
                gathered[code] = [(number, text)]
            else:
                lines.append((number, text))
        self.lines += taken - blank
        self._find_last(times)
        return taken

    def _refuse(self, number: int, refusal: InvalidRecord) -> None:
        """Keep the refusal, but not its traceback: that would hold on to the whole run."""
        self.refused.append((number, InvalidRecord(refusal.reason, refusal.message)))

    def _find_last(self, times: list[tuple[datetime, bytes]]) -> None:
        """Move ``last`` on to the latest line that is an event, looking at no more lines than must be."""
        since = self.last or _EVER
        later = [line for line in times if line[0] > since]
        if later and not self._takes_time(max(later, key=_at)):
            any(self._takes_time(line) for line in sorted(later, key=_at, reverse=True))

    def _takes_time(self, line: tuple[datetime, bytes]) -> bool:
        try:
            _, self.last = self._read(line[1])
        except InvalidRecord:
            return False
        return True

    def _spill(self) -> None:
        run = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack is its context
        for code in sorted(self._gathered):
            group = marshal.dumps((code, self._gathered[code]))
            run.write(len(group).to_bytes(_SIZE) + group)
        self._runs.append(run)
        self._gathered = {}

    def histories(self) -> Iterator[History]:
        """The histories of all dossiers that have an event, in the order of their codes. Read it once."""
        runs = [*map(_read_run, range(len(self._runs)), self._runs), self._last_run()]
        for code, groups in groupby(heapq.merge(*runs), key=_code):
            history = self._history(code, [line for group in groups for line in group.lines])
            if history.events:
                yield history

    def _history(self, code: str, lines: list[_Line]) -> History:
        try:
            return build(code, self._all_accepted([text for _, text in lines]))
        except InvalidRecord:
            history = History(code)
            for number, text in lines:
                try:
                    history = add(history, self._accepted(text))
                except InvalidRecord as refusal:
                    self._refuse(number, refusal)
            return history

    def _last_run(self) -> Iterator[_Group]:
        for code in sorted(self._gathered):
            yield _Group(code, len(self._runs), self._gathered.pop(code))

    def _read(self, text: bytes) -> tuple[str, datetime]:
        event = self._accepted(text)
        return event.dossier_code, event.at

    def _accepted(self, text: bytes) -> Event:
        return self._all_accepted([text])[0]

    def _all_accepted(self, texts: list[bytes]) -> list[Event]:
        """The events in these lines; raises `InvalidRecord` when one of them is none."""
        if max(map(len, texts)) > topics.EVENTS.max_message_bytes:
            raise InvalidRecord("oversized", "the line is longer than a record may be")
        events = read_events(texts) if len(texts) > 1 else [read_event(texts[0])]
        for event in events:
            self._rules.check_codes(event)
        return events


def _named(text: bytes) -> tuple[str, datetime] | None:
    """The dossier and the time that a line names; None where it takes a closer look to tell."""
    try:
        read = orjson.loads(text)
        code, at = read["dossier_code"], datetime.fromisoformat(read["at"])
        return (code, at.astimezone(UTC)) if isinstance(code, str) and at.tzinfo is not None else None
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _read_run(number: int, run: IO[bytes]) -> Iterator[_Group]:
    run.seek(0)
    while size := run.read(_SIZE):
        # It was written above, into a file that nobody else can open.
        code, lines = marshal.loads(run.read(int.from_bytes(size)))  # noqa: S302
        yield _Group(code, number, lines)
