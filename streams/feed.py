"""Feeds: whether what happens at a unit still reaches us; from silence nobody can tell anything.

A unit whose feed is *stale* is shown as "cannot tell", never as good: its open dossiers may long be finished, and
its alerts are held (`streams.alerts.decide`).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from streams.limits import AN_INSTANT
from streams.rules import Edition


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
