"""What of an answer is remembered as said: verdict, level and due time of every cycle."""

from schemas.assessment import Assessment
from schemas.standing import Cause, Standing
from streams.rules import Rules


def standings(answer: Assessment, highest_cycle: int) -> tuple[Standing, ...]:
    """Where every cycle stands that the dossier ever had; those that vanished stand nowhere."""
    lived = tuple(Standing(cycle.cycle, cycle.verdict, cycle.level, cycle.due_current) for cycle in answer.cycles)
    gone = range(len(answer.cycles) + 1, highest_cycle + 1)
    return (*lived, *(Standing(number, None, None, None) for number in gone))


def news(before: tuple[Standing, ...] | None, after: tuple[Standing, ...]) -> tuple[Standing, ...]:
    """What has to be said: the standings that differ; all of them when nobody knows what was said before.

    >>> stands, falls = Standing(1, "in_time", None, None), Standing(1, "overdue", None, None)
    >>> news((stands,), (stands,)), news((stands,), (falls,)) == news(None, (falls,)) == (falls,)
    ((), True)
    """
    return tuple(standing for standing in after if before is None or standing not in before)


def cause(answer: Assessment, rules: Rules, *, brought: bool, reviewed: bool = False) -> Cause:
    """Why there is an answer now: events that were ``brought``, rules that came into force, or an instant that came.

    ``reviewed`` says that it is the first answer by changed rules.
    """
    if brought:
        return "events"
    begun = reviewed or any(edition.begins == answer.version.as_of for edition in rules.editions)
    return "rules" if begun else "look"
