"""Explain as a picture: a row a week, like a leaf of a calendar, in SVG that also reads in black and white.

Off-hours are striped, a running clock is a solid bar in open hours, a pause is hatched, lateness is barred
below; events are numbered as in their table. Weeks in which nothing happens are folded into one line.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from html import escape
from itertools import groupby

from agents.explain import Explanation
from agents.explain_scene import Mark, Scene, scene_of
from agents.messages import WEEKDAYS, day_text, instant_text
from streams.calendar import DAY, Calendar

WEEK = timedelta(days=7)
WIDTH, HEIGHT, FOLDED = 770.0, 104.0, 20.0
_TOP, _BAR, _BAR_HEIGHT, _FLOOR = 21.0, 52.0, 16.0, 76.0  # the day's box, the bar in it, and the foot of the box
_CLOSE = 13.0  # ticks nearer to each other than this do not stand side by side
_LETTER = 5.4  # how wide a letter of a label is, about

PATTERNS = """\
<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>
<pattern id="off" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
<rect width="5" height="5" fill="#f4f4f2"/><path d="M0 0V5" stroke="#cfcfca" stroke-width="1.6"/></pattern>
<pattern id="pause" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">\
<rect width="7" height="7" fill="#fff"/><path d="M0 0V7" stroke="#9a6a00" stroke-width="4"/></pattern>
<pattern id="late" width="5" height="5" patternUnits="userSpaceOnUse">\
<rect width="5" height="5" fill="#fff"/><path d="M0 0L5 5M5 0L0 5" stroke="#a30000" stroke-width="1.3"/></pattern>
</defs></svg>"""
LEGEND = (
    ("run", "đồng hồ chạy, trong giờ làm việc"),
    ("stand", "tạm dừng"),
    ("closed", "ngoài giờ"),
    ("late", "quá hạn"),
    ("due", "hạn"),
    ("past-due", "hạn trước khi dời"),
    ("breach", "từ đây là quá hạn"),
    ("now", "lúc xét"),
)


def timeline(explanation: Explanation) -> Iterator[str]:
    """The picture of a dossier's life, as lines of HTML; none when no clock ever ran."""
    scene = scene_of(explanation)
    if not scene.parts:
        return
    yield PATTERNS
    for eventful, weeks in groupby(_weeks(scene), key=lambda monday: _eventful(monday, scene)):
        mondays = list(weeks)
        if eventful or len(mondays) == 1:
            yield from (_row(monday, scene) for monday in mondays)
        else:
            yield _fold(mondays)
    swatches = "".join(f"<li>{_swatch(kind)}{escape(words)}</li>" for kind, words in LEGEND)
    yield f'<ul class="legend">{swatches}</ul>'


def _monday(scene: Scene, instant: datetime) -> date:
    day = scene.home.day(instant)
    return day - DAY * day.weekday()


def _weeks(scene: Scene) -> Iterator[date]:
    instants = [scene.parts[0].begin, scene.parts[-1].end, *(mark.at for mark in scene.marks)]
    monday, last = _monday(scene, min(instants)), _monday(scene, max(instants))
    while monday <= last:
        yield monday
        monday += WEEK


def _eventful(monday: date, scene: Scene) -> bool:
    return any(_monday(scene, mark.at) == monday for mark in scene.marks)


def _fold(mondays: Sequence[date]) -> str:
    first, last = day_text(mondays[0]), day_text(mondays[-1] + DAY * 6)
    words = f"{first} – {last}: {len(mondays)} tuần không có sự kiện hay hạn nào"
    return (
        f'<svg class="week" viewBox="0 0 {WIDTH:g} {FOLDED:g}" role="img"><text class="fold" x="{WIDTH / 2:g}" y="14">'
        f"⋯ {escape(words)} ⋯</text></svg>"
    )


class _Axis:
    """One week from left to right; a day is a day wide, whatever the clocks do in its night."""

    def __init__(self, monday: date, calendar: Calendar) -> None:
        self.days = [monday + DAY * number for number in range(7)]
        self.edges = [calendar.at(day) for day in (*self.days, monday + WEEK)]

    def x(self, instant: datetime) -> float:
        """Where an instant stands, kept inside the week."""
        for number in range(7):
            begin, end = self.edges[number], self.edges[number + 1]
            if instant < end:
                inside = max((instant - begin) / (end - begin), 0.0)
                return (number + inside) * WIDTH / 7
        return WIDTH

    def cut(self, begin: datetime, end: datetime) -> tuple[datetime, datetime] | None:
        """The part of an interval that lies in this week."""
        begin, end = max(begin, self.edges[0]), min(end, self.edges[-1])
        return (begin, end) if begin < end else None


def _row(monday: date, scene: Scene) -> str:
    axis = _Axis(monday, scene.home)
    marks = [mark for mark in scene.marks if axis.edges[0] <= mark.at < axis.edges[-1]]
    words = f"Tuần từ {day_text(monday)}: " + ", ".join(
        f"{mark.title} {instant_text(mark.at, scene.home.zone)}" for mark in marks
    )
    drawn = (
        *_background(axis, scene),
        *_bars(axis, scene),
        *_days(axis, scene.home),
        *_lines(axis, [mark for mark in marks if mark.kind != "event"]),
        *_ticks(axis, [mark for mark in marks if mark.kind == "event"]),
        *_holders(axis, scene),
    )
    return (
        f'<svg class="week" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img"><title>{escape(words)}</title>'
        f"{''.join(drawn)}</svg>"
    )


def _open(calendar: Calendar, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The open hours of a calendar between two instants of one week."""
    for opening, closing in calendar.hours(begin, end):
        yield max(opening, begin), min(closing, end)


def _background(axis: _Axis, scene: Scene) -> Iterator[str]:
    """Off-hours striped, open hours white: by the calendar of who holds the dossier, else the office's."""
    yield _rect(0, _TOP, WIDTH, _FLOOR - _TOP, "closed")
    edge = axis.edges[0]
    for part in scene.parts:
        cut = axis.cut(part.begin, part.end)
        if cut is not None:
            yield from _whites(axis, scene.home, edge, cut[0])
            yield from _whites(axis, part.calendar, *cut)
            edge = cut[1]
    yield from _whites(axis, scene.home, edge, axis.edges[-1])


def _whites(axis: _Axis, calendar: Calendar, begin: datetime, end: datetime) -> Iterator[str]:
    for opening, closing in _open(calendar, begin, end) if begin < end else ():
        yield _rect(axis.x(opening), _TOP, axis.x(closing) - axis.x(opening), _FLOOR - _TOP, "open")


def _bars(axis: _Axis, scene: Scene) -> Iterator[str]:
    """The clock: full height in open hours, a thread through the others; lateness below."""
    for part in scene.parts:
        cut = axis.cut(part.begin, part.end)
        if cut is None:
            continue
        kind = "stand" if part.stands else "run"
        yield _rect(axis.x(cut[0]), _BAR + 6, axis.x(cut[1]) - axis.x(cut[0]), 3, f"thread {kind}")
        for opening, closing in _open(part.calendar, *cut):
            yield _rect(axis.x(opening), _BAR, axis.x(closing) - axis.x(opening), _BAR_HEIGHT, kind)
    for span in scene.late:
        late = axis.cut(span.begin, span.end or scene.now)
        if late is not None:
            yield _rect(axis.x(late[0]), _BAR + _BAR_HEIGHT, axis.x(late[1]) - axis.x(late[0]), 6, "late")


def _days(axis: _Axis, home: Calendar) -> Iterator[str]:
    """The days with their dates, and the office's hours as far as they have room."""
    for number, day in enumerate(axis.days):
        x = number * WIDTH / 7
        yield f'<line class="day" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{_FLOOR:g}"/>'
        yield f'<text class="day" x="{x + 4:.1f}" y="11">{WEEKDAYS[day.weekday()]} {day:%d/%m/%Y}</text>'
        if home.week(day.year)[day.weekday()] and not home.is_open(day):
            yield f'<text class="hour" x="{x + WIDTH / 14:.1f}" y="{_TOP - 2:g}">nghỉ</text>'
    edge = 0.0
    for opening, closing in _open(home, axis.edges[0], axis.edges[-1]):
        for instant in (opening, closing):
            x, local = axis.x(instant), instant.astimezone(home.zone)
            if x >= edge:
                yield f'<text class="hour" x="{x:.1f}" y="{_TOP - 2:g}">{local:%H}</text>'
                edge = x + 11
    yield f'<rect class="frame" x="0.5" y="{_TOP:g}" width="{WIDTH - 1:g}" height="{_FLOOR - _TOP:g}"/>'


def _lines(axis: _Axis, marks: Iterable[Mark]) -> Iterator[str]:
    """Due, breach and now as lines from top to foot; their words stand at the foot's height, left of the line."""
    for mark in marks:
        x = axis.x(mark.at)
        yield f'<line class="{mark.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP:g}" y2="{_FLOOR + 4:g}"/>'
        if mark.label:
            anchor, at = ("end", x - 3) if x > WIDTH / 14 else ("start", x + 3)
            if mark.kind == "breach":
                anchor, at = ("start", x + 3) if x < WIDTH * 13 / 14 else ("end", x - 3)
            yield f'<text class="{mark.kind}" text-anchor="{anchor}" x="{at:.1f}" y="{_TOP + 9:g}">{mark.label}</text>'


def _ticks(axis: _Axis, marks: Iterable[Mark]) -> Iterator[str]:
    """Events as numbered ticks; one too near steps aside to the right, more than two share one label."""
    crowds: list[list[Mark]] = []
    for mark in marks:
        if crowds and axis.x(mark.at) < axis.x(crowds[-1][0].at) + _CLOSE:
            crowds[-1].append(mark)
        else:
            crowds.append([mark])
    edge = 0.0
    for crowd in crowds:
        together = [crowd] if len(crowd) > 2 else [[mark] for mark in crowd]
        for group in together:
            label = group[0].label if len(group) == 1 else f"{group[0].label}–{group[-1].label}"
            half = max(6.2, len(label) * 2.6 + 2)
            x = axis.x(group[0].at)
            shown = min(max(x, edge + half + 1), WIDTH - half)
            edge = shown + half
            yield from (_stem(axis.x(mark.at), shown) for mark in group)
            box = f'x="{shown - half:.1f}" y="{_BAR - 17.2:.1f}" width="{2 * half:.1f}" height="12.4" rx="6.2"'
            yield f'<rect class="tick" {box}/>'
            yield f'<text class="tick" x="{shown:.1f}" y="{_BAR - 8.2:.1f}">{label}</text>'


def _stem(x: float, shown: float) -> str:
    return f'<path class="tick" d="M{x:.1f} {_BAR + _BAR_HEIGHT:g}V{_BAR - 3:g}L{shown:.1f} {_BAR - 5:g}"/>'


def _holders(axis: _Axis, scene: Scene) -> Iterator[str]:
    """Who held the dossier, below the box; where a label has no room on its line it takes the next."""
    edges = [0.0, 0.0]
    before = None
    for part in scene.parts:
        cut = axis.cut(part.begin, part.end)
        holder = " · ".join(word for word in (part.unit, part.stage) if word)
        if cut is None or not holder or holder == before:
            continue
        before = holder
        x = min(axis.x(cut[0]), WIDTH - len(holder) * _LETTER)
        line = next((number for number, edge in enumerate(edges) if edge <= x), None)
        if line is not None:
            edges[line] = x + len(holder) * _LETTER + 8
            yield f'<text class="holder" x="{x:.1f}" y="{_FLOOR + 11 + 11 * line:g}">{escape(holder)}</text>'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{height:g}"/>'


def _swatch(kind: str) -> str:
    if kind in ("due", "past-due", "breach", "now"):
        drawn = f'<line class="{kind}" x1="13" x2="13" y1="0" y2="12"/>'
    else:
        drawn = _rect(0, 0, 26, 12, f"{kind} framed")
    return f'<svg class="swatch" viewBox="0 0 26 12" aria-hidden="true">{drawn}</svg>'
