"""The metric vocabulary: every name, its meaning and its labels, in one place.

Names are ``dunghan_<noun>_<unit>[_total]`` in base units; labels are bounded and never hold a dossier code.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: ``labels`` are bounded; ``buckets`` (seconds) belong to histograms alone."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


RECORDS = Metric(
    "dunghan_records_total",
    "counter",
    "Records by topic and fate (done, buried, rerouted; dropped: the partition moved, and another worker has them).",
    ("topic", "fate"),
)
TAKEN = Metric(
    "dunghan_records_taken_total", "counter", "Records that were handed to this worker, by topic.", ("topic",)
)
IN_FLIGHT = Metric(
    "dunghan_records_in_flight",
    "gauge",
    "Records taken whose fate is not decided yet; taken = all fates + in flight, always.",
)
REROUTED = Metric(
    "dunghan_rerouted_total", "counter", "Events sent on to the partition of their dossier, by source.", ("source",)
)
BURIED = Metric("dunghan_dead_letters_total", "counter", "Records buried, by reason.", ("reason",))
REFUSED = Metric(
    "dunghan_refused_total",
    "counter",
    "Records of upstream buried, by source (unnamed: it cannot be read that far).",
    ("source",),
)
ASSESSMENTS = Metric("dunghan_assessments_total", "counter", "Assessments acknowledged by Kafka.")
ALERTS = Metric("dunghan_alerts_total", "counter", "Alert records written, by action and level.", ("action", "level"))
LOOKS = Metric(
    "dunghan_looks_total", "counter", "Looks asked for because a dossier's time had come, or the rules had changed."
)
LOOK_DELAY = Metric(
    "dunghan_look_delay_seconds",
    "histogram",
    "From the instant at which a dossier's answer changes to the acknowledged judgement.",
    buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0),
)
CHUNK_SECONDS = Metric(
    "dunghan_chunk_seconds",
    "histogram",
    "From taking a chunk to its acknowledgement, by topic.",
    ("topic",),
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0),
)
DOSSIERS = Metric("dunghan_dossiers", "gauge", "Dossiers in the memory of this judge.")
EVICTED = Metric("dunghan_evicted_dossiers", "gauge", "Dossiers of which this judge holds a stub: over for long.")
EVICTIONS = Metric("dunghan_evictions_total", "counter", "Dossiers evicted to a stub.")
RECALLS = Metric("dunghan_recalls_total", "counter", "Evicted dossiers read back from ClickHouse, for a late event.")
ROWS = Metric("dunghan_rows_total", "counter", "Rows acknowledged by ClickHouse, by table.", ("table",))
HELD = Metric("dunghan_held_partitions", "gauge", "Partitions that wait for a dependency, by reason.", ("reason",))
ASSIGNED = Metric("dunghan_assigned_partitions", "gauge", "Partitions that this worker owns.")
SILENT_FEEDS = Metric(
    "dunghan_silent_feeds", "gauge", "1 for each unit whose feed is silent: nobody can tell how it stands.", ("unit",)
)
RULES_VERSION = Metric("dunghan_rules_version", "gauge", "Version of the rules that this worker goes by.")
RULES_REFUSED = Metric(
    "dunghan_rules_refused",
    "gauge",
    "1 while the configuration folder has a fault and the rules before it stay in force, else 0.",
)
UNREVIEWED = Metric(
    "dunghan_unreviewed_dossiers", "gauge", "Open dossiers that are still to be judged by the newest rules."
)
UNBALANCED = Metric(
    "dunghan_unbalanced_seconds",
    "gauge",
    "Largest |running + paused + off-hours - wall| seen; must stay at zero.",
)
UNBUCKETED = Metric(
    "dunghan_unbucketed_seconds",
    "gauge",
    "Largest part of a cycle's life seen that stands in no bucket of the counts, or in two; must stay at zero.",
)

ALL: tuple[Metric, ...] = (
    RECORDS,
    TAKEN,
    IN_FLIGHT,
    REROUTED,
    BURIED,
    REFUSED,
    ASSESSMENTS,
    ALERTS,
    LOOKS,
    LOOK_DELAY,
    CHUNK_SECONDS,
    DOSSIERS,
    EVICTED,
    EVICTIONS,
    RECALLS,
    ROWS,
    HELD,
    ASSIGNED,
    SILENT_FEEDS,
    RULES_VERSION,
    RULES_REFUSED,
    UNREVIEWED,
    UNBALANCED,
    UNBUCKETED,
)
