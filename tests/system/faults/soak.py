"""``python -m tests.system.faults.soak``: a steady stream, a kill a minute; nothing lost or doubled, memory flat.

Nineteen of twenty events were sent before, so that what a judge must remember hardly grows and a leak shows; the
twentieth is new and comes once, so that a loss shows. The workers with the id *two* live through; those with the id
*one* are killed in turn.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agents.ports import Outgoing
from tests.system.faults.calm import differences
from tests.system.faults.crew import Crew
from tests.system.faults.load import storm_log
from tests.system.faults.storm import PIECE_SECONDS, Scene
from tests.system.generated import configuration
from tests.system.office import CONSUMED, Office

OLD = 2_000  #: dossiers whose events are sent again and again
REPEATS = 19  #: of twenty events
EVENTS_A_DOSSIER = 5  #: at least
#: Between the second and the last quarter, a worker that lives through may grow by so much of what it had.
GROWTH = 0.10
SETTINGS: dict[str, object] = {"commit_interval": 0.5, "session_timeout": 10.0}


class Upstream:
    """An endless stream out of one log: what is old again and again, and what is new in between."""

    def __init__(self, seed: int, news: int) -> None:
        self._dice = random.Random(seed)
        records = storm_log(seed, OLD + news // EVENTS_A_DOSSIER).records(seed)
        codes = dict.fromkeys(record.key for record in records)
        old = frozenset([*codes][:OLD])
        self.old = [record for record in records if record.key in old]
        self._new = iter([record for record in records if record.key not in old])

    def some(self, count: int) -> list[Outgoing]:
        """The next records."""
        return [self._one() for _ in range(count)]

    def _one(self) -> Outgoing:
        old = self._dice.choice(self.old)
        return old if self._dice.randrange(REPEATS + 1) else next(self._new, old)


def soak(scene: Scene, upstream: Upstream, minutes: int, rate: int, table: Table) -> list[dict[str, float]]:
    """The stream at its pace, and a kill in each minute; the memory of everybody at the end of each."""
    scene.publish(upstream.old)
    scene.crew.settle()
    seen: list[dict[str, float]] = []
    began, sent = time.monotonic(), 0
    for minute in range(minutes):
        kill_at = began + 60 * minute + scene.dice.uniform(5, 40)
        victim = [*CONSUMED][minute % len(CONSUMED)]
        while (now := time.monotonic()) < began + 60 * (minute + 1):
            if now > kill_at:
                kill_at = float("inf")
                scene.kills_under_way += scene.crew.in_flight(victim)
                scene.crew.kill(victim, "one")
            due = int((now - began) * rate) - sent
            scene.publish(upstream.some(due))
            sent += due
            scene.crew.keep()
            time.sleep(PIECE_SECONDS)
        seen.append(scene.crew.memory())
        behind = [scene.office.progress(name) for name in CONSUMED]
        row = [str(minute + 1), str(sent), *(str(each.end - each.committed) for each in behind)]
        table.add_row(*row, *(f"{megabytes:.0f}" for megabytes in seen[-1].values()))
        print("minute", *row, {who: round(each) for who, each in seen[-1].items()}, flush=True)
    return seen


def growth(seen: list[dict[str, float]], who: str) -> float:
    """How much more a worker had in the last quarter than in the second, as a part of that."""
    quarter = max(1, len(seen) // 4)
    early = statistics.mean(each[who] for each in seen[quarter : 2 * quarter] or seen)
    return statistics.mean(each[who] for each in seen[-quarter:]) / early - 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    table = Table("minute", "sent", "judge behind", "archive behind", title="resident megabytes")
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        with Office(folder, configuration(folder / "config")) as office:
            crew = Crew(office, dict(SETTINGS))
            crew.start_all()
            for who in crew.memory():
                table.add_column(who)
            scene = Scene(office, crew, random.Random(asked.seed), 0)
            news = asked.minutes * 60 * asked.rate // (REPEATS + 1)
            seen = soak(scene, Upstream(asked.seed, news), asked.minutes, asked.rate, table)
            crew.settle()
            found = differences(office)
    Console(width=120).print(table)
    grown = {who: growth(seen, who) for who in seen[-1] if who.endswith("two")}
    print(f"{len(found)} differences; {scene.kills_under_way} kills with records under way;", end=" ")
    print("grown:", ", ".join(f"{who} {part:+.1%}" for who, part in grown.items()))
    for difference in found[:20]:
        print(f"  {difference[:500]}")
    return int(bool(found) or any(part > GROWTH for part in grown.values()))


if __name__ == "__main__":
    sys.exit(main())
