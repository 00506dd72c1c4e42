"""``dunghan release``: let judges bury what most sources send."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from agents.cli.screen import say, settings_with
from schemas.office import read_span


def _span(text: str) -> timedelta:
    try:
        span = read_span(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from wrong
    if not timedelta(0) < span <= timedelta(days=1):
        raise typer.BadParameter("longer than nothing, and a day at most")
    return span


def release(
    length: Annotated[
        timedelta, typer.Option("--for", parser=_span, metavar="TIME", help="How long: 30m, 2h; a day at most.")
    ] = "1h",  # type: ignore[assignment]  # the parser reads the default, too
    by: Annotated[str | None, typer.Option(help="Who does this, for the record. [default: the user]")] = None,
) -> None:
    """Let judges bury what they hold because most sources fail at once (`sources_refused`), for a while.

    Look first whether the fault is ours: a configuration or a version that refuses what is right. Put that right and
    start judge again, and nothing is buried. Release when the records really cannot be used. What is buried stands on
    the dead-letter topic for 30 days, and can be resent (`dunghan dead-letters`).

    Every judge takes it up within seconds, also one that is started later. The table `releases` says who did it.
    """
    from agents.audit import person
    from agents.drivers.kafka import KafkaOutbox
    from agents.feeds import outgoing
    from schemas.feed import Release

    settings, now = settings_with(), datetime.now(UTC)
    order = Release(now + length, now, person(by))

    async def send() -> None:
        async with KafkaOutbox(settings) as outbox:
            await outbox.send([outgoing(order)])

    asyncio.run(send())
    say(f"until {order.until.astimezone().isoformat(sep=' ', timespec='seconds')} what is refused is buried")
