"""tally: what judge counts of each chunk, and what it proves of each answer."""

from collections.abc import Collection, Sequence

import structlog

from agents.aside import Aside
from agents.judged import Judged
from agents.ports import Chunk
from agents.refusals import Refusals
from agents.shard import Shard
from agents.telemetry import Meters
from schemas import metrics, topics
from schemas.assessment import Assessment
from streams.ladder import unbucketed
from streams.ledger import imbalance

log = structlog.stdlib.get_logger(__name__)


def prove(answer: Assessment, meters: Meters) -> None:
    """Its time adds up, and every instant of a life is in one bucket; else it is said, and the answer stands."""
    for metric, wrong, event in (
        (metrics.UNBALANCED, imbalance, "time_unbalanced"),
        (metrics.UNBUCKETED, unbucketed, "time_unbucketed"),
    ):
        worst = max((wrong(cycle).total_seconds() for cycle in answer.cycles), default=0.0)
        if worst:
            meters.put(metric, worst)
            log.error(event, dossier=answer.dossier_code[-4:], seconds=worst)


def count(meters: Meters, chunk: Chunk, aside: Sequence[Aside], verdicts: Sequence[Judged], refusals: Refusals) -> None:
    """The fate of every record of a chunk that is done, and what came of it."""
    meters.count(metrics.RECORDS, len(chunk.records) - len(aside), topic=chunk.topic, fate="done")
    for each in aside:
        meters.count(metrics.RECORDS, topic=chunk.topic, fate=each.fate)
        if each.fate == "buried":
            meters.count(metrics.BURIED, reason=each.label)
            if chunk.topic == topics.EVENTS.name:
                meters.count(metrics.REFUSED, source=refusals.label(each.source))
        elif each.output is not None:
            meters.count(metrics.REROUTED, source=each.label)
    meters.count(metrics.ASSESSMENTS, len(verdicts))
    for judged in verdicts:
        for alert in judged.alerts:
            meters.count(metrics.ALERTS, action=alert.action.value, level=alert.level.value)


def count_dossiers(meters: Meters, shards: Collection[Shard]) -> None:
    """Say how many dossiers there are."""
    meters.put(metrics.DOSSIERS, sum(len(shard) for shard in shards))
    meters.put(metrics.EVICTED, sum(len(shard.evicted) for shard in shards))
