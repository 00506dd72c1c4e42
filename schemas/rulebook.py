"""A rulebook: which rules something was judged by, and what a change of rules did to the alerts."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The name of some rules: their ``version``, and the digest of every file that they are made of.

    ``contents`` maps a file by its meaning and version (``limits version 3``) to the digest of what it says; the
    same name must always say the same, because rows of one version must be equal.
    """

    version: int
    contents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turned:
    """How many alerts of one unit (null: of none) a change of rules raised, closed or moved."""

    unit: str | None
    raised: int = 0
    replaced: int = 0
    resolved: int = 0
    retracted: int = 0
    retimed: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """The grouped record of a change of rules, on ``dossier.alerts.v1`` beside the alerts that carry its number.

    ``change`` is the version of the new rules. Every partition with open dossiers gives one, when all of them have
    been judged by them; it counts the alerts whose last action came from the change, by unit, and may be empty.
    """

    change: int
    partition: int
    units: tuple[Turned, ...] = ()
