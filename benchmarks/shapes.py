"""``python -m benchmarks.shapes``: the daily and weekly shape of the simulated city beside what is published of Hanoi.

Five weeks at full size are told once more, and the last two drawn to docs/images/city-shapes.svg: by then the city
has as many dossiers in work as it always has.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from rich.console import Console

from agents.city.chronicle import Chronicle, Plan, working_days_back
from agents.config import load
from schemas.errors import InvalidRecord
from schemas.event import read_event
from streams.rules import Rules

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "city-shapes.svg"
UNTIL = datetime.fromisoformat("2026-10-16T17:00:00+07:00")  # two whole weeks without a day off
DAYS, SHOWN, SEED, LATE = 25, 10, 766, 0.15

#: What is published (SPEC §1 of the office): dossiers a working day, events a second at the peak, late ends in percent.
DOSSIERS, PEAK, LATE_SHARE = 9_600, 7.0, 0.15

WIDTH, HEIGHT, EDGE = 880, 300, 46
COLOURS = {"T2–T6": "#1f5fa8", "T7": "#c77700", "CN": "#888888"}


def main() -> None:
    """Draw the picture, and print the figures in it."""
    rules = load(ROOT / "config")
    by_hour, received, ends = _count(rules)
    days = Counter("T7" if day.weekday() == 5 else "CN" if day.weekday() == 6 else "T2–T6" for day in _days(rules))
    minute = ends["busiest_minute"] / 60
    rates = {kind: [by_hour[kind, hour] / 3600 / days[kind] for hour in range(24)] for kind in COLOURS}
    late = 100 * ends["late"] / ends["all"]
    parts = [
        *_hours(rates),
        *_text(EDGE + 20, 108, f"busiest minute: {minute:.1f}/s"),
        *_week(received),
        *_text(WIDTH * 1.5 + 10, 20, f"ended late: {late:.2f} % (published: {LATE_SHARE} %)"),
    ]
    size = f'viewBox="0 0 {2 * WIDTH} {HEIGHT + 40}" font-family="sans-serif" font-size="12"'
    PICTURE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n' + "\n".join(parts) + "\n</svg>\n", "utf-8")
    busiest = max(rates["T2–T6"])
    working = [count for day, count in received.items() if day.weekday() < 5]
    daily = sum(working) / len(working)
    Console().print(f"busiest hour {busiest:.2f}/s, minute {minute:.1f}/s; {daily:,.0f} a day; {late:.3f} % late")


def _days(rules: Rules) -> Iterator[date]:
    day, last = rules.newest.home.day(working_days_back(rules, UNTIL, SHOWN)), rules.newest.home.day(UNTIL)
    while day <= last:
        yield day
        day += timedelta(days=1)


def _count(rules: Rules) -> tuple[Counter[tuple[str, int]], Counter[date], Counter[str]]:
    """Events by kind of day and hour; dossiers by the day they enter; ends, late ends, and the busiest minute."""
    by_hour: Counter[tuple[str, int]] = Counter()
    by_minute: Counter[int] = Counter()
    first: dict[str, date] = {}
    ends: Counter[str] = Counter()
    shown = frozenset(_days(rules))

    def hear(told: Mapping[str, object]) -> None:
        if told.get("verdict") in ("early", "on_time", "overdue") and told["clock"] == "stopped":
            ends["all"] += 1
            ends["late"] += told["verdict"] == "overdue"

    plan = Plan(working_days_back(rules, UNTIL, DAYS), UNTIL, SEED, 1.0, LATE, 1.0)
    for record in Chronicle(rules, plan).records(hear):
        try:
            event = read_event(record.value)
        except InvalidRecord:
            continue
        at = datetime.fromtimestamp(record.arrives, rules.zone)
        if at.date() not in shown or event.at > UNTIL:
            continue
        kind = "T7" if at.weekday() == 5 else "CN" if at.weekday() == 6 else "T2–T6"
        by_hour[kind, at.hour] += 1
        by_minute[record.arrives // 60] += 1
        entered = event.at.astimezone(rules.zone).date()
        if event.status in (1, 2) and entered in shown:
            first.setdefault(event.dossier_code, entered)
    ends["busiest_minute"] = max(by_minute.values())
    return by_hour, Counter(first.values()), ends


def _hours(rates: Mapping[str, list[float]]) -> Iterator[str]:
    top = 1.15 * max(PEAK, *(rate for each in rates.values() for rate in each))
    yield from _frame(0, "events a second, by hour of the day")
    yield from _line(0, PEAK / top, f"published peak: about {PEAK:g}/s")
    for hour in range(0, 25, 3):
        yield from _text(EDGE + hour * _wide(24), HEIGHT + 16, f"{hour}h")
    for number, (kind, each) in enumerate(rates.items()):
        points = " ".join(
            f"{EDGE + (hour + 0.5) * _wide(24):.1f},{HEIGHT - rate / top * (HEIGHT - EDGE):.1f}"
            for hour, rate in enumerate(each)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{COLOURS[kind]}" stroke-width="2.5"/>'
        yield from _text(EDGE + 20, 60 + 16 * number, f"{kind}: {max(each):.1f}/s at most", COLOURS[kind])


def _week(received: Mapping[date, int]) -> Iterator[str]:
    days, top = sorted(received)[-14:], 1.15 * max(DOSSIERS, *received.values())
    yield from _frame(WIDTH, "dossiers that enter, by day")
    yield from _line(WIDTH, DOSSIERS / top, f"published: {DOSSIERS:,} a working day")
    for number, day in enumerate(days):
        x, height = WIDTH + EDGE + number * _wide(len(days)), received[day] / top * (HEIGHT - EDGE)
        colour = list(COLOURS.values())[0 if day.weekday() < 5 else 1 if day.weekday() == 5 else 2]
        size = f'width="{_wide(len(days)) - 6:.1f}" height="{height:.1f}"'
        yield f'<rect x="{x:.1f}" y="{HEIGHT - height:.1f}" {size} fill="{colour}"/>'
        yield from _text(x, HEIGHT + 16, f"{['T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'CN'][day.weekday()]} {day:%d/%m}")
        yield from _text(x, HEIGHT + 32, f"{received[day]:,}")


def _wide(count: int) -> float:
    return (WIDTH - 2 * EDGE) / count


def _frame(left: float, title: str) -> Iterator[str]:
    yield from _text(left + EDGE, 20, title)
    yield f'<path d="M{left + EDGE},{EDGE} V{HEIGHT} H{left + WIDTH - EDGE}" fill="none" stroke="#444"/>'


def _line(left: float, share: float, words: str) -> Iterator[str]:
    y = HEIGHT - share * (HEIGHT - EDGE)
    yield f'<path d="M{left + EDGE},{y:.1f} H{left + WIDTH - EDGE}" stroke="#b00020" stroke-dasharray="6 4"/>'
    yield from _text(left + WIDTH - EDGE - 190, y - 5, words, "#b00020")


def _text(x: float, y: float, words: str, colour: str = "#222") -> Iterator[str]:
    yield f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(words)}</text>'


if __name__ == "__main__":
    main()
