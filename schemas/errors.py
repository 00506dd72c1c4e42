"""Every failure has a name, and every name says what is done about it.

::

    DunghanError
    ├── InvalidRecord   one record cannot be used            → bury it, go on with the rest
    ├── Unavailable     something we need is down            → hold: wait here, skip nothing
    ├── LeaseLost       the partition is another worker's     → drop the chunk, unacknowledged
    └── ConfigError     the office's files are wrong          → refuse to start, with file and line

``reason`` is a stable code: metric label, dead-letter header and anchor in the runbook.
"""


class DunghanError(Exception):
    """The root of all failures that we name."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} [{self.reason}]"


class InvalidRecord(DunghanError):
    """A record that cannot be used; its reason is one of `DEAD_LETTER_REASONS`."""


class Unavailable(DunghanError):
    """A dependency that does not answer now, and may later."""


class LeaseLost(DunghanError):
    """The partition was given to another worker while we held a chunk of it."""


class ConfigError(DunghanError):
    """A file of the office, or a setting, that would make wrong decisions.

    ``path`` names the file (or the setting) and ``line`` the line in it, when they are known; ``where``
    leads to the culprit in what was given to `streams.rules.compile_rules`, for the loader to find the line.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        where: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(reason, message)
        self.path = path
        self.line = line
        self.where = where

    def __str__(self) -> str:
        place = "" if self.path is None else f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return f"{place}{self.message} [{self.reason}]"


#: Why a record was buried. A new reason needs an entry in the runbook (`docs/runbook.md`).
DEAD_LETTER_REASONS = {
    "unreadable": "The bytes are not a JSON object in UTF-8.",
    "oversized": "The record is larger than the topic allows.",
    "unknown_field": "A field that the event does not have; this also keeps personal data out.",
    "missing_field": "A field that this kind of event must have is absent.",
    "misplaced_field": "A field that belongs to another kind of event.",
    "invalid_field": "A field has a value that it cannot have.",
    "naive_time": "A time without offset; nothing is guessed.",
    "unknown_status": "A status outside 1 to 10.",
    "unknown_kind": "A kind other than status, extension, letter and void.",
    "invalid_code": "A dossier or procedure code that does not follow the pattern.",
    "future_time": "The time lies further in the future than the tolerated skew.",
    "wrong_partition": "A rerouted record stands on another partition than murmur2 of its dossier code.",
    "history_full": "The dossier has reached the largest number of events.",
}
