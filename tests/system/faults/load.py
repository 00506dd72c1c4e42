"""What a storm publishes: the generated log with all its dirt, a source whose clock jumped, and a burst of breaches."""

import random
from dataclasses import replace
from datetime import timedelta

from schemas.event import Event
from tests.hanoi import at
from tests.system.generated import UNITS, Log, generate

#: The clock of one unit's source jumps so far for a twentieth of the log, back or ahead.
JUMPS = (timedelta(hours=-26), timedelta(hours=7))
#: Received with a limit of four hours, and never heard of again.
BREACH_PROCEDURE = "1.004442"


def storm_log(seed: int, dossiers: int) -> Log:
    """The log of a seed: as `generate` makes it, and in some stretch of it the events of one unit with a wrong time."""
    log = generate(seed, dossiers)
    dice = random.Random(seed)
    unit, jump = dice.choice(UNITS), dice.choice(JUMPS)
    begin = dice.randrange(len(log.events))
    stretch = range(begin, begin + len(log.events) // 20)
    events = tuple(
        replace(event, at=event.at + jump) if number in stretch and event.processing_unit == unit else event
        for number, event in enumerate(log.events)
    )
    return replace(log, events=events)


def breaches(seed: int, count: int) -> list[Event]:
    """So many dossiers that are overdue the moment they are heard of; one event each, so each calls for one alert."""
    dice = random.Random(seed)
    return [
        Event(
            event_id=f"breach-{number}",
            dossier_code=f"H26.12-250303-{50_000 + number}",
            at=at("2025-03-03T08:00") + timedelta(seconds=dice.randrange(3_600)),
            status=2,
            procedure_code=BREACH_PROCEDURE,
            processing_unit=dice.choice(UNITS),
            source="burst",
        )
        for number in range(count)
    ]
