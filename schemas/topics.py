"""The topics, as data: created by ``dunghan migrate``, checked at every start.

Partitions and replication belong to the installation (settings); the rest belongs to the topic.
All topics of one installation have the same number of partitions, and a dossier has the same
partition number in each: murmur2 of its code.
"""

from dataclasses import dataclass

FOREVER = -1
DAY_MS = 24 * 3600 * 1000
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic and its settings, each with its reason in ``why``.

    ``retention_ms`` is in milliseconds (`FOREVER`: kept), ``max_message_bytes`` in bytes;
    ``log_append_time`` lets the broker stamp the records (we then measure lag, not skew).
    """

    name: str
    why: str
    compacted: bool = False
    retention_ms: int = FOREVER
    max_message_bytes: int = MEGABYTE
    log_append_time: bool = True

    def config(self) -> dict[str, str]:
        """The topic's settings in Kafka's own words."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
        }


EVENTS = Topic("dossier.events.v1", "The truth: what upstream published, kept for ever.")
REROUTED = Topic("dossier.events.rerouted.v1", "Misplaced events on their own partition; as lasting as the events.")
LOOKS = Topic(
    "dossier.looks.v1",
    "Requests to judge a dossier because its time has come; rebuilt from state, so a week is plenty.",
    retention_ms=7 * DAY_MS,
)
STATE = Topic(
    "dossier.state.v1",
    "What judge knows: one record per event and per alert sent; only grows, so compaction may keep the last of a key.",
    compacted=True,
)
ASSESSMENTS = Topic(
    "dossier.assessments.v1",
    "The judgements with the events they rest on; 30 days let ClickHouse be rebuilt without judging again.",
    retention_ms=30 * DAY_MS,
    max_message_bytes=8 * MEGABYTE,  # a dossier of 2,000 events has a long life to tell
)
ALERTS = Topic("dossier.alerts.v1", "What supervisors are told; a year for audits.", retention_ms=366 * DAY_MS)
DEAD_LETTERS = Topic(
    "dossier.dead-letters.v1",
    "Refused records with their original bytes; restricted, and 30 days because they may hold personal data.",
    retention_ms=30 * DAY_MS,
    max_message_bytes=2 * MEGABYTE,  # the largest event and its headers must fit
)
FEEDS = Topic("dossier.feeds.v1", "The last sign of life of each unit and source.", compacted=True)

ALL: tuple[Topic, ...] = (EVENTS, REROUTED, LOOKS, STATE, ASSESSMENTS, ALERTS, DEAD_LETTERS, FEEDS)
