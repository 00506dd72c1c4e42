"""What a worker says about itself: JSON log lines, metrics, and health that tells the truth.

A log event is ``<noun>_<past verb>``. WARNING means nothing was lost, ERROR that something was or
that a person must act.
"""

import logging
import sys
from collections.abc import Mapping

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from schemas.metrics import ALL, Metric

#: They speak at INFO about every fetch and rebalance, and build DEBUG records even when nobody reads them
#: (measured: 10% of a worker's time), so their loggers are set and not only filtered.
CHATTY = ("aiokafka", "faust", "mode", "asyncio", "aiohttp", "kafka")


def configure_logging(level: str, **bound: object) -> None:
    """From now on every log line of this process is one JSON object on standard error.

    Lines of the libraries come out the same way, at WARNING and above. ``bound`` is on every line.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        lambda _logger, _method, event: {**bound, **event},
    ]
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    logging.root.handlers[:] = [output]
    logging.root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class Meters:
    """The metrics of `schemas.metrics`, and no other: a name or kind outside it is a `KeyError`.

    Its registry is its own, so two workers of one test process do not mix.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in ALL:
            self._add(metric)

    def _add(self, metric: Metric) -> None:
        name, text, labels = metric.name, metric.help, metric.labels
        match metric.kind:
            case "counter":
                self._counters[name] = Counter(name, text, labels, registry=self._registry)
            case "gauge":
                self._gauges[name] = Gauge(name, text, labels, registry=self._registry)
            case "histogram":
                self._histograms[name] = Histogram(name, text, labels, buckets=metric.buckets, registry=self._registry)

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        meter = self._counters[metric.name]
        (meter.labels(**labels) if labels else meter).inc(amount)

    def put(self, metric: Metric, value: float, **labels: str) -> None:
        """Set a gauge."""
        meter = self._gauges[metric.name]
        (meter.labels(**labels) if labels else meter).set(value)

    def replace(self, metric: Metric, values: Mapping[str, float]) -> None:
        """Set a gauge with one label to exactly these values; labels not named disappear."""
        meter = self._gauges[metric.name]
        meter.clear()
        for label, value in values.items():
            meter.labels(label).set(value)

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        meter = self._histograms[metric.name]
        (meter.labels(**labels) if labels else meter).observe(value)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)
