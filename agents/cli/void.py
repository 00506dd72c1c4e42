"""``dunghan void``: take an event back, after a look at what that changes."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from agents.cli.options import By, Config, Yes
from agents.cli.screen import say, say_columns, settings_with, warn
from agents.void import Change
from schemas.alert import Alert
from schemas.errors import ConfigError
from schemas.event import canonical


def void(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Id of the event that was wrong.")],
    reason: Annotated[str, typer.Option(help="Why, as a code: wrong-dossier, say; never a sentence.")],
    dossier: Annotated[
        str | None, typer.Option(help="Its dossier's code; needed when several dossiers have an event of this id.")
    ] = None,
    config: Config = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Take back an event that was wrong, without waiting for its sender; written down in the table `audit`.

    The event is looked up in ClickHouse, and what changes is shown before anything is sent. Doing it twice is one
    void. Nothing is deleted: if something else is true, send that as an event of its own.

    Exit code 0: the void is acknowledged, or the event was taken back before.
    """
    from agents.audit import person
    from agents.cli.publish import office_now
    from agents.clock import clock_for
    from agents.config import load
    from agents.drivers.audit_book import AuditBook
    from agents.drivers.desk import Desk
    from agents.drivers.kafka_outlet import KafkaOutlet
    from agents.publish import office_check
    from agents.void import changes, name_of, standing_void, take_back, told, void_of, wrong_event
    from streams.history import build

    settings = settings_with(config)
    who = person(by)
    rules = load(settings.config)
    with Desk.open(settings) as desk:
        code = dossier or _dossier(event, desk.dossiers(event))
        history = build(code, desk.events(code))
        sent = desk.alerts(code)
    wrong = wrong_event(history, event)
    known = standing_void(history, event)
    if known is not None:
        say(f"{event} of {code} was taken back by {known.event_id} already, at {known.at.isoformat()}")
        return
    clock = clock_for(settings.now)
    clock.saw(history.events[-1].at)
    now = clock.now()
    with AuditBook.open(settings) as book:
        begun = book.begun(name_of(wrong))
        if begun is not None:
            warn(f"begun by {begun.by} at {begun.at.isoformat()} with reason {begun.reason}: it goes on as that")
            reason = begun.reason
        draft = void_of(wrong, reason=reason, at=begun.at if begun is not None and clock.live else now)
        office_check(rules, office_now(settings))(draft)
        say(f"{code}: {canonical(wrong).decode()}")
        say(f"without it, as of {now.isoformat(timespec='seconds')}:")
        _say_effect(
            changes(history, draft, rules, now=now),
            told(history, draft, rules, sent, now=now) if clock.live else (),
        )
        if not yes:
            typer.confirm(f"Take {event} back?", abort=True, err=True)
        with KafkaOutlet(settings) as outlet:
            at = None if clock.live else now
            done = take_back(wrong, reason, book, outlet, by=who, at=at, now=lambda: datetime.now(UTC))
    say(f"taken back by {done.event_id}, acknowledged")


def _dossier(event_id: str, found: Sequence[str]) -> str:
    """The one dossier that has the event."""
    if not found:
        raise ConfigError("event_unknown", f"no accepted event {event_id} is known")
    if len(found) > 1:
        raise ConfigError("event_ambiguous", f"{', '.join(found)} have an event {event_id}: say --dossier")
    return found[0]


def _say_effect(changes: Iterable[Change], alerts: Iterable[Alert]) -> None:
    lines = [(f"cycle {each.cycle}", each.field, _shown(each.before), "→", _shown(each.after)) for each in changes]
    lines += [
        (f"cycle {alert.cycle}", "alert", alert.level.value, "→", f"{alert.action} ({alert.reason})")
        for alert in alerts
    ]
    if lines:
        say_columns(lines)
    else:
        say("  nothing changes")


def _shown(value: object) -> str:
    return "–" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode().strip('"')
