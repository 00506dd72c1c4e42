"""What an answer says of the dossier's future: when to look again, and whether anything is still open."""

from schemas.assessment import Assessment, Cycle
from schemas.outlook import Outlook
from streams.history import History


def foresee(history: History, answer: Assessment, *, live: bool) -> Outlook:
    """The outlook of a dossier whose answer this is; ``live``: whoever judged it tells alerts."""
    over = answer.look_again_at is None and bool(answer.cycles) and all(map(_is_over, answer.cycles))
    return Outlook(answer.version, answer.look_again_at, history.events[-1].at if over else None, live)


def _is_over(cycle: Cycle) -> bool:
    """Completed, withdrawn or refused; a halted cycle shows as stopped, but may go on."""
    halted = bool(cycle.spans) and cycle.spans[-1].bucket == "halted" and cycle.spans[-1].end is None
    return cycle.clock in ("stopped", "never") and not halted
