"""Resend: dead letters go back onto ``dossier.events.v1``, unchanged or corrected, when their cause is gone.

What would be refused again is not sent, or it would go round for ever; nor is what was resent already.
The bytes are the same, and so is the event id: an event that counts already counts once. A record that was
resent says in its header ``resent_from`` which letter it was; buried again, its new letter says so, and is
resent only when a person names it.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import orjson

from agents.audit import Book
from agents.dead_letters import FRAMING, RESENT_FROM, Letter
from agents.publish import Check
from schemas import topics
from schemas.audit import Entry, audit_id
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event
from streams.history import FULL

#: What stood there was meant to be an event.
OF_EVENTS = (topics.EVENTS.name, topics.REROUTED.name)
#: Letters that are sent in one go: they are held in memory with their bytes.
MOST = 10_000
#: With its header it must be taken by the topic.
LARGEST = topics.EVENTS.max_message_bytes - FRAMING
_ID = re.compile(r"[^\x00-\x1f\x7f]{1,64}")

Full = Callable[[Collection[str]], Collection[str]]  #: which of these dossiers have no room for one more event


class Outlet(Protocol):
    """The way onto ``dossier.events.v1``; both raise `Unavailable`."""

    def forward(self, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Take a record as it is; it may be acknowledged later."""
        ...

    def finish(self) -> None:
        """Return when every record taken has been acknowledged."""
        ...


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter that can be sent: its bytes, or those that correct them, and the event that they are."""

    letter: Letter
    value: bytes
    event: Event


@dataclass(slots=True)
class Plan:
    """What would be sent of the letters that were selected, and why the others would not.

    ``resent`` is what was done already, by name and hash; ``named`` says that a person has named each of them.
    """

    check: Check
    resent: Mapping[tuple[str, str], datetime]
    named: bool = False
    correction: bytes | None = None
    ready: list[Ready] = field(default_factory=list)
    refused: list[tuple[Letter, InvalidRecord]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    more: int = 0

    def take(self, letter: Letter) -> None:
        """Judge one more letter."""
        if len(self.ready) >= MOST:
            self.more += 1
            return
        try:
            self.ready.append(self._ready(letter))
        except InvalidRecord as refusal:
            self._refuse(letter, refusal)

    def _refuse(self, letter: Letter, refusal: InvalidRecord) -> None:
        self.counts[refusal.reason] += 1
        if len(self.refused) < MOST:
            self.refused.append((Letter(letter.about, letter.key, None), refusal))

    def _ready(self, letter: Letter) -> Ready:
        about = letter.about
        if (about.name, about.sha256) in self.resent:
            raise InvalidRecord("resent_already", "it was resent already")
        if about.topic not in OF_EVENTS:
            raise InvalidRecord("not_an_event", "it never was an event: a record of ours, to be reported")
        if about.resent_from is not None and not self.named:
            raise InvalidRecord(
                "buried_again", f"it was resent as {about.resent_from} before: name it to send it again"
            )
        value = letter.value if self.correction is None else self.correction
        if self.correction is None and not letter.whole:
            raise InvalidRecord("bytes_missing", "its bytes were too long to be kept, or are not those of its hash")
        if len(value or b"") > LARGEST:
            raise InvalidRecord("oversized", "it is larger than a record may be")
        event = read_event(value)
        self.check(event)
        if self.correction is not None:
            _keep_id(letter, event)
        return Ready(letter, value or b"", event)

    def leave_out_full(self, full: Full) -> None:
        """Refuse what would be refused because its dossier has no room."""
        without_room = full({ready.event.dossier_code for ready in self.ready})
        refusal = InvalidRecord("history_full", f"the dossier has {FULL} events already")
        for ready in self.ready:
            if ready.event.dossier_code in without_room:
                self._refuse(ready.letter, refusal)
        self.ready = [ready for ready in self.ready if ready.event.dossier_code not in without_room]


def _keep_id(letter: Letter, event: Event) -> None:
    """A correction is the same event; only one whose id could not be read, or used, has none to keep."""
    try:
        said = orjson.loads(letter.value or b"")
    except orjson.JSONDecodeError:
        return
    known = said.get("event_id") if isinstance(said, dict) else None
    if isinstance(known, str) and _ID.fullmatch(known) is not None and known != event.event_id:
        raise InvalidRecord("event_id_changed", "the correction has another event_id than the letter")


def resend(plan: Plan, book: Book, outlet: Outlet, *, by: str, now: Callable[[], datetime]) -> None:
    """Send what is ready, written down before and after; raises `Unavailable`, then doing it again is safe."""
    at = now()
    entries = [_entry(ready, by=by, at=at) for ready in plan.ready]
    book.write("begun", entries)
    for ready in plan.ready:
        name = ready.letter.about.name.encode()
        outlet.forward(ready.event.dossier_code.encode(), ready.value, ((RESENT_FROM, name),))
    outlet.finish()
    at = now()
    book.write("done", [replace(entry, at=at) for entry in entries])


def _entry(ready: Ready, *, by: str, at: datetime) -> Entry:
    about, sha256 = ready.letter.about, hashlib.sha256(ready.value).hexdigest()
    return Entry(
        audit_id("resend", about.name, about.sha256, sha256),
        "resend",
        about.name,
        about.sha256,
        ready.event.dossier_code,
        ready.event.event_id,
        sha256,
        about.reason,
        at,
        by,
    )
