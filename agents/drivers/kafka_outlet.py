"""The way onto ``dossier.events.v1`` for a publisher: kafka-python, every record acknowledged."""

import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from agents.drivers.kafka import connection
from agents.settings import Settings
from schemas import topics
from schemas.errors import ConfigError, Unavailable
from schemas.event import Event, canonical

#: Records that may wait for their acknowledgement: more would only cost memory.
WINDOW = 10_000
LINGER_MS = 20
BATCH_BYTES = 256 * 1024
#: A broker that is restarted comes back within this time; then what was on its way still arrives.
PATIENCE_SECONDS = 120.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0


class KafkaOutlet:
    """An `agents.publish.Outlet` onto a real cluster; used as ``with KafkaOutlet(settings) as outlet``.

    The partition is murmur2 of the dossier code, as of every Kafka client. Entering raises
    `Unavailable` when no broker answers, `ConfigError` when the topic is not there. After
    `Unavailable` any of the events that were not acknowledged may be there or not.
    """

    def __init__(
        self, settings: Settings, *, topic: str = topics.EVENTS.name, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._patience = patience
        self._waiting: deque[Any] = deque()
        self._producer: Any = None
        self.acknowledged = 0

    def __enter__(self) -> Self:
        from kafka.errors import KafkaError

        brokers = ", ".join(self._settings.brokers)
        if not any(_listens(broker) for broker in self._settings.brokers):
            raise Unavailable("kafka_unavailable", f"nothing listens at {brokers}")
        try:
            self._find_topic()
            self._producer = self._produce()
        except KafkaError as failure:
            message = f"no Kafka answers at {brokers} ({type(failure).__name__})"
            raise Unavailable("kafka_unavailable", message) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from kafka.errors import KafkaError

        if self._waiting:  # given up, or interrupted: kafka-python would wait for a broker that does not answer
            self._producer._sender.force_close()  # noqa: SLF001
        with suppress(KafkaError):  # all that matters has been acknowledged, or told
            self._producer.close(timeout=CLOSE_SECONDS)

    def _find_topic(self) -> None:
        """The producer would wait for a topic that is not there as long as for a broker, and not say which."""
        from kafka import KafkaAdminClient

        admin = KafkaAdminClient(
            **connection(self._settings),
            bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
            request_timeout_ms=int(CONNECT_SECONDS * 1000),
        )
        try:
            known = admin.list_topics()
        finally:
            admin.close()
        if self._topic not in known:
            raise ConfigError("topics_missing", f"the topic {self._topic} is not there; run: dunghan migrate")

    def _produce(self) -> Any:
        from kafka import KafkaProducer

        return KafkaProducer(
            **connection(self._settings),
            client_id="dunghan-publish",
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            batch_size=BATCH_BYTES,
            delivery_timeout_ms=int(self._patience * 1000),
            request_timeout_ms=int(min(self._patience, 30.0) * 1000) - LINGER_MS,
            max_block_ms=int(CONNECT_SECONDS * 1000),
            bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    def send(self, event: Event) -> None:
        """Take the event; wait for the oldest when too many are on their way."""
        self.forward(event.dossier_code.encode(), canonical(event))

    def forward(self, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Take a record as it is, readable or not; otherwise as `send`."""
        from kafka.errors import KafkaError

        while len(self._waiting) >= WINDOW:
            self._settle_oldest()
        try:
            sent = self._producer.send(self._topic, key=key, value=value, headers=list(headers))
        except KafkaError as failure:
            raise self._unacknowledged(failure) from None
        self._waiting.append(sent)

    def finish(self) -> None:
        """Return when every event taken has been acknowledged."""
        while self._waiting:
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        from kafka.errors import KafkaError

        try:
            self._waiting[0].get(timeout=self._patience + CONNECT_SECONDS)
        except KafkaError as failure:
            raise self._unacknowledged(failure) from None
        self._waiting.popleft()
        self.acknowledged += 1

    def _unacknowledged(self, failure: Exception) -> Unavailable:
        return Unavailable(
            "kafka_unavailable",
            f"Kafka acknowledged {self.acknowledged} events and then no more ({type(failure).__name__}); "
            "do the same again: what is there already counts once",
        )


def _listens(broker: str) -> bool:
    """Whether anything listens there: kafka-python would try for long, and not say that nothing does."""
    host, _, port = broker.rpartition(":")
    with suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS):
        return True
    return False
