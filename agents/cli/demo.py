"""``dunghan demo``: the whole way once, on this machine, with a log whose every answer is known."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agents import demo_alert, demo_board, messages
from agents.cli.migrate import bring_up_to_date
from agents.config import load
from agents.demo import CONFIG, ROOT, Stage, Workers, stage
from agents.demo_life import Standing
from agents.demo_log import BAD_LINES, Log, Told, write_log
from agents.drivers.desk import Desk
from agents.drivers.kafka_outlet import KafkaOutlet
from agents.explain import explain
from agents.explain_text import text
from agents.publish import Refused, office_check, publish, read_jsonl
from schemas.assessment import Level
from schemas.errors import DunghanError
from schemas.event import Event
from streams.history import History, add
from streams.rules import Rules

DOSSIERS = 2_000
ALL_SECONDS = 90.0
ALERT_SECONDS = 10.0
LOOK_SECONDS = 0.2
#: The boards need this much: a narrower window would wrap their lines, and a pipe has no window.
LEAST_WIDTH = 120
LOG_FILE = "events.jsonl"
INTERRUPTED = 130


def show(*, keep: bool) -> None:
    """Play it all. Raises a `DunghanError` when something is not as it was generated, or does not come in time."""
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
        self.rules: Rules = load(CONFIG)

    def play(self, stack: ExitStack, *, keep: bool) -> None:
        with self.step("a Kafka and a ClickHouse of its own are up"):
            scene = stack.enter_context(stage(keep=keep))
        with self.step("topics, tables and calendars are there"):
            for _ in bring_up_to_date(scene.settings):
                pass
        with self.step("the workers judge and archive are ready"):
            workers = stack.enter_context(scene.workers())
            scene.wait_ready(workers)
        log = self.publish(scene)
        with Desk.open(scene.settings) as desk:
            self.wait(scene, workers, desk, log)
            self.verify(desk, log)
            self.boards(desk)
            self.explain(desk, log)
            self.alert(scene, desk)
        if keep:
            self.farewell(scene, log)

    def step(self, words: str) -> AbstractContextManager[None]:
        return _step(self.console, words)

    def publish(self, scene: Stage) -> Log:
        """Generate the log, and send it as a source would: in no order, some of it twice, some of it rubbish."""
        log = write_log(self.rules.newest.home, now=datetime.now(UTC).replace(microsecond=0))
        file = scene.folder / LOG_FILE
        file.write_bytes(b"".join(log.lines()))
        refused: list[Refused] = []
        words = f"{log.events:,} events of {len(log.dossiers):,} dossiers published, in no order, some twice"
        columns = (TextColumn("  publishing"), BarColumn())
        with (
            self.step(words),
            file.open("rb") as stream,
            Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar,
            KafkaOutlet(scene.settings) as outlet,
        ):
            check = office_check(self.rules, log.now)
            lines = read_jsonl(bar.wrap_file(stream, file.stat().st_size), check)
            publish(lines, outlet, refused.append)
        told = ", ".join(f"{row.reason} (line {row.line})" for row in refused)
        self.console.print(f"    refused before sending: {told}")
        if sorted(row.reason for row in refused) != sorted(BAD_LINES):
            raise DunghanError("demo_failed", f"refused should be {', '.join(BAD_LINES)}")
        return log

    def wait(self, scene: Stage, workers: Workers, desk: Desk, log: Log) -> None:
        """Return when ClickHouse has the judgement of every event. Raises `DunghanError` when that takes too long."""
        deadline = time.monotonic() + ALL_SECONDS
        columns = (TextColumn("  judged"), BarColumn(), MofNCompleteColumn())
        with (
            self.step("all of them are judged and stand in ClickHouse"),
            Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar,
        ):
            task = bar.add_task("judged", total=log.events)
            while (known := desk.known()) != (len(log.dossiers), log.events):
                bar.update(task, completed=known[1])
                scene.check(workers)
                if time.monotonic() > deadline:
                    counts = f"{known[0]:,} of {len(log.dossiers):,} dossiers, {known[1]:,} of {log.events:,} events"
                    message = f"after {ALL_SECONDS:.0f} s ClickHouse has {counts}; {scene.said()}"
                    raise DunghanError("demo_failed", message)
                time.sleep(LOOK_SECONDS)

    def verify(self, desk: Desk, log: Log) -> None:
        """Compare every answer and the open alerts with what was generated. Raises `DunghanError` when any differs."""
        differing = list(demo_board.differences(desk, log))
        right = len(log.dossiers) - len({difference.code for difference in differing})
        self.mark(f"{right:,} of {len(log.dossiers):,} answers as generated", good=not differing)
        if differing:
            raise DunghanError("demo_failed", "\n".join(map(str, differing[:10])))
        wanted = sorted(told.code for told in log.dossiers if told.answer.level is not Level.NONE)
        deadline = time.monotonic() + ALERT_SECONDS
        while (raised := demo_board.alerted(desk)) != wanted and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)  # alerts have a topic of their own, and may come after the answers
        self.mark(
            f"{len(raised):,} alerts open, one for each of the {len(wanted):,} slow dossiers", good=raised == wanted
        )
        if raised != wanted:
            raise DunghanError("demo_failed", f"alerts differ: {', '.join(sorted({*raised} ^ {*wanted})[:10])}")
        self.console.print()

    def mark(self, words: str, *, good: bool) -> None:
        mark = "[green]✓[/green]" if good else "[red]✗[/red]"
        self.console.print(f"  {mark} [bold]{words}[/bold]")

    def boards(self, desk: Desk) -> None:
        self.console.print(demo_board.counts(desk, self.rules), "")
        self.console.print(demo_board.slowest(desk, self.rules), "")

    def explain(self, desk: Desk, log: Log) -> None:
        """One dossier line by line: late, with a pause in its life."""
        code = _telling(log).code
        history = History(code)
        for event in desk.events(code):
            history = add(history, event)
        for line in text(explain(history, self.rules, {}, now=log.now), only=frozenset({"facts", "segments"})):
            self.console.print(line, markup=False, soft_wrap=True)
        self.console.print()

    def alert(self, scene: Stage, desk: Desk) -> None:
        """One more dossier, with a limit of seconds; its alert comes from a timer, no event arrives."""

        def waiting(event: Event) -> None:
            self.console.print(
                f"  {event.dossier_code} comes in now, with a limit of {demo_alert.LIMIT_SECONDS} s on a calendar "
                "that is always open; no event follows …"
            )

        seen = asyncio.run(demo_alert.watch(scene.settings, desk, waiting))
        alert, zone = seen.alert, self.rules.zone_of(seen.alert.unit)
        self.console.print(
            f"  [red]●[/red] {alert.dossier_code}: {messages.LEVELS[alert.level]}, "
            f"hạn {messages.instant_text(alert.due, zone)}"
        )
        kafka, clickhouse = seen.in_kafka.total_seconds(), seen.in_clickhouse.total_seconds()
        self.mark(
            f"its alert stood in Kafka {kafka:.2f} s after its instant, in ClickHouse {clickhouse:.2f} s", good=True
        )

    def farewell(self, scene: Stage, log: Log) -> None:
        """What was left running, and what to do with it."""
        settings, folder = scene.settings, scene.folder.relative_to(ROOT)
        self.console.print(f"\nleft running: Kafka {settings.brokers[0]}")
        self.console.print(f"              ClickHouse {settings.clickhouse_host}:{settings.clickhouse_port}")
        for name, address in scene.addresses.items():
            self.console.print(f"              {name} {address}/metrics")
        self.console.print("three things to try:")
        for line in (
            "status",
            f"explain {_telling(log).code}",
            f"publish {folder / LOG_FILE}     # once more: nothing changes",
        ):
            self.console.print(f"  DUNGHAN_DATA_DIR={folder} .venv/bin/dunghan {line}", markup=False, soft_wrap=True)
        self.console.print("and to end it: .venv/bin/dunghan down")


def _telling(log: Log) -> Told:
    """An overdue dossier with a pause and a hand-over: there is something to explain."""
    told = [each for each in log.dossiers if each.life is not None and each.answer.standing is Standing.OVERDUE]
    return max(told, key=lambda each: (each.life.pause is not None, -abs(len(each.events) - 5), each.code))  # type: ignore[union-attr]


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
