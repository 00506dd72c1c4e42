"""``dunghan demo``: the whole way once, on this machine: a city of ten days, whose every answer is known."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.live import Live

from agents import demo_board, messages
from agents.city.dirt import Record
from agents.city.places import Places
from agents.cli.migrate import bring_up_to_date
from agents.cli.status import CONSUMED
from agents.config import load
from agents.demo import CONFIG, NIGHT_DESK, ROOT, Stage, Workers, stage
from agents.demo_alert import LIMIT_SECONDS, Seen, Watch
from agents.demo_city import SILENT_BRANCH, DemoCity, as_lines
from agents.drivers.desk import Desk
from agents.drivers.kafka_groups import groups
from agents.drivers.kafka_outlet import KafkaOutlet
from agents.explain import explain
from agents.explain_text import text
from agents.simulate import Topic
from schemas.alert import Action
from schemas.errors import DunghanError
from schemas.event import Event
from streams.history import build

ALL_SECONDS = 150.0
ALERT_SECONDS = 15.0
LOOK_SECONDS = 0.5
#: The boards need this much: a narrower window would wrap their lines, and a pipe has no window.
LEAST_WIDTH = 132
LOG_FILE = "events.jsonl"
INTERRUPTED = 130


def show(*, keep: bool) -> None:
    """Play it all. Raises a `DunghanError` when something is not as the city knows it, or does not come in time."""
    console = Console(highlight=False)
    if console.width < LEAST_WIDTH:
        console = Console(highlight=False, width=LEAST_WIDTH)
    console.print("[bold]Đúng Hạn[/bold]: working-time limits of administrative dossiers, judged in real time\n")
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            _Show(console).play(stack, keep=keep)
            if not keep:
                with _step(console, "everything is stopped"):
                    stack.close()
    except KeyboardInterrupt:
        console.print("\nstopped; nothing is left running")
        raise typer.Exit(INTERRUPTED) from None
    console.print(f"\n{time.monotonic() - began:.0f} s altogether")


class _Show:
    """The acts of the demonstration, in order."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def play(self, stack: ExitStack, *, keep: bool) -> None:
        with self.step("a Kafka and a ClickHouse of its own are up"):
            scene = stack.enter_context(stage(keep=keep))
        self.rules = load(scene.settings.config)
        with self.step("topics, tables and calendars are there"):
            for _ in bring_up_to_date(scene.settings):
                pass
        with self.step("the workers judge and archive are ready"):
            workers = stack.enter_context(scene.workers())
            scene.wait_ready(workers)
        with Desk.open(scene.settings) as desk:
            city = self.tell(scene)
            self.fill(scene, workers, desk, city.records, "ten days have passed: all is judged and in ClickHouse")
            self.boards(desk, city)
            self.explain(desk)
            self.live(scene, desk)
            self.come_back(scene, workers, desk, city)
            self.verify(desk, city)
            if keep:
                self.farewell(scene, desk, city.refused)

    def step(self, words: str) -> AbstractContextManager[None]:
        return _step(self.console, words)

    def tell(self, scene: Stage) -> DemoCity:
        """Make the log. Its truth is as of now, so that what the workers say can be compared with it."""
        city = DemoCity(load(CONFIG), datetime.now(UTC).replace(microsecond=0))
        with self.step("ten working days of Hanoi, at a twentieth of its size, are made up"):
            city.make()
        (scene.folder / LOG_FILE).write_bytes(as_lines([*city.records, *city.held_back]))
        since = messages.instant_text(city.silent_since, self.rules.zone)
        self.console.print(
            f"    {len(city.records) + len(city.held_back):,} records"
            f" until {messages.instant_text(city.until, self.rules.zone)}:"
            f" late, repeated, misplaced, {city.refused} of no use\n"
            f"    {self.unit(SILENT_BRANCH)} sends nothing more from {since} on"
        )
        return city

    def unit(self, code: str) -> str:
        return self.rules.units[code].name or code

    def fill(self, scene: Stage, workers: Workers, desk: Desk, records: Sequence[Record], words: str) -> None:
        """Publish the records as they are, and return when archive has stored what judge says of all of them."""
        live = Live(console=self.console, transient=True, auto_refresh=False)
        with self.step(words), live, KafkaOutlet(scene.settings) as outlet:
            topic = Topic(outlet)
            for record in records:
                topic.send(record)
            topic.finish()
            deadline = time.monotonic() + ALL_SECONDS
            while behind := self._behind(scene):
                scene.check(workers)
                if time.monotonic() > deadline:
                    raise DunghanError("demo_failed", f"{behind:,} records are still to be done; {scene.said()}")
                if self.console.is_terminal:
                    live.update(demo_board.counts(desk, self.rules), refresh=True)
                time.sleep(LOOK_SECONDS)

    def _behind(self, scene: Stage) -> int:
        """How many records a worker has still to finish: judge first, because what it writes is archive's to do."""
        for name, topics in CONSUMED.items():
            (group,) = asyncio.run(groups(scene.settings, {name: topics}))
            if waiting := sum(group.behind.values()):
                return waiting
        return 0

    def boards(self, desk: Desk, city: DemoCity) -> None:
        places = Places(city.rules.units)
        sources = {branch: places.source(branch) for branch in places.branches.codes}
        silent = demo_board.silent(desk, self.rules, sources, read_until=city.until)
        self.console.print()
        self.console.print(demo_board.counts(desk, self.rules, frozenset(silent)))
        for branch, heard in silent.items():
            since = messages.instant_text(heard, self.rules.zone)
            self.console.print(
                f"[yellow]{self.unit(branch)}: không rõ[/yellow]; nguồn dữ liệu im lặng, sự kiện cuối cùng lúc {since};"
                " hồ sơ đang mở không được tính là đúng hạn\n"
            )
        self.console.print(demo_board.slowest(desk, self.rules), "")

    def explain(self, desk: Desk) -> None:
        """One dossier line by line: late, with a pause in its life."""
        code = demo_board.telling(desk)
        history = build(code, desk.events(code))
        now = datetime.now(UTC).replace(microsecond=0)
        for line in text(explain(history, self.rules, {}, now=now), only=frozenset({"facts", "segments"})):
            self.console.print(line, markup=False, soft_wrap=True)
        self.console.print()

    def live(self, scene: Stage, desk: Desk) -> None:
        """Two more dossiers, with a limit of seconds; their alerts come from a timer, no event arrives."""
        zone = self.rules.zone_of(NIGHT_DESK)
        self.console.print(
            f"[bold]Live[/bold]: two dossiers come in now, with a limit of {LIMIT_SECONDS} s"
            " on a calendar that is always open"
        )

        def tell(event: Event) -> None:
            self.console.print(
                f"  → {event.dossier_code}: {messages.STATUSES[event.status or 0]}"
                f" lúc {messages.instant_text(event.at, zone)}, sự kiện đến lúc {datetime.now(zone):%H:%M:%S}"
            )

        def alert(seen: Seen) -> None:
            alert, red = seen.alert, seen.alert.action is Action.RAISE
            reason = messages.ALERT_REASONS.get(alert.reason, f"hạn {messages.instant_text(alert.due, zone)}")
            kafka, clickhouse = seen.in_kafka.total_seconds(), seen.in_clickhouse.total_seconds()
            self.console.print(
                f"  [{'red' if red else 'green'}]●[/] cảnh báo {messages.LEVELS[alert.level]} của {alert.dossier_code}:"
                f" [bold]{messages.ACTIONS[alert.action]}[/bold], {reason}"
                f"  [dim](in Kafka after {kafka:.2f} s, in ClickHouse after {clickhouse:.2f} s)[/dim]",
                soft_wrap=True,
            )

        async def watch() -> None:
            await Watch(scene.settings, desk).play(tell, alert)

        asyncio.run(watch())
        self.console.print()

    def come_back(self, scene: Stage, workers: Workers, desk: Desk, city: DemoCity) -> None:
        """The silent branch comes back, with all that it held back at once."""
        words = f"{self.unit(SILENT_BRANCH)} is back: {len(city.held_back):,} late records in one burst"
        self.fill(scene, workers, desk, city.held_back, words)

    def verify(self, desk: Desk, city: DemoCity) -> None:
        """Compare every answer and the alerts with the city's own knowledge. Raises `DunghanError` when any differs."""
        same, differing = city.differences(desk)
        left = len(city.truth) - same
        changed = f" ({left} have changed by themselves meanwhile)" if left and not differing else ""
        self.mark(f"{same:,} of {len(city.truth):,} answers as the city knows them{changed}", good=not differing)
        if differing:
            raise DunghanError("demo_failed", "\n".join(differing[:10]))
        deadline = time.monotonic() + ALERT_SECONDS
        while not self._told(desk) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)  # alerts have a topic of their own, and may come after the answers
        slow = demo_board.slow(desk)
        words = f"each of the {len(slow):,} dossiers near or past their due time was alerted, and no other"
        self.mark(words, good=self._told(desk))
        if not self._told(desk):
            raise DunghanError("demo_failed", "alerts and answers differ")

    def _told(self, desk: Desk) -> bool:
        return demo_board.alerted(desk, still=True) <= demo_board.slow(desk) <= demo_board.alerted(desk, still=False)

    def mark(self, words: str, *, good: bool) -> None:
        mark = "[green]✓[/green]" if good else "[red]✗[/red]"
        self.console.print(f"  {mark} [bold]{words}[/bold]")

    def farewell(self, scene: Stage, desk: Desk, refused: int) -> None:
        """What was left running, and what to do with it."""
        settings, folder = scene.settings, scene.folder.relative_to(ROOT)
        self.console.print(f"\nleft running: Kafka {settings.brokers[0]}")
        self.console.print(f"              ClickHouse {settings.clickhouse_host}:{settings.clickhouse_port}")
        for name, address in scene.addresses.items():
            self.console.print(f"              {name} {address}/metrics")
        lines = (
            ("status", "how far everything is"),
            (f"explain {demo_board.telling(desk)}", "the slow dossier above, whole"),
            (
                f"publish {folder / LOG_FILE}",
                f"once more: only the {refused} of no use are refused again, nothing changes",
            ),
        )
        self.console.print(f"\nthree things to try, after: set -a; . {folder}/env; set +a", markup=False)
        for line, what in lines:
            self.console.print(f"  .venv/bin/dunghan {line:<44} # {what}", markup=False, soft_wrap=True)
        self.console.print(
            "an event of your own: README, Publish from your system; and to end it: .venv/bin/dunghan down"
        )


@contextmanager
def _step(console: Console, words: str) -> Iterator[None]:
    """Say that something is being done, and then how long it took."""
    began = time.monotonic()
    if console.is_terminal:
        console.print(f"  … {words}", end="\r")
    mark = "[red]✗[/red]"
    try:
        yield
        mark = "[green]✓[/green]"
    finally:
        console.print(f"  {mark} {words:<88}{time.monotonic() - began:5.1f} s")
