"""Audit: what a person does by hand is written down before it is sent, and once.

The order of `agents.resend` and `agents.void`, each step awaited before the next: ``begun`` is written, the events
are acknowledged by the broker, ``done`` is written. Whoever breaks off in between does the same again: an action has
its name from its meaning, and an event that is sent twice counts once.
"""

import getpass
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from schemas.audit import Action, Entry, Step
from schemas.errors import ConfigError

_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


class Book(Protocol):
    """The table ``audit``. Every method raises `Unavailable` when ClickHouse does not answer."""

    def write(self, step: Step, entries: Sequence[Entry]) -> None:
        """Return when the rows are acknowledged. What stands already stays as it is: the earliest ``at`` counts."""
        ...

    def begun(self, audit_id: UUID) -> Entry | None:
        """The action as it was begun; None when it never was."""
        ...

    def done(self, action: Action) -> Mapping[tuple[str, str], datetime]:
        """The records (``record``, ``record_sha256``) with which this was done, and since when, in UTC."""
        ...


def person(given: str | None) -> str:
    """Who acts: the name that was given, else the user of the machine.

    Raises `ConfigError` (``person_unknown``) when there is none that can be written down.
    """
    try:
        name = getpass.getuser() if given is None else given
    except (KeyError, OSError):  # the user of a container may have no name
        name = ""
    if _PRINTABLE.fullmatch(name.strip()) is None:
        raise ConfigError("person_unknown", "say who you are, in up to 100 characters", path="--by")
    return name.strip()
