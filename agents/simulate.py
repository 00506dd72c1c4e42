"""Simulate: the records of the city, to a file, to standard output or onto Kafka, at the pace that is asked for."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from agents.city.dirt import Record
from agents.drivers.kafka_outlet import KafkaOutlet
from schemas import topics

#: What Kafka adds to a record at most: a larger one would be refused by the producer.
OVERHEAD_BYTES = 1_024
#: A rate is kept over stretches of so many seconds.
STRETCH_SECONDS = 0.05


class Sink(Protocol):
    """Where records go."""

    def send(self, record: Record) -> None:
        """Take the record. Raises `Unavailable`."""
        ...

    def finish(self) -> None:
        """Return when every record has been taken for good. Raises `Unavailable`."""
        ...


class Lines:
    """Records as lines, written out ``at_once`` when somebody watches; a key has no place there."""

    def __init__(self, out: BinaryIO, *, at_once: bool = False) -> None:
        self._out = out
        self._at_once = at_once

    def send(self, record: Record) -> None:
        """Write one line."""
        self._out.write(record.value + b"\n")
        if self._at_once:
            self._out.flush()

    def finish(self) -> None:
        """Write out what is held back."""
        self._out.flush()


@dataclass(slots=True)
class Topic:
    """Records onto ``dossier.events.v1`` as they are, key included; ``too_large`` counts what Kafka would not take."""

    outlet: KafkaOutlet
    too_large: int = 0

    def send(self, record: Record) -> None:
        """Send one record, unless Kafka would refuse its size."""
        if len(record.key) + len(record.value) + OVERHEAD_BYTES > topics.EVENTS.max_message_bytes:
            self.too_large += 1
        else:
            self.outlet.forward(record.key, record.value)

    def finish(self) -> None:
        """Return when all is acknowledged."""
        self.outlet.finish()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: ``speed`` simulated seconds a second (None: no waiting), and at most ``rate`` records a second.

    ``start`` is the simulated instant (seconds since the epoch) at which it begins; None: that of the first record.
    """

    speed: float | None = None
    rate: float | None = None
    start: float | None = None

    def kept(
        self,
        records: Iterable[Record],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator[Record]:
        """The records, each when it is due."""
        if self.speed is None and self.rate is None:
            yield from records
            return
        began, first = clock(), self.start
        for number, record in enumerate(records):
            first = record.arrives if first is None else first
            ahead = 0.0 if self.speed is None else (record.arrives - first) / self.speed
            if self.rate is not None:
                ahead = max(ahead, number / self.rate)
            wait = began + ahead - clock()
            if wait > STRETCH_SECONDS:
                sleep(wait)
            yield record
