"""The audit: what a person did by hand, on which record, and why."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

from schemas.instant import Instant

Action = Literal["resend", "void"]
#: ``begun`` is written before anything is sent, ``done`` when the broker has acknowledged it.
Step = Literal["begun", "done"]

#: Names of actions are made in this space; changing it would record again what is recorded.
_SPACE = UUID("6d0c2f4e-3f0b-5b7e-8a55-9c1d2e7f4a10")


@dataclass(frozen=True, slots=True)
class Entry:
    """One action on one record: ``by`` whom and ``at`` which instant, and which event was sent for it.

    ``record`` is a dead letter as `schemas.dossier.DeadLetter.name` names it, or the id of the event that is
    voided, ``record_sha256`` the hash of its bytes; ``sha256`` is the hash of the bytes that are sent.
    """

    audit_id: UUID
    action: Action
    record: str
    record_sha256: str
    dossier_code: str
    event_id: str
    sha256: str
    reason: str
    at: Instant
    by: str


def audit_id(action: Action, *record: str) -> UUID:
    """The name of an action: doing it again has the same, and is recorded once.

    >>> audit_id("void", "H26.12-261124-0007", "e1") == audit_id("void", "H26.12-261124-0007", "e1")
    True
    >>> audit_id("void", "H26.12-261124-0007", "e1") == audit_id("resend", "H26.12-261124-0007", "e1")
    False
    """
    return uuid5(_SPACE, "\x1f".join((action, *record)))
