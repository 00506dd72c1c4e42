"""Policy: the limits of an office as they are in force together, and which of them is for a dossier."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from schemas.errors import ConfigError
from schemas.event import first_two_groups
from schemas.limits import LimitRule, LimitsFile, Match
from schemas.office import Office


@dataclass(frozen=True, slots=True)
class Subject:
    """A dossier as it was at its start: what rules match on."""

    procedure: str | None
    case: str | None
    channel: str | None
    unit: str | None
    receiving_unit: str | None


@dataclass(frozen=True)
class Policy:
    """The limits in force from an instant on."""

    version: int
    begins: datetime
    rules: tuple[LimitRule, ...]

    def rule(self, subject: Subject) -> LimitRule | None:
        """The first rule that matches, or None."""
        candidates = self._by_procedure.get(subject.procedure, self._by_procedure[None])
        return next((rule for rule in candidates if _matches(rule.match, subject)), None)

    @cached_property
    def _by_procedure(self) -> Mapping[str | None, tuple[LimitRule, ...]]:
        """The rules for each procedure that has its own, in order; under None those for all others."""
        return {
            name: tuple(rule for rule in self.rules if rule.match.procedure in (None, name))
            for name in (None, *(rule.match.procedure for rule in self.rules))
        }


def _matches(match: Match, subject: Subject) -> bool:
    """Whether a rule for this procedure is for the dossier, too."""
    return (
        (match.case is None or match.case == subject.case)
        and (match.channel is None or match.channel == subject.channel)
        and (match.unit is None or match.unit == subject.unit)
    )


def compile_policies(
    limits: Sequence[LimitsFile], office: Office, midnight: Callable[[date], datetime]
) -> Iterator[tuple[LimitsFile, Policy]]:
    """Each file with its policy, in the order in which they come into force; ``midnight`` is when a date begins.

    Raises `ConfigError` for versions that do not rise with their dates, and for two rules for the same dossiers.
    """
    highest = 0
    for index, file in sorted(enumerate(limits), key=lambda numbered: (numbered[1].in_force_from, numbered[1].version)):
        if file.version <= highest:
            message = f"version {file.version} comes into force after version {highest}; raise it"
            raise ConfigError("version_order", message, where=("limits", index, "version"))
        highest = file.version
        yield file, Policy(file.version, midnight(file.in_force_from), _unambiguous(file, index, office))


def _unambiguous(file: LimitsFile, index: int, office: Office) -> tuple[LimitRule, ...]:
    seen: dict[Match, int] = {}
    rules = []
    for number, rule in enumerate(file.rules):
        match, where = rule.match, ("limits", index, "rules", number)
        procedure = match.procedure
        if procedure is not None:
            match = Match(first_two_groups(procedure), match.case, match.channel, match.unit)
            if re.fullmatch(office.codes.procedure, procedure) is None:
                message = f'"{procedure}" does not follow codes.procedure, so it would never match'
                raise ConfigError("procedure_pattern", message, where=(*where, "match", "procedure"))
        if match in seen:
            message = f"rules {seen[match] + 1} and {number + 1} of version {file.version} match the same dossiers"
            raise ConfigError("limits_ambiguous", message, where=where)
        seen[match] = number
        rules.append(LimitRule(match, rule.limit, rule.near_due))
    return tuple(rules)
