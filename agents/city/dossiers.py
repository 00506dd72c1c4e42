"""The dossiers of a day: what each is about, where it comes in, who must finish it, and then its whole life."""

from bisect import bisect
from datetime import date
from random import Random
from typing import Any

from agents.city.knobs import CITY, WEEK, chance
from agents.city.lives import City, Life, Pen
from agents.city.places import PORTAL
from agents.city.procedures import PROCEDURES, REACHES, Procedure
from agents.city.story import play


def tell(city: City, day: date, number: int) -> Life | None:
    """The life of the ``number``-th dossier that comes on that day; None when no counter is open for it."""
    draw = chance(city.seed, day, number)
    procedure = PROCEDURES[min(bisect(REACHES, draw.random()), len(PROCEDURES) - 1)]
    online = draw.random() < procedure.online
    open_day = city.office.calendar.is_open(day)
    if not open_day:
        online = day.weekday() != 5 or draw.random() >= WEEK["saturday_counter"].value
    unit, receiving = _places(city, procedure, draw)
    if not (online or open_day):
        branch = city.places.branches.at(draw.random())
        receiving = city.places.point_of(branch, 0.0)  # the first point of a branch is the one open on Saturdays
        if not city.office.reception(receiving).is_open(day):
            return None
    case = draw.choices([case for case, _ in procedure.cases], [share for _, share in procedure.cases])[0]
    channel = "online" if online else "post" if draw.random() < CITY["post"].value else "counter"
    at = city.arrivals.instant(day, draw, online=online)
    life = Life(
        code=f"{receiving}-{day:%y%m%d}-{number:05}",
        procedure=procedure,
        case=case,
        channel=channel,
        receiving=receiving,
        unit=unit,
        limit=city.office.limit(procedure.code, case, channel, unit),
        habit=city.habit(city.places.source(unit)),
    )
    pen = Pen(life, city, at, draw)
    if not online or _registered(pen):
        play(pen)
    return life


def _places(city: City, procedure: Procedure, draw: Random) -> tuple[str, str]:
    """Who must finish the dossier, and who takes it in."""
    places = city.places
    first, second, third = draw.random(), draw.random(), draw.random()
    if procedure.city:
        unit = places.branches.at(first)
        other = second < CITY["other_branch"].value
        return unit, places.points.at(third) if other else places.point_of(unit, third)
    unit = places.wards.at(first)
    if second >= CITY["away"].value:
        return unit, unit
    return unit, (places.points if second < CITY["away"].value * 0.6 else places.wards).at(third)


def _registered(pen: Pen) -> bool:
    """The registration of an online dossier, until it is received; False when it never is."""
    life = pen.life
    fields: dict[str, Any] = {"case": life.case} if life.case else {}
    pen.write(1, source=PORTAL, receiving_unit=life.receiving, channel="online", **fields)
    pen.work(pen.within(8, 300))
    if pen.happens("refused"):
        pen.write(3, reason="khong-du-dieu-kien")
        return False
    if pen.happens("dropped"):
        pen.write(7, reason="cong-dan-rut")
        return False
    return True
