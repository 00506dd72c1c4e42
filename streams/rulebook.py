"""Rulebooks compared: may rules follow others, and what did they do to the alerts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from schemas.alert import Action, Alert
from schemas.errors import ConfigError
from schemas.rulebook import Change, Rulebook, Turned


def clash(known: Rulebook | None, book: Rulebook) -> ConfigError | None:
    """Why rows judged by ``book`` cannot stand beside those judged by ``known``; None when they can.

    Rows of one version must be equal, and those of a newer one must win: what changes needs a higher version, and
    the versions of all files together must never fall. ``where`` of the fault names the file by its meaning.

    >>> known = Rulebook(2, {"limits version 1": "a", "office version 1": "b"})
    >>> clash(known, Rulebook(3, {"limits version 2": "c", "office version 1": "b"})) is None
    True
    >>> print(clash(known, Rulebook(2, {"limits version 1": "c", "office version 1": "b"})))
    limits version 1 was judged by, and said something else; raise its version [rules_unraised]
    >>> print(clash(known, Rulebook(2, {"office version 2": "d"})))
    the files are others, but their versions add up to 2 as before; raise one of them more [rules_unraised]
    >>> print(clash(known, Rulebook(1, {"limits version 1": "a"})))
    the versions of all files add up to 1, and dossiers were judged by 2; raise one of them more [rules_older]
    """
    if known is None:
        return None
    for name, digest in book.contents.items():
        if known.contents.get(name, digest) != digest:
            message = f"{name} was judged by, and said something else; raise its version"
            return ConfigError("rules_unraised", message, where=(name,))
    if book.version < known.version:
        message = f"the versions of all files add up to {book.version}, and dossiers were judged by {known.version}"
        return ConfigError("rules_older", f"{message}; raise one of them more")
    if book.version == known.version and book.contents != known.contents:
        message = f"the files are others, but their versions add up to {book.version} as before"
        return ConfigError("rules_unraised", f"{message}; raise one of them more")
    return None


def of_change(alert: Alert, change: int) -> Alert:
    """The alert as one that a change of rules led to; what would be laid to a late event is laid to the rules."""
    return replace(alert, change=change, reason="policy" if alert.reason == "late_event" else alert.reason)


_COLUMNS = {
    Action.RAISE: "raised",
    Action.REPLACE: "replaced",
    Action.RESOLVE: "resolved",
    Action.RETRACT: "retracted",
    Action.RETIME: "retimed",
    Action.HOLD: "held",
}


def count_up(change: int, partition: int, sent: Iterable[Alert]) -> Change:
    """The grouped record: of the alerts as last sent, those whose last action came from this change."""
    counts: dict[str | None, Counter[str]] = {}
    for alert in sent:
        if alert.change == change:
            counts.setdefault(alert.unit, Counter())[_COLUMNS[alert.action]] += 1
    units = (Turned(unit, **counts[unit]) for unit in sorted(counts, key=lambda unit: (unit is not None, unit or "")))
    return Change(change, partition, tuple(units))
