"""One dossier judged: what is written of it, in which order, and what is known of it afterwards."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from agents.ports import Chunk, Outgoing
from agents.shard import Dossier
from schemas import topics
from schemas.alert import Alert
from schemas.assessment import Assessment
from schemas.dossier import Judgement, Memory, dump
from schemas.event import Event
from schemas.outlook import Outlook
from schemas.standing import Cause, News
from streams.standing import news, standings


class Arrived(NamedTuple):
    """An event, and when Kafka took it in: our topics stamp it themselves."""

    event: Event
    at: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """One dossier judged: the answer, the events that led to it, what to tell, to expect, and what is new."""

    dossier: Dossier
    answer: Assessment
    arrived: tuple[Arrived, ...]
    alerts: tuple[Alert, ...]
    again: tuple[Alert, ...]
    outlook: Outlook
    news: News | None

    def silent(self, units: Container[str | None]) -> bool:
        """Whether the feed of the unit that holds the dossier is one of these."""
        return bool(self.answer.cycles) and self.answer.cycles[-1].unit in units

    @property
    def highest_cycle(self) -> int:
        """The highest number that a cycle of it ever had."""
        return max(self.dossier.highest_cycle, len(self.answer.cycles))

    def intents(self, chunk: Chunk) -> Iterator[Outgoing]:
        """What must not be forgotten once it is out."""
        code = self.answer.dossier_code
        if self.highest_cycle > self.dossier.highest_cycle:
            yield remembered(Memory(code, cycle=self.highest_cycle), chunk.partition)
        for alert in self.alerts:
            yield remembered(Memory(code, alert=alert, intended=True), chunk.partition)

    def intend(self) -> None:
        """The intents are acknowledged."""
        self.dossier.highest_cycle = self.highest_cycle
        for alert in self.alerts:
            self.dossier.tell(alert, confirmed=False)

    def outputs(self, chunk: Chunk) -> Iterator[Outgoing]:
        """The answer, and what there is to tell."""
        code = self.answer.dossier_code
        events, times = tuple(each.event for each in self.arrived), tuple(each.at for each in self.arrived)
        judgement = Judgement(self.answer, self.highest_cycle, events, times, self.news)
        yield Outgoing(topics.ASSESSMENTS.name, code.encode(), dump(judgement), chunk.partition)
        for alert in (*self.again, *self.alerts):
            yield Outgoing(topics.ALERTS.name, code.encode(), dump(alert), chunk.partition)

    def memories(self, chunk: Chunk) -> Iterator[Outgoing]:
        """What is known once the outputs are acknowledged."""
        code = self.answer.dossier_code
        for memory in self.dossier.recalled:
            yield remembered(memory, chunk.partition)
        for each in self.arrived:
            yield remembered(Memory(code, event=each.event), chunk.partition)
        for alert in self.dossier.unconfirmed.values():
            yield remembered(Memory(code, alert=alert), chunk.partition)
        yield remembered(Memory(code, outlook=self.outlook), chunk.partition)
        if self.news is not None:
            yield remembered(Memory(code, said=standings(self.answer, self.highest_cycle)), chunk.partition)

    def confirm(self) -> None:
        """Outputs and state are acknowledged."""
        self.dossier.outlook = self.outlook
        self.dossier.unconfirmed.clear()
        self.dossier.recalled = ()
        if self.news is not None:
            self.dossier.said = standings(self.answer, self.highest_cycle)


def remembered(memory: Memory, partition: int) -> Outgoing:
    """The memory as it goes into the state of a partition."""
    return Outgoing(topics.STATE.name, memory.key(), dump(memory), partition)


def news_of(dossier: Dossier, answer: Assessment, why: Cause, *, at: datetime) -> News | None:
    """What is said now and was not before."""
    fresh = news(dossier.said, standings(answer, max(dossier.highest_cycle, len(answer.cycles))))
    return News(at, why, fresh) if fresh else None
