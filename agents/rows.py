"""Judgements, alerts and dead letters as rows of the ClickHouse tables. Pure: equal values are equal rows.

The tables and the meaning of their columns stand in ``schemas/tables``; here is only which value goes where.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schemas.alert import Alert
from schemas.assessment import Assessment, Cycle, Level, Version
from schemas.dossier import DeadLetter, Judgement, digest, dump
from schemas.event import Event
from schemas.feed import Heard, Release, Silence
from schemas.rulebook import Change

Row = tuple[object, ...]

EVENTS = "events"
ASSESSMENTS = "assessments"
ALERTS = "alerts"
DEAD_LETTERS = "dead_letters"
ARRIVALS = "arrivals"
VERDICT_CHANGES = "verdict_changes"
FEEDS = "feeds"
SILENCES = "silences"
RELEASES = "releases"
CHANGES = "changes"

_VERSION = ("version", "version_events", "version_rules", "version_as_of")
_SEGMENT = ("begin", "end", "paused", "unit", "stage", "working_seconds")
_SPAN = ("begin", "end", "bucket", "unit")
_REACHED = ("level", "begin", "end", "due")
_TURNED = ("raised", "replaced", "resolved", "retracted", "retimed", "held")

#: The columns of each table in the order of its rows.
COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: (
        *("dossier_code", "event_id", "digest", "at", "kind", "status", "procedure", "procedure_case", "channel"),
        *("receiving_unit", "processing_unit", "stage", "due", "limit_value", "limit_unit", "voids", "reason"),
        *("letter", "staff", "source", "sequence"),
    ),
    ASSESSMENTS: (
        *("dossier_code", "cycle", "is_deleted", *_VERSION),
        *("status", "clock", "verdict", "verdict_766", "verdict_unextended", "level"),
        *("procedure", "procedure_case", "channel", "receiving_unit", "unit", "stage"),
        *("limit_applied", "exact", "policy_version", "rules_from"),
        *("received_at", "ended_at", "due_original", "due_current", "due_unextended", "remaining_seconds"),
        *("current_since", "used_working_seconds", "used_paused_seconds", "used_off_seconds"),
        *("used_late_working_seconds", "used_late_unextended_seconds", "breached_in", "look_again_at", "flags"),
        *(f"segments.{name}" for name in _SEGMENT),
        *(f"spans.{name}" for name in _SPAN),
        *(f"levels.{name}" for name in _REACHED),
    ),
    ALERTS: (
        *(
            "dossier_code",
            "alert_id",
            "sequence",
            "action",
            "digest",
            *_VERSION,
            "cycle",
            "level",
            "reason",
            "at",
            "due",
        ),
        *("due_original", "found_late", "procedure", "unit", "stage", "policy_version", "rules_from", "change"),
    ),
    ARRIVALS: ("dossier_code", "event_id", "digest", "seen_at"),
    VERDICT_CHANGES: (
        *("dossier_code", "cycle", *_VERSION, "verdict", "level", "due", "cause", "causing_events", "seen_at"),
    ),
    DEAD_LETTERS: ("topic", "partition", "offset", "sha256", "reason", "detail", "size", "source", "buried_at"),
    FEEDS: ("unit", "source", "partition", "version", "heard_at", "at"),
    SILENCES: ("unit", "heard_at", "since"),
    RELEASES: ("until", "at", "by"),
    CHANGES: ("change", "partition", "unit", *_TURNED),
}

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)

#: A deleted cycle: everything but key and version is empty.
_NOTHING = Cycle(0, 0, "never", "not_started", "not_counted", "not_started", Level.NONE)


def version_number(version: Version) -> int:
    """The version as one number that rises as its parts do, in their order: the column ``version``.

    >>> old, new = Version(2, 7, _EPOCH + timedelta(days=9)), Version(3, 1, _EPOCH)
    >>> version_number(old) < version_number(new) < version_number(Version(3, 1, _EPOCH + _MICROSECOND))
    True
    """
    return version.events << 96 | version.rules << 64 | _microseconds(version.as_of)


def event_row(event: Event) -> Row:
    """The row of one accepted event."""
    limit = event.limit
    return (
        *(event.dossier_code, event.event_id, digest(dump(event)), event.at, event.kind, event.status),
        *(event.procedure_code, event.case, event.channel, event.receiving_unit, event.processing_unit),
        *(event.stage, event.due, limit and limit.value, limit and limit.unit, event.voids, event.reason),
        *(event.letter, event.staff, event.source, event.sequence),
    )


def arrival_row(event: Event, seen_at: datetime) -> Row:
    """The row of one arrival of an event."""
    return event.dossier_code, event.event_id, digest(dump(event)), seen_at


def arrival_rows(judgement: Judgement) -> Iterator[Row]:
    """A row an event that says when it arrived; none in a judgement that does not say."""
    for event, seen_at in zip(judgement.events, judgement.arrived, strict=False):
        yield arrival_row(event, seen_at)


def change_rows(judgement: Judgement) -> Iterator[Row]:
    """A row a cycle of which something new was said."""
    answer, news = judgement.assessment, judgement.news
    if news is None:
        return
    for standing in news.standings:
        yield (
            *(answer.dossier_code, standing.cycle, *_version(answer.version)),
            *(standing.verdict, standing.level, standing.due),
            *(news.cause, [event.event_id for event in judgement.events], news.seen_at),
        )


def assessment_rows(judgement: Judgement) -> Iterator[Row]:
    """A row a cycle, and a deleted one for every cycle that the dossier once had and has no more."""
    assessment = judgement.assessment
    for cycle in assessment.cycles:
        yield _cycle_row(assessment, cycle.cycle, cycle, is_deleted=False)
    for number in range(len(assessment.cycles) + 1, judgement.highest_cycle + 1):
        yield _cycle_row(assessment, number, _NOTHING, is_deleted=True)


def _cycle_row(assessment: Assessment, number: int, cycle: Cycle, *, is_deleted: bool) -> Row:
    segments, spans, levels, used = cycle.segments, cycle.spans, cycle.levels, cycle.used
    goes_on = bool(segments) and segments[-1].end is None
    return (
        *(assessment.dossier_code, number, int(is_deleted), *_version(assessment.version)),
        *(cycle.status, cycle.clock, cycle.verdict, cycle.verdict_766, cycle.verdict_unextended, cycle.level),
        *(cycle.procedure, cycle.case, cycle.channel, cycle.receiving_unit, cycle.unit, cycle.stage),
        *(cycle.limit, cycle.exact, cycle.policy_version, cycle.rules_from),
        *(cycle.received_at, cycle.ended_at, cycle.due_original, cycle.due_current, cycle.due_unextended),
        *(cycle.remaining_seconds, segments[-1].begin if goes_on else None),
        *(used.working_seconds, used.paused_seconds, used.off_seconds),
        *(used.late_working_seconds, used.late_unextended_seconds),
        *(cycle.breached_in, cycle.look_again_at, sorted(cycle.flags)),
        *([getattr(segment, name) for segment in segments] for name in _SEGMENT),
        *([getattr(span, name) for span in spans] for name in _SPAN),
        *([getattr(reached, name) for reached in levels] for name in _REACHED),
    )


def alert_row(alert: Alert) -> Row:
    """The row of one action on one alert."""
    return (
        *(
            alert.dossier_code,
            alert.alert_id,
            alert.sequence,
            alert.action,
            digest(dump(alert)),
            *_version(alert.version),
        ),
        *(alert.cycle, alert.level, alert.reason, alert.at, alert.due, alert.due_original, alert.found_late),
        *(alert.procedure, alert.unit, alert.stage, alert.policy_version, alert.rules_from, alert.change),
    )


def turned_rows(change: Change) -> Iterator[Row]:
    """A row a unit of the grouped record."""
    for turned in change.units:
        yield change.change, change.partition, turned.unit or "", *(getattr(turned, name) for name in _TURNED)


def dead_letter_row(letter: DeadLetter) -> Row:
    """The row of one refused record, without its bytes."""
    return (
        *(letter.topic, letter.partition, letter.offset, letter.sha256, letter.reason, letter.detail, letter.size),
        *(letter.source, letter.buried_at),
    )


def heard_row(heard: Heard) -> Row:
    """The row of one sign of life; its version rises with the time at which it came."""
    version = _microseconds(heard.heard_at) << 64 | _microseconds(heard.at)
    return heard.unit, heard.source, heard.partition, version, heard.heard_at, heard.at


def silence_row(silence: Silence) -> Row:
    """The row of one silence."""
    return silence.unit, silence.heard_at, silence.since


def release_row(release: Release) -> Row:
    """The row of one release."""
    return release.until, release.at, release.by


def _version(version: Version) -> Row:
    return version_number(version), version.events, version.rules, version.as_of


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
