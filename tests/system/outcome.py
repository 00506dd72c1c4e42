"""What a run of an office has come to, kept after the office is gone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from aiokafka import ConsumerRecord

from schemas import topics
from tests.system.office import Office, Row, WorkerProcess

#: What we write of accepted events.
DERIVED = (topics.ASSESSMENTS, topics.ALERTS, topics.STATE, topics.LOOKS, topics.FEEDS, topics.REROUTED)


@dataclass(frozen=True)
class Outcome:
    """Everything that a test compares, taken when all was consumed."""

    facts: dict[str, list[Row]]
    alerts: dict[tuple[str, str], bool]
    now: datetime
    desk: list[Row]
    sent: list[ConsumerRecord]
    letters: list[ConsumerRecord]
    derived: list[ConsumerRecord]
    done: float
    rerouted: float
    buried: float
    taken: float
    in_flight: float
    unbalanced: float

    @classmethod
    def of(cls, office: Office, judge: WorkerProcess) -> Self:
        """The outcome of an office whose workers have consumed everything."""
        now = datetime.now(UTC)
        return cls(
            facts=office.facts(),
            alerts=office.alerts(),
            now=now,
            desk=office.desk(now),
            sent=office.records(topics.EVENTS),
            letters=office.records(topics.DEAD_LETTERS),
            derived=[record for topic in DERIVED for record in office.records(topic)],
            done=sum(
                judge.metric("dunghan_records_total", topic=topic.name, fate="done")
                for topic in (topics.EVENTS, topics.REROUTED)
            ),
            rerouted=judge.metric("dunghan_records_total", topic=topics.EVENTS.name, fate="rerouted"),
            buried=judge.metric("dunghan_records_total", topic=topics.EVENTS.name, fate="buried"),
            taken=sum(
                judge.metric("dunghan_records_taken_total", topic=topic.name)
                for topic in (topics.EVENTS, topics.REROUTED)
            ),
            in_flight=judge.metric("dunghan_records_in_flight"),
            unbalanced=judge.metric("dunghan_unbalanced_seconds") + judge.metric("dunghan_unbucketed_seconds"),
        )
