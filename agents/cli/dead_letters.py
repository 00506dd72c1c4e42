"""``dunghan dead-letters``: what was refused, looked at, and sent again when its cause is gone."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.files import opened
from agents.cli.options import By, Config, Yes
from agents.cli.replay import read_now
from agents.cli.screen import progress, say, say_columns, settings_with, warn
from agents.dead_letters import Letter
from agents.letters import Overview, Selection, Sieve
from agents.resend import Plan
from agents.settings import Settings
from schemas import topics
from schemas.dossier import DeadLetter
from schemas.errors import DunghanError

SOME_REFUSED = 3
SHOWN = 20
#: No failure: there is nothing left to do for these.
SETTLED = "resent_already"

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Letters = Annotated[list[str] | None, typer.Argument(help="Letters by name, as `list` shows them; default: all.")]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only this reason; repeat for more.")]
From = Annotated[str | None, typer.Option("--topic", help="Only records that stood on this topic.")]
Partition = Annotated[int | None, typer.Option(min=0, help="Only records that stood on this partition.")]
Dossier = Annotated[str | None, typer.Option(help="Only records that were sent under this dossier's code.")]
Source = Annotated[str | None, typer.Option(help="Only records that name this publishing system.")]
Since = Annotated[
    str | None, typer.Option(help="Only what was buried at this instant or later (ISO 8601 with offset).")
]
Until = Annotated[str | None, typer.Option(help="Only what was buried before this instant.")]


@app.callback()
def dead_letters() -> None:
    """List, show and resend the records that were refused; their bytes stand in Kafka alone, for 30 days."""


@app.command("list")
def list_letters(
    reason: Reasons = None,
    topic: From = None,
    partition: Partition = None,
    dossier: Dossier = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=0, help="How many to name, the latest; counted are all.")] = SHOWN,
) -> None:
    """Count what was refused, by reason, and name the latest; a letter's name is where the record stood."""
    settings = settings_with()
    sieve = Sieve(_selection(None, reason, topic, partition, dossier, source, since, until))
    overview = Overview(limit)
    _read(settings, sieve, lambda letter: overview.take(letter.about))
    if not overview.counts:
        say("no letters")
        return
    counted = ((why, where, f"{count:,}") for (why, where), count in overview.counts.most_common())
    say_columns([("reason", "topic", "letters"), *counted], right=1)
    if overview.latest:
        say("")
        resent = _resent(settings)
        say_columns(
            [("letter", "buried", "reason", "source", "bytes", ""), *(_line(each, resent) for each in overview.latest)]
        )


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="Its name, as `list` shows it: dossier.events.v1/3/1234, say.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Print its bytes and nothing else, for a file to correct.")
    ] = False,
) -> None:
    """Print one letter with its bytes. They may hold personal data: do not pass them on."""
    settings = settings_with()
    found: list[Letter] = []
    sieve = Sieve(Selection(names=frozenset({letter})))
    _read(settings, sieve, found.append)
    sieve.check_found()
    (buried,) = found
    if raw:
        sys.stdout.buffer.write(buried.value or b"")
        sys.stdout.buffer.flush()
        return
    about = buried.about
    after = _afterwards(about, _resent(settings))
    lines = [
        ("letter", about.name),
        ("reason", about.reason),
        ("detail", about.detail),
        ("buried", _instant(about.buried_at)),
        ("source", about.source or "–"),
        ("size", f"{about.size:,} bytes"),
        ("sha256", about.sha256),
        ("key", _printable(buried.key or b"")),
        *([("", after)] if after else []),
    ]
    say_columns(lines)
    if not buried.whole:
        warn("the bytes are not here: too long for this topic, or changed since")
    warn("the bytes may hold personal data: do not pass them on")
    say(_printable(buried.value or b""))


@app.command()
def resend(
    letters: Letters = None,
    reason: Reasons = None,
    topic: From = None,
    partition: Partition = None,
    dossier: Dossier = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    file: Annotated[
        Path | None, typer.Option(help="Send the corrected bytes of this file instead; for one letter, its id kept.")
    ] = None,
    config: Config = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Send letters back onto the events, when their cause is gone; written down in the table `audit`.

    Each is checked first by the rules of today: what would be refused again is not sent, nor is what was resent
    already. A letter that was buried again after it had been resent is sent only when it is named.

    Exit code 0: all is acknowledged, or was resent before. 3: some would be refused again, the rest is acknowledged.
    """
    from agents.audit import person
    from agents.cli.publish import office_now
    from agents.config import load
    from agents.drivers.audit_book import AuditBook
    from agents.drivers.desk import Desk
    from agents.drivers.kafka_outlet import KafkaOutlet
    from agents.publish import office_check
    from agents.resend import resend as send

    if file is not None and len(letters or ()) != 1:
        raise typer.BadParameter("--file corrects one letter: name it")
    settings = settings_with(config)
    who = person(by)
    check = office_check(load(settings.config), office_now(settings))
    sieve = Sieve(_selection(letters, reason, topic, partition, dossier, source, since, until))
    with AuditBook.open(settings) as book:
        plan = Plan(check, book.done("resend"), bool(letters), None if file is None else _content(file))
        _read(settings, sieve, plan.take)
        sieve.check_found()
        with Desk.open(settings) as desk:
            plan.leave_out_full(desk.full)
        _tell(plan)
        if plan.ready:
            if not yes:
                typer.confirm(f"Send {len(plan.ready):,} letters back?", abort=True, err=True)
            with KafkaOutlet(settings) as outlet:
                send(plan, book, outlet, by=who, now=lambda: datetime.now(UTC))
    say(f"{len(plan.ready):,} letters resent and acknowledged")
    if plan.more:
        say(f"{plan.more:,} more were not looked at: run it again")
    if plan.counts.total() > plan.counts[SETTLED]:
        raise typer.Exit(SOME_REFUSED)


def _selection(
    letters: list[str] | None,
    reasons: list[str] | None,
    topic: str | None,
    partition: int | None,
    dossier: str | None,
    source: str | None,
    since: str | None,
    until: str | None,
) -> Selection:
    return Selection(
        frozenset(letters or ()),
        frozenset(reasons or ()),
        topic,
        partition,
        dossier,
        source,
        read_now(since),
        read_now(until),
    )


def _read(settings: Settings, sieve: Sieve, take: Callable[[Letter], None]) -> None:
    """Read all that the selection can mean; raises `Unavailable`."""
    from agents.drivers.letters import read_letters

    partitions = sieve.selection.partitions(settings.partitions)

    async def read() -> None:
        with progress() as bar:
            task = bar.add_task("reading letters", total=None)
            async for there, records in read_letters(settings, partitions):
                for letter in sieve.letters(records):
                    take(letter)
                bar.update(task, total=there, advance=len(records))

    asyncio.run(read())
    if sieve.strangers:
        warn(f"{sieve.strangers:,} records on {topics.DEAD_LETTERS.name} are no letters of this program")


def _resent(settings: Settings) -> Mapping[tuple[str, str], datetime]:
    """What was resent, and when; nothing, and a word about it, when ClickHouse does not say."""
    from agents.drivers.audit_book import AuditBook

    try:
        with AuditBook.open(settings) as book:
            return book.done("resend")
    except DunghanError as failure:
        warn(f"what was resent is not known: {failure}")
        return {}


def _tell(plan: Plan) -> None:
    """What would be sent, and every letter that would not, with the reason."""
    dossiers = len({ready.event.dossier_code for ready in plan.ready})
    warn(f"{len(plan.ready):,} letters of {dossiers:,} dossiers can be sent")
    for reason, count in sorted(plan.counts.items()):
        warn(f"  {count:,} not: {reason}")
    unsettled = [(letter, refusal) for letter, refusal in plan.refused if refusal.reason != SETTLED]
    for letter, refusal in unsettled[:SHOWN]:
        warn(f"{letter.about.name}: {refusal}")
    if len(unsettled) > SHOWN:
        warn("…")


def _line(letter: DeadLetter, resent: Mapping[tuple[str, str], datetime]) -> tuple[str, ...]:
    after = _afterwards(letter, resent)
    return letter.name, _instant(letter.buried_at), letter.reason, letter.source or "–", f"{letter.size:,}", after


def _afterwards(letter: DeadLetter, resent: Mapping[tuple[str, str], datetime]) -> str:
    """What became of it, and what it came from."""
    at = resent.get((letter.name, letter.sha256))
    parts = (
        f"resent {_instant(at)}" if at is not None else "",
        f"buried again, was {letter.resent_from}" if letter.resent_from is not None else "",
    )
    return "; ".join(part for part in parts if part)


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _printable(value: bytes) -> str:
    """The bytes as text that does nothing to a terminal: what cannot be printed is written as an escape."""
    text = value.decode(errors="backslashreplace")
    return "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text)


def _content(file: Path) -> bytes:
    with opened(file) as stream:
        return stream.read()
