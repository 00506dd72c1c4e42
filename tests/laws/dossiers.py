"""Random dossiers: every sequence of events, legal or not, with the calendars and policies they meet."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from schemas.calendar import CalendarDay, CalendarYear
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Office, Unit
from streams.rules import Rules, compile_rules
from tests.hanoi import ZONE, at, calendar_year

#: Hanoi, a place with daylight saving, and one open round the clock.
_PLACES = {
    "vn": [calendar_year(year) for year in (2025, 2026, 2027)],
    "nl": [CalendarYear("nl", year, "Europe/Amsterdam", {"mon-fri": ("09:00-17:00",)}) for year in (2025, 2026, 2027)],
    "always": [CalendarYear("always", year, ZONE, {"mon-sun": ("00:00-24:00",)}) for year in (2025, 2026, 2027)],
}

UNITS = ("A", "B", "C")
START = at("2026-02-02T07:00")

limits = st.one_of(
    st.builds(Limit, st.just("hour"), st.sampled_from([0.5, 4, 7.25, 40])),
    st.builds(Limit, st.just("working_day"), st.sampled_from([1, 5, 10, 0.5])),
    st.builds(Limit, st.just("day"), st.sampled_from([1, 15])),
    st.builds(Limit, st.just("month"), st.just(1)),
    st.sampled_from([Limit("same_day"), Limit("none")]),
)

#: Instants that crowd where it matters: opening and closing times, noon, and a second around them.
instants = st.builds(
    lambda day, hour, second: START + timedelta(days=day, hours=hour, seconds=second),
    st.integers(0, 45),
    st.sampled_from([0, 1, 3.5, 5, 6, 7.75, 10, 17]),
    st.sampled_from([-1, 0, 0, 0, 1, 0.000001]),
)
dues = st.one_of(
    instants.map(lambda instant: instant + timedelta(days=7)),
    st.integers(0, 50).map(lambda day: at("2026-02-05T00:00") + timedelta(days=day)),
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """One event of one dossier; ids come from a small pool, so that some are repeated and conflict."""
    number = draw(st.integers(0, 40))
    kind = draw(st.sampled_from(["status"] * 12 + ["extension", "letter", "void"]))
    values: dict[str, object] = {
        "event_id": f"e{number}",
        "dossier_code": "H26.12-260302-0001",
        "kind": kind,
        "at": draw(instants),
        "source": draw(st.sampled_from([None, "a", "b"])),
        "sequence": draw(st.sampled_from([None, 1, 2])),
    }
    if kind == "status":
        values |= {
            "status": draw(st.sampled_from([1, 2, 2, 3, 4, 4, 4, 5, 5, 6, 7, 8, 9, 9, 10])),
            "procedure_code": "1.004441",
            "processing_unit": draw(st.sampled_from(UNITS)),
            "stage": draw(st.sampled_from([None, "x", "y"])),
            "due": draw(st.one_of(st.none(), st.none(), dues)),
            "limit": draw(st.one_of(st.none(), st.none(), limits)),
        }
    elif kind == "extension":
        values["due"] = draw(dues)
    elif kind == "letter":
        values["letter"] = "apology"
    else:
        values["voids"] = f"e{draw(st.integers(0, 40))}"
    return Event(**values)  # type: ignore[arg-type]


def _changed(file: CalendarYear) -> list[CalendarYear]:
    """What a later decree may make of 2026: a week off, a worked weekend, other shifts."""
    week = [CalendarDay(date(2026, 3, day), off=True) for day in range(2, 7)]
    weekend = [CalendarDay(date(2026, 3, day), work=("08:00-11:00",)) for day in (7, 8)]
    return [
        replace(file, days=(*file.days, *week)),
        replace(file, days=(*file.days, *weekend)),
        replace(file, shifts={"mon-sat": ("07:30-11:30",)}),
    ]


@st.composite
def offices(draw: st.DrawFn) -> Rules:
    """Rules with one limit for all, and units on different calendars, which may change while dossiers are open."""
    home = draw(st.sampled_from(["vn", "vn", "nl", "always"]))
    other = draw(st.sampled_from(["vn", "nl", "always"]))
    files = [year for name in dict.fromkeys([home, other]) for year in _PLACES[name]]
    decrees = [changed for file in files if file.year == 2026 for changed in _changed(file)]
    for version in range(2, 2 + draw(st.sampled_from([0, 0, 0, 1, 2]))):
        day = date(2026, 2, 5) + timedelta(days=20 * (version - 2) + draw(st.integers(0, 19)))
        files.append(replace(draw(st.sampled_from(decrees)), version=version, in_force_from=day))
    written = LimitsFile(1, date(2020, 1, 1), (LimitRule(Match(), draw(limits)),))
    return compile_rules(
        Office(home, home, receipt=draw(st.sampled_from(["next_open", "civil"]))),
        [Unit("B", calendar=other)],
        files,
        [written],
    )


histories = st.lists(events(), min_size=1, max_size=14)
nows: st.SearchStrategy[datetime] = instants.map(lambda instant: instant + timedelta(days=10))
