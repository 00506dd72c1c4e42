"""What a judge knows of the feeds, shared with all judges through ``dossier.feeds.v1``.

A partition brings a part of a unit's events, so no judge can say by itself that a unit is silent. Each writes what it
heard (coalesced: `streams.feed.step`) *before* the chunk is acknowledged, reads what the others wrote, and asks the
broker how far the group has come. So whatever is committed is also known here, and silence is claimed only up to an
instant before which nothing is left to read, in any partition, whoever has it. When a partition is held, catching up,
or nobody's, that instant stands still, and with it every claim: our own backlog is not the silence of a unit.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from agents.ports import FeedLog, Outbox, Outgoing, Record
from schemas import topics
from schemas.event import Event
from schemas.feed import FEED, FeedRecord, Heard, Release, Silence, dump_feed
from streams.feed import Feed, stale_from, step, survey
from streams.rules import Rules

_EPOCH = datetime.fromtimestamp(0, UTC)

log = structlog.stdlib.get_logger(__name__)


class Feeds:
    """The feeds as one judge knows them; without a ``log`` it knows nothing, and so claims nothing.

    ``silent`` are the units of which nobody can tell anything, ``read_until`` the instant up to which everything that
    came was read (None while that is not known).
    """

    def __init__(self, rules: Rules, log: FeedLog | None = None) -> None:
        self.silent: frozenset[str] = frozenset()
        self.read_until: datetime | None = None
        self._released_until = _EPOCH
        self._rules = rules
        self._log = log
        self._heard: dict[tuple[str, str], datetime] = {}
        self._units: dict[str, datetime] = {}
        self._said: dict[str, datetime] = {}
        self._asked: tuple[datetime, Mapping[int, int]] | None = None
        self._turn = asyncio.Lock()
        self._ready = log is None

    def take_up(self, rules: Rules) -> None:
        """Count office hours by these rules from now on."""
        self._rules = rules

    def heard(self, brought: Iterable[tuple[Record, Event]], *, now: datetime) -> tuple[Heard, ...]:
        """What these events say about their feeds that is worth telling; `tell` when it was told.

        The broker's own time counts, so that reading an old event again is no sign of life.
        """
        least = step(self._rules.edition(now))
        latest: dict[tuple[str, str], tuple[int, Record, Event]] = {}
        for record, event in brought:
            if record.topic == topics.REROUTED.name or event.processing_unit is None:
                continue  # it was heard where it came in; or it says nothing of a unit
            feed = event.processing_unit, event.source or ""
            known = latest.get(feed)
            if known is None or (record.timestamp, event.at) >= (known[0], known[2].at):
                latest[feed] = record.timestamp, record, event
        found = []
        for (unit, source), (timestamp, record, event) in latest.items():
            came = datetime.fromtimestamp(timestamp / 1000, UTC) if timestamp > 0 else now
            if came > self._heard.get((unit, source), _EPOCH) + least:
                found.append(Heard(unit, source, record.partition, came, event.at))
        return tuple(found)

    def tell(self, records: Iterable[FeedRecord]) -> None:
        """These stand on the topic. Taking one again, or an older one, changes nothing."""
        for record in records:
            match record:
                case Heard(unit, source, _, heard_at):
                    self._heard[unit, source] = max(heard_at, self._heard.get((unit, source), _EPOCH))
                    self._units[unit] = max(heard_at, self._units.get(unit, _EPOCH))
                case Silence(unit, heard_at):
                    self._said[unit] = max(heard_at, self._said.get(unit, _EPOCH))
                case Release(until):
                    self._released_until = max(until, self._released_until)

    @property
    def released(self) -> bool:
        """Whether an operator has refused records buried now (`Release`): by the world's clock, a fixed one stands."""
        return datetime.now(UTC) < self._released_until

    async def ready(self, *, now: datetime) -> None:
        """Return when what stands on the topic is known; raises `Unavailable`."""
        if not self._ready:
            await self.refresh(now=now)

    async def refresh(self, *, now: datetime) -> frozenset[str]:
        """Learn what others have heard and how far we all have read; the units that are silent no more.

        Raises `Unavailable`, and what was known then stands.
        """
        if self._log is None:
            return frozenset()
        async with self._turn:
            # In this order: what is committed was written to the topic before that, so it is among the news.
            committed = await self._log.committed()
            self.tell(_read(await self._log.news()))
            self._ready = True
            if self._asked is not None and _reached(committed, self._asked[1]):
                self.read_until, self._asked = self._asked[0], None
            if self._asked is None:
                ends = await self._log.ends()
                if _reached(committed, ends):
                    self.read_until = now
                else:
                    self._asked = now, ends
            before = self.silent
            self.silent = survey(self._units, self._said, before, self._rules.edition(now), read_until=self.read_until)
            return before - self.silent

    async def announce(self, outbox: Outbox, *, now: datetime) -> tuple[Silence, ...]:
        """Write the silences that nobody has told of yet; repeating one after a crash changes nothing.

        Raises `Unavailable`.
        """
        edition, fresh = self._rules.edition(now), []
        for unit in sorted(self.silent):
            last = self._units[unit]
            since = stale_from(Feed(unit, last), edition)
            if self._said.get(unit, _EPOCH) < last and since is not None and last <= (self.read_until or _EPOCH):
                fresh.append(Silence(unit, last, since))
        if fresh:
            await outbox.send([outgoing(silence) for silence in fresh])
            self.tell(fresh)
        for silence in fresh:
            log.warning("feed_silenced", unit=silence.unit, heard_at=silence.heard_at, since=silence.since)
        return tuple(fresh)


def outgoing(record: FeedRecord) -> Outgoing:
    """The record as it goes onto the topic."""
    partition = record.partition if isinstance(record, Heard) else None
    return Outgoing(topics.FEEDS.name, record.key(), dump_feed(record), partition)


def _reached(committed: Mapping[int, int], ends: Mapping[int, int]) -> bool:
    return all(committed.get(partition, 0) >= end for partition, end in ends.items())


def _read(values: Iterable[bytes]) -> Iterator[FeedRecord]:
    for value in values:
        try:
            yield FEED.validate_json(value)
        except ValidationError:
            # archive buries it; here a unit may look silent that is not, and no more.
            log.error("feed_unread", size=len(value))
