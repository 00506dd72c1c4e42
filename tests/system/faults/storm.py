"""A storm: faults in an order that its seed decides, each striking while a part of the log is on its way."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from agents.ports import Outgoing
from schemas import topics
from schemas.errors import Unavailable
from schemas.event import canonical
from tests.system.faults.crew import IDS, SESSION, Crew
from tests.system.faults.disk import SmallDisk
from tests.system.faults.load import breaches
from tests.system.office import CONSUMED, Office

#: A part of the log goes out in so many pieces, so far apart: about three seconds, in which its fault strikes.
PIECES = 20
PIECE_SECONDS = 0.15


@dataclass
class Scene:
    """Where a fault strikes: the office, who works there, and the dice."""

    office: Office
    crew: Crew
    dice: random.Random
    burst: int
    disk: SmallDisk | None = None
    struck: list[str] = field(default_factory=list)
    kills_under_way: int = 0

    def any_worker(self) -> tuple[str, str]:
        return self.dice.choice(list(CONSUMED)), self.dice.choice(IDS)

    def publish(self, records: Sequence[Outgoing]) -> None:
        """As an upstream does it: when the broker does not answer, the same records again."""
        while True:
            try:
                return self.office.send(records)
            except Unavailable:
                time.sleep(0.5)


def kill(scene: Scene) -> None:
    """SIGKILL at any moment, started again under the same id."""
    name, worker_id = scene.any_worker()
    scene.kills_under_way += scene.crew.in_flight(name)
    scene.crew.kill(name, worker_id)


def suspend(scene: Scene) -> None:
    """SIGSTOP beyond the session: another has its partitions when it wakes in the middle of its chunk."""
    scene.crew.freeze(*scene.any_worker(), seconds=SESSION + scene.dice.uniform(1, 2))


def slow(scene: Scene) -> None:
    """A worker that gets an eighth of its time, within its session."""
    who = scene.any_worker()
    for _ in range(10):
        scene.crew.freeze(*who, seconds=0.35)
        time.sleep(0.05)


def broker_restarted(scene: Scene) -> None:
    """The broker stops in order and comes back."""
    scene.office.services.kafka_server.restart()


def broker_killed(scene: Scene) -> None:
    """The broker dies as by a power cut of its process and comes back."""
    broker = scene.office.services.kafka_server
    broker.kill()
    broker.restart()


def disk_full(scene: Scene) -> None:
    """The disk under the broker's log is full: the broker ends; with room again, it comes back."""
    broker = scene.office.services.kafka_server
    assert scene.disk is not None
    scene.disk.fill()
    deadline = time.monotonic() + 30
    number = 0
    while broker.is_running and time.monotonic() < deadline:
        number += 1
        try:  # something must be written, or nobody notices
            scene.office.send([Outgoing(topics.EVENTS.name, b"full", bytes(200_000), number % 4) for _ in range(4)])
        except Unavailable:
            break
    broker.kill()
    scene.disk.free()
    broker.restart()


def clickhouse_down(scene: Scene) -> None:
    """ClickHouse is away for a while; archive waits."""
    server = scene.office.services.clickhouse_server
    server.kill()
    time.sleep(scene.dice.uniform(2, 5))
    server.restart()


def clickhouse_frozen(scene: Scene) -> None:
    """ClickHouse does not answer for longer than an insert waits, and has done what it was asked in the end."""
    server = scene.office.services.clickhouse_server
    server.freeze()
    time.sleep(12)
    server.thaw()


def join_and_leave(scene: Scene) -> None:
    """One more worker of a kind joins, works a while and leaves: two rebalances."""
    name = scene.dice.choice(list(CONSUMED))
    scene.crew.start(name, "three")
    time.sleep(scene.dice.uniform(3, 5))
    scene.crew.dismiss(name, "three")


def join_in_a_hold(scene: Scene) -> None:
    """One more archive joins and leaves while the others hold chunks, because ClickHouse is away."""
    server = scene.office.services.clickhouse_server
    server.kill()
    scene.crew.start("archive", "three")
    time.sleep(scene.dice.uniform(3, 5))
    scene.crew.dismiss("archive", "three")
    server.restart()


def burst(scene: Scene) -> None:
    """Thousands of dossiers overdue at once, and the judge that tells of them dies."""
    events = breaches(scene.dice.randrange(2**31), scene.burst)
    scene.publish([Outgoing(topics.EVENTS.name, event.dossier_code.encode(), canonical(event)) for event in events])
    scene.kills_under_way += scene.crew.in_flight("judge")
    scene.crew.kill("judge", scene.dice.choice(IDS))


Fault = Callable[[Scene], None]

#: Each of these strikes once in a long storm.
ONCE: tuple[Fault, ...] = (
    *(burst, suspend, suspend, slow, broker_restarted, broker_killed, disk_full),
    *(clickhouse_down, clickhouse_frozen, join_and_leave, join_in_a_hold),
)
#: A short one has no time for more than this.
SHORT: tuple[Fault, ...] = (burst, suspend, clickhouse_down, join_in_a_hold)


def schedule(seed: int, kills: int, others: Sequence[Fault]) -> list[Fault]:
    """The faults of a seed in their order; the burst counts as one of the kills."""
    faults = [*others, *[kill] * (kills - others.count(burst))]
    random.Random(seed).shuffle(faults)
    return faults


def rage(scene: Scene, faults: Sequence[Fault], records: Sequence[Outgoing], say: Callable[[str], None]) -> None:
    """Publish the log, and let a fault strike in each of its parts; return when the last part is out."""
    began = time.monotonic()
    for number, fault in enumerate(faults):
        part = records[number * len(records) // len(faults) : (number + 1) * len(records) // len(faults)]
        failures: list[BaseException] = []
        upstream = threading.Thread(target=_publish, args=(scene, part, failures), daemon=True)
        upstream.start()
        time.sleep(scene.dice.uniform(0, 1.5))
        scene.crew.keep()
        say(f"{timedelta(seconds=round(time.monotonic() - began))}  {fault.__name__}")
        fault(scene)
        scene.struck.append(fault.__name__)
        upstream.join()
        if failures:
            raise failures[0]
        scene.crew.keep()


def _publish(scene: Scene, part: Sequence[Outgoing], failures: list[BaseException]) -> None:
    try:
        for number in range(PIECES):
            scene.publish(part[number * len(part) // PIECES : (number + 1) * len(part) // PIECES])
            time.sleep(PIECE_SECONDS)
    except BaseException as failure:  # noqa: BLE001  # raised where the storm is
        failures.append(failure)
