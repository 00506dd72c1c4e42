"""The variables of ``docker-compose.yml``, as data: what `.env.example` and the reference say of them.

Settings of the program (`agents.settings`) are variables too: docker-compose.yml hands on those that may be chosen, and
fixes the rest. The variables here only docker-compose.yml knows.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable; without a ``default`` nothing starts until it is set (`bin/passwords` does)."""

    name: str
    default: str | None
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable("CLICKHOUSE_WRITER_PASSWORD", None, "Password of the ClickHouse user that makes tables and writes facts."),
    Variable("CLICKHOUSE_DESK_PASSWORD", None, "Password of the ClickHouse user by which Grafana reads desk views."),
    Variable("CLICKHOUSE_WALL_PASSWORD", None, "Password of the ClickHouse user that may read wall views alone."),
    Variable("GRAFANA_ADMIN_PASSWORD", None, "Password of Grafana's first user; it counts at the first start only."),
    Variable("GRAFANA_ADMIN_USER", "admin", "Name of that user."),
    Variable("DUNGHAN_OFFICE", "./config", "Configuration folder of the office, on this machine."),
    Variable("DUNGHAN_VERSION", "0.1.0", "Tag of the image that is built and run."),
    Variable("DUNGHAN_BIND", "127.0.0.1", "Address of this machine at which ports are published."),
    Variable("KAFKA_PORT", "9094", "Port at which publishers on this machine find Kafka."),
    Variable("KAFKA_ADVERTISED_HOST", "127.0.0.1", "Host by which these publishers are told to come back."),
    Variable("GRAFANA_PORT", "3000", "Port of Grafana."),
    Variable("PROMETHEUS_PORT", "9090", "Port of Prometheus."),
    Variable("ALERTMANAGER_PORT", "9093", "Port of Alertmanager."),
    Variable("KAFKA_CLUSTER_ID", "RHVuZ0hhbi1jbHVzdGVyMQ", "Name of the cluster: 16 bytes in base64, fixed at birth."),
    Variable("KAFKA_HEAP", "1g", "Heap of Kafka; about half of its memory, the rest is for its pages."),
    Variable("KAFKA_MEMORY", "2g", "Most memory of Kafka."),
    Variable("CLICKHOUSE_MEMORY", "4g", "Most memory of ClickHouse, which uses four fifths of it."),
    Variable(
        "JUDGE_MEMORY",
        "2g",
        "Most memory of judge: the history of every dossier of its partitions, a stub of the old ones.",
    ),
    Variable("ARCHIVE_MEMORY", "1g", "Most memory of archive."),
    Variable("PROMETHEUS_RETENTION", "90d", "How long Prometheus keeps what it measured."),
    Variable(
        "ALERTMANAGER_CONFIG",
        "./docker/alertmanager/alertmanager.yml",
        "Alertmanager's configuration: a copy of that file, with whom to tell.",
    ),
    Variable("SIMULATE_SPEED", "1", "How fast time passes in the simulated city (profile simulate)."),
)

#: Settings of the program that docker-compose.yml hands on from .env; it fixes every other one.
HANDED_ON = (
    "now",
    "partitions",
    "log_level",
    "session_timeout",
    "poll_interval",
    "stall_timeout",
    "commit_interval",
    "evict_days",
    "chunk_records",
)


def env_example() -> str:
    """The second part of ``.env.example``: these variables, those without a default first."""
    lines = ["", "# --- docker-compose.yml alone (docs/docker.md); `bin/passwords` writes those that must be set ---"]
    for variable in VARIABLES:
        lines += ["", f"# {variable.meaning}", f"#{variable.name}={variable.default or ''}"]
    return "\n".join(lines) + "\n"
