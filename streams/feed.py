"""Feeds: whether what happens at a unit still reaches us; from silence nobody can tell anything.

A unit whose feed is *stale* is shown as "cannot tell", never as good: its open dossiers may long be finished, and
its alerts are held (`streams.alerts.decide`).
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from streams.limits import AN_INSTANT
from streams.rules import Edition

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed of one unit: the latest sign of life from it, an event or a heartbeat; null before the first."""

    unit: str
    heard_at: datetime | None = None


def hear(feed: Feed, at: datetime) -> Feed:
    """The feed after a sign of life that reached us at ``at``; the very same when a later one is known."""
    return feed if feed.heard_at is not None and at <= feed.heard_at else replace(feed, heard_at=at)


def stale_from(feed: Feed, edition: Edition) -> datetime | None:
    """From when on the feed is stale if nothing more comes: silent for longer than the office allows.

    Silence counts in the unit's office hours (``levels.silent_feed`` of office.yaml). None for a unit that was never
    heard of: it is not a feed yet.
    """
    if feed.heard_at is None:
        return None
    calendar = edition.calendar(feed.unit)
    return calendar.reach(calendar.worked(feed.heard_at) + edition.office.levels.silent_feed + AN_INSTANT)


def is_stale(feed: Feed, edition: Edition, *, read_until: datetime) -> bool:
    """Whether nobody can tell how the dossiers of this unit stand.

    ``read_until`` is the instant up to which we have read all that has come: now, unless we ourselves are behind.
    So our own backlog is never taken for the silence of a unit.
    """
    since = stale_from(feed, edition)
    return since is not None and since <= read_until


def step(edition: Edition) -> timedelta:
    """How much later than what is known a sign of life must be to be worth telling: a hundred-twentieth of the silence
    that the office allows, a minute for two hours. What is known is never older than that.
    """
    return edition.office.levels.silent_feed / 120


def survey(
    heard: Mapping[str, datetime],
    said: Mapping[str, datetime],
    silent: Container[str],
    edition: Edition,
    *,
    read_until: datetime | None,
) -> frozenset[str]:
    """The units of which nobody can tell anything now.

    ``heard`` has the last known sign of life of each unit (up to `step` older than the last one), ``said`` the one
    after which its last silence was told, ``silent`` are the units that were silent at the last survey. ``read_until``
    is as in `is_stale`, and None while that is not known: then nobody falls silent. What was said stands until the
    unit is heard again, also after a restart. A unit that comes back stays silent until all that came with its first
    sign of life is read: otherwise dossiers would be told late whose completion is on its way.
    """

    def unknown(unit: str, last: datetime) -> bool:
        if said.get(unit, _NEVER) >= last:
            return True
        if read_until is None or read_until < last:
            return unit in silent
        return is_stale(Feed(unit, last + step(edition)), edition, read_until=read_until)

    return frozenset(unit for unit, last in heard.items() if unknown(unit, last))
