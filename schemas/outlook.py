"""What judging a dossier has shown of its future: so that a judge that starts need not judge all of them again."""

from dataclasses import dataclass

from schemas.assessment import Version
from schemas.instant import Instant


@dataclass(frozen=True, slots=True)
class Outlook:
    """When the answer of that ``version`` changes next by itself (``look_at``; None: never).

    ``done_at`` is the time of the last event of a dossier in which nothing is open any more, else None. ``live`` says
    that whoever judged told alerts; a back-load tells none.
    """

    version: Version
    look_at: Instant | None = None
    done_at: Instant | None = None
    live: bool = True
