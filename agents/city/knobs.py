"""Every number that the city is made of: its default, and where that comes from.

A knob that nobody published is *assumed*: chosen so that every kind of life and of dirt is there, and to be
replaced when an office counts its own. `docs/simulate.md` lists them all; a test compares.
"""

from random import Random
from typing import NamedTuple

ASSUMED = "assumed"
GIVEN = "the office that this program is sized for"


class Knob(NamedTuple):
    """One number: its default, what it means, and who says so."""

    value: float
    meaning: str
    source: str = ASSUMED


#: How the city is, at ``--scale 1``.
CITY = {
    "dossiers": Knob(9_600, "dossiers that enter on a working day", GIVEN),
    "late_percent": Knob(0.15, "of the ended cycles end late (`--late`)", GIVEN),
    "post": Knob(0.04, "of the dossiers that do not come online come by post"),
    "away": Knob(0.12, "of a ward's dossiers are received elsewhere", "every point may receive for any other unit"),
    "other_branch": Knob(0.2, "of a branch's dossiers are received at a point of another branch"),
}

#: How dossiers live. A share of all dossiers unless it says otherwise.
LIVES = {
    "refused": Knob(0.012, "of the online dossiers are not received (3)"),
    "dropped": Knob(0.006, "of the online dossiers are withdrawn before receipt (7)"),
    "supplement": Knob(0.05, "are paused for missing papers (5); a tenth of that where the answer is due today"),
    "second_supplement": Knob(0.06, "of those are paused a second time"),
    "abandoned": Knob(0.03, "of those never come back"),
    "fee_request": Knob(0.35, "of the online dossiers of a procedure with a fee wait for it (6)"),
    "halted": Knob(0.004, "are halted (8)"),
    "halted_for_good": Knob(0.15, "of those stay so"),
    "withdrawn": Knob(0.006, "are withdrawn by the citizen (7)"),
    "extended": Knob(0.003, "are extended in time without any cause of lateness; none that is due today"),
    "slipped": Knob(0.002, "are said to be finished by mistake, and the 9 is voided"),
    "reopened": Knob(0.003, "are opened again after the result (4 after 9 or 10)"),
    "never_fetched": Knob(0.03, "of the finished are never fetched (no 10)"),
    "new_due_on_resume": Knob(0.2, "of the sources send NgayHenTraMoi when a dossier resumes"),
    "due_sent": Knob(0.8, "of the sources send NgayHenTra with the receipt"),
    "due_disagrees": Knob(0.05, "of the sources send one that is a day or two later than the limit"),
    "long_code": Knob(0.3, "of the sources write the procedure code in its long form"),
    "saved_by_extension": Knob(0.25, "of the dossiers that will be late for a cause are extended before"),
    "apology": Knob(0.6, "of those extensions, and half as many of the others, have an apology letter"),
    "letter_alone": Knob(0.3, "of those that are not extended have an apology letter alone"),
    "late_extension": Knob(0.08, "of the dossiers that a cause makes late are extended when it is too late"),
    "used_least": Knob(0.12, "of the time there is, is what the quickest dossier takes"),
    "used_most": Knob(0.75, "of it, is what the slowest takes that nothing delays"),
}

#: How causes of lateness are: a share of the episodes unless it says otherwise.
CAUSES = {
    "per_percent": Knob(
        9.5, "episodes begin on a working day for each percent of `--late`", "set by counting late ends"
    ),
    "slow_stage": Knob(0.4, "are slow stages"),
    "absent_signer": Knob(0.4, "are absent signers"),
    "wrong_transfer": Knob(0.2, "are wrong transfers"),
    "at_branch": Knob(0.06, "are at a branch, which has many more dossiers of a field than a ward"),
    "copies": Knob(0.15, "as often as another field are certified copies hit: they wait for nobody, another signs"),
    "least_hours": Knob(10, "working hours lasts the shortest"),
    "most_hours": Knob(36, "working hours lasts the longest"),
    "least_factor": Knob(4, "times as long takes the mildest slow stage"),
    "most_factor": Knob(10, "times as long takes the worst"),
    "least_idle": Knob(16, "working hours lies the luckiest of those transferred wrongly"),
    "most_idle": Knob(40, "working hours lies the unluckiest"),
}

#: When dossiers come, beside the half hours of `agents/city/arrivals.py`.
WEEK = {
    "monday": Knob(1.13, "times an even day"),
    "tuesday": Knob(1.04, "times an even day"),
    "wednesday": Knob(0.98, "times an even day"),
    "thursday": Knob(0.93, "times an even day"),
    "friday": Knob(0.82, "times an even day"),
    "saturday": Knob(0.065, "times an even day"),
    "sunday": Knob(0.035, "times an even day, online alone"),
    "worked_saturday": Knob(0.7, "times an even day"),
    "day_off": Knob(0.02, "times an even day, online alone"),
    "before_tet": Knob(0.85, "times as many in the week before Tết"),
    "after_tet": Knob(1.2, "times as many in the ten days after it"),
    "saturday_counter": Knob(0.75, "of a Saturday's dossiers come to a point; the rest online"),
}

#: What the feed does to true events, at ``--dirt 1``; a share of all events unless it says otherwise.
DIRT = {
    "late": Knob(0.005, "arrive an hour to three days late"),
    "jittered": Knob(0.03, "arrive up to ten minutes late, so that a source's order breaks"),
    "repeated": Knob(0.01, "arrive twice"),
    "resent": Knob(0.002, "arrive again under another event id"),
    "skewed": Knob(0.03, "of the sources have a clock that is wrong by 1 to 90 minutes, hardly ever ahead"),
    "silent": Knob(0.06, "silent branches a day: half a day without a word, then a burst"),
    "unreadable": Knob(0.001, "are sent once unreadable as well, and then correctly"),
    "future": Knob(0.0001, "are sent once dated a year ahead as well, and then correctly"),
    "misplaced": Knob(0.0005, "carry another dossier's key"),
}


def chance(*names: object) -> Random:
    """Draws of their own for these names: no other draw, and no other size of the city, moves them."""
    return Random("/".join(map(str, names)))  # noqa: S311 - reproducible, not secret
