"""Apache Kafka on this machine: one broker that is its own controller (KRaft), for development, tests and the demo."""

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.errors import ConfigError, Unavailable

SOURCE = Path(__file__).parent / "kafka-server"
JARS = Path(__file__).parents[2] / ".local" / "kafka" / "jars"

# What a broker of one machine needs otherwise than a broker of a cluster, and why.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Topics are declared in schemas/topics.py; a misspelt one must fail, not appear.
    "auto.create.topics.enable": "false",
    "num.partitions": "4",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    # The first members of a group need not wait for others: a worker has records at once.
    "group.initial.rebalance.delay.ms": "0",
    # Tests of lost members ask for short sessions; Kafka's own lower bound is 6 s.
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A bound above every topic's own max.message.bytes (schemas/topics.py says the real ones).
    "message.max.bytes": str(16 * 1024 * 1024),
    # After SIGKILL the controller still believes in the session of the broker's former life, and waits it out.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "2000",
    # The default takes a quarter of the heap for compaction alone.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}
JVM = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")


class LocalKafka:
    """What `agents.drivers.local` needs to know of Kafka: its files, its command, and how to ask whether it is up."""

    name = "kafka"
    port_names: tuple[str, ...] = ("broker", "controller")

    def __init__(
        self, folder: Path, *, jars: Path = JARS, heap: str = "512m", settings: Mapping[str, str] = SETTINGS
    ) -> None:
        self.folder = folder
        self._jars = jars
        self._heap = heap
        self._settings = settings

    def prepare(self, ports: Mapping[str, int]) -> None:
        """The configuration written and, the first time, the data folder formatted.

        Raises `ConfigError` when Java or the jars are missing, `Unavailable` when Kafka refuses to format.
        """
        java = _java()
        if not any(self._jars.glob("kafka_*.jar")):
            raise ConfigError("jars_missing", f"no Kafka jars in {self._jars}; run `make setup`")
        # Everything is named relative to this folder: a blank, comma or colon above it then troubles nobody.
        link = self.folder / "lib"
        link.unlink(missing_ok=True)
        link.symlink_to(self._jars)
        shutil.copyfile(SOURCE / "log4j2.xml", self.folder / "log4j2.xml")
        addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        settings = {
            **self._settings,
            "listeners": f"PLAINTEXT://{addresses['broker']},CONTROLLER://{addresses['controller']}",
            "advertised.listeners": f"PLAINTEXT://{addresses['broker']}",
            # A voter named here, not in the log, may come back on another port.
            "controller.quorum.voters": f"1@{addresses['controller']}",
            "log.dirs": "data",
        }
        lines = "".join(f"{key}={value}\n" for key, value in settings.items())
        (self.folder / "server.properties").write_text(lines, encoding="ascii")
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(java)

    def command(self) -> Sequence[str]:
        """The broker's command, to be run in `folder`."""
        return [_java(), f"-Xmx{self._heap}", *JVM, *_main("kafka.Kafka"), "server.properties"]

    def probe(self, ports: Mapping[str, int]) -> None:
        """Return when a client gets the cluster's description with its broker in it; raise anything until then."""
        from kafka import KafkaAdminClient

        client = KafkaAdminClient(
            bootstrap_servers=f"127.0.0.1:{ports['broker']}",
            request_timeout_ms=5_000,
            bootstrap_timeout_ms=5_000,
        )
        try:
            if not client.describe_cluster()["brokers"]:
                raise Unavailable("service_starting", "the controller answers, its broker does not yet")
        finally:
            client.close()

    def _format(self, java: str) -> None:
        cluster = urlsafe_b64encode(b"D" + uuid.uuid4().bytes[1:]).decode("ascii").rstrip("=")  # never begins with "-"
        command = [java, "-XX:TieredStopAtLevel=1", *JVM, *_main("kafka.tools.StorageTool")]
        answer = subprocess.run(
            [
                *command,
                "format",
                "--config",
                "server.properties",
                "--cluster-id",
                cluster,
                "--ignore-formatted",
            ],
            cwd=self.folder,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if answer.returncode != 0:
            raise Unavailable("service_died", f"Kafka could not format its folder:\n{answer.stdout}{answer.stderr}")


def _main(program: str) -> list[str]:
    return ["-Dlog4j2.configurationFile=log4j2.xml", "-cp", "lib/*", program]


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home) / "bin" / "java")) if home else None
    found = found or shutil.which("java")
    if found is None:
        raise ConfigError("java_missing", "Kafka needs Java 17 or later, and there is no `java`; run `make setup`")
    return found
