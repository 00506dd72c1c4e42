"""A file of events, dossier by dossier: sorted by code in bounded memory, however long the file is.

Lines are gathered in runs; a run that is full is written to a temporary file, sorted by dossier, and what is read
in the end is the merge of all runs. A line is judged to be an event only then: the first reading takes no more
from it than its dossier and its time.
"""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import IO, NamedTuple

import orjson

from schemas import topics
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event
from streams.history import History, add
from streams.rules import Rules

#: Lines held in memory at a time, some 500 bytes each.
RUN = 200_000

_EVER = datetime.min.replace(tzinfo=UTC)
_at = itemgetter(2)


_Line = tuple[int, bytes, datetime]  # its number, its text, and the time that it names


class _Group(NamedTuple):
    """The lines of one dossier in one run; they must be read before the next group of the run is."""

    code: str
    run: int
    lines: Iterator[tuple[int, bytes]]


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
        numbered = ((number, line) for number, line in enumerate(lines, start=1) if not line.isspace())
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

    def _gather(self, numbered: Iterator[tuple[int, bytes]]) -> int:
        """Take lines by dossier; return how many there were."""
        before, gathered = self.lines, self._gathered
        for number, text in numbered:
            self.lines += 1
            try:
                code, at = _named(text) or self._read(text)
            except InvalidRecord as refusal:
                self._refuse(number, refusal)
                continue
            lines = gathered.get(code)
            if lines is None:
                lines = gathered[code] = []
            lines.append((number, text, at))
        self._find_last()
        return self.lines - before

    def _refuse(self, number: int, refusal: InvalidRecord) -> None:
        """Keep the refusal, but not its traceback: that would hold on to the whole run."""
        self.refused.append((number, InvalidRecord(refusal.reason, refusal.message)))

    def _find_last(self) -> None:
        """Move ``last`` on to the latest line that is an event, looking at no more lines than must be."""
        since = self.last or _EVER
        later = [line for group in self._gathered.values() for line in group if line[2] > since]
        if later and not self._takes_time(max(later, key=_at)):
            any(self._takes_time(line) for line in sorted(later, key=_at, reverse=True))

    def _takes_time(self, line: _Line) -> bool:
        try:
            _, self.last = self._read(line[1])
        except InvalidRecord:
            return False
        return True

    def _spill(self) -> None:
        run = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack is its context
        for code in sorted(self._gathered):
            lines = self._gathered[code]
            run.write(b"%d %s\n" % (len(lines), orjson.dumps(code)))
            run.writelines([b"%d %s\n" % (number, text.rstrip()) for number, text, _ in lines])
        self._runs.append(run)
        self._gathered = {}

    def histories(self) -> Iterator[History]:
        """The histories of all dossiers that have an event, in the order of their codes. Read it once."""
        runs = [*map(_read_run, range(len(self._runs)), self._runs), self._last_run()]
        history: History | None = None
        for group in heapq.merge(*runs):
            if history is None or history.dossier_code != group.code:
                if history is not None and history.events:
                    yield history
                history = History(group.code)
            for number, text in group.lines:
                try:
                    history = add(history, self._accepted(text))
                except InvalidRecord as refusal:
                    self._refuse(number, refusal)
        if history is not None and history.events:
            yield history

    def _last_run(self) -> Iterator[_Group]:
        for code in sorted(self._gathered):
            yield _Group(code, len(self._runs), ((number, text) for number, text, _ in self._gathered.pop(code)))

    def _read(self, text: bytes) -> tuple[str, datetime]:
        event = self._accepted(text)
        return event.dossier_code, event.at

    def _accepted(self, text: bytes) -> Event:
        if len(text) > topics.EVENTS.max_message_bytes:
            raise InvalidRecord("oversized", "the line is longer than a record may be")
        event = read_event(text)
        self._rules.check_codes(event)
        return event


def _named(text: bytes) -> tuple[str, datetime] | None:
    """The dossier and the time that a line names; None where it takes a closer look to tell."""
    try:
        read = orjson.loads(text)
        code, at = read["dossier_code"], datetime.fromisoformat(read["at"])
    except (ValueError, TypeError, KeyError):
        return None
    return (code, at) if isinstance(code, str) and at.tzinfo is not None else None


def _read_run(number: int, run: IO[bytes]) -> Iterator[_Group]:
    run.seek(0)
    while heading := run.readline():
        count, _, code = heading.partition(b" ")
        yield _Group(orjson.loads(code), number, map(_numbered, islice(run, int(count))))


def _numbered(line: bytes) -> tuple[int, bytes]:
    number, _, text = line.partition(b" ")
    return int(number), text
