"""Logs are JSON on standard error, metrics are the vocabulary's, and the two pages show them."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import structlog

from agents.health import Health
from agents.telemetry import Meters, configure_logging
from agents.web import serving
from schemas import metrics
from schemas.metrics import Metric


@pytest.fixture
def logging_again() -> Iterator[None]:
    root, level = list(logging.root.handlers), logging.root.level
    yield
    logging.root.handlers[:] = root
    logging.root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("logging_again")
def test_every_line_is_one_json_object_with_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", worker="judge")
    structlog.stdlib.get_logger("agents.x").warning("event_buried", reason="naive_time")
    structlog.stdlib.get_logger("agents.x").debug("unsaid")
    [line] = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "event_buried",
        "reason": "naive_time",
        "worker": "judge",
        "level": "warning",
        "logger": "agents.x",
    }


@pytest.mark.usefixtures("logging_again")
def test_libraries_speak_from_warning_on_and_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG", worker="judge")
    logging.getLogger("aiokafka.conn").info("chatter")
    logging.getLogger("faust.app").warning("careful: %s", "x")
    [line] = lines(capsys)
    assert (line["event"], line["logger"], line["worker"]) == ("careful: x", "faust.app", "judge")


@pytest.mark.usefixtures("logging_again")
def test_a_failure_is_logged_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError as failure:
        structlog.stdlib.get_logger("x").error("worker_failed", exc_info=failure)
    [line] = lines(capsys)
    assert "test_telemetry.py" in line["exception"]


def test_meters_know_the_vocabulary_and_nothing_else() -> None:
    meters = Meters()
    meters.count(metrics.RECORDS, 3, topic="events", fate="done")
    meters.put(metrics.ASSIGNED, 4)
    meters.observe(metrics.LOOK_DELAY, 0.2)
    text = meters.exposition().decode()
    assert 'dunghan_records_total{fate="done",topic="events"} 3.0' in text
    assert "dunghan_assigned_partitions 4.0" in text
    assert 'dunghan_look_delay_seconds_bucket{le="0.25"} 1.0' in text
    with pytest.raises(KeyError):
        meters.count(Metric("dunghan_unknown_total", "counter", ""))
    with pytest.raises(KeyError):
        meters.put(metrics.RECORDS, 1)
    with pytest.raises(ValueError, match="label"):
        meters.count(metrics.RECORDS, topic="events", code="H26.12-260105-0001")


def test_two_workers_of_one_process_do_not_share_meters() -> None:
    first, second = Meters(), Meters()
    first.put(metrics.ASSIGNED, 4)
    assert "dunghan_assigned_partitions 0.0" in second.exposition().decode()


async def test_healthz_answers_with_the_status_and_metrics_with_the_holds() -> None:
    health, meters = Health("judge"), Meters()
    async with serving(health, meters, host="127.0.0.1", port=0) as address, aiohttp.ClientSession() as client:
        async with client.get(f"{address}/healthz") as answer:
            assert (answer.status, (await answer.json())["status"]) == (503, "starting")
        health.assigned({0, 1})
        health.held(0, "kafka_unavailable", "no broker")
        async with client.get(f"{address}/healthz") as answer:
            assert (answer.status, (await answer.json())["held"][0]["reason"]) == (200, "kafka_unavailable")
        async with client.get(f"{address}/metrics") as answer:
            assert 'dunghan_held_partitions{reason="kafka_unavailable"} 1.0' in await answer.text()
        health.resumed(0)
        async with client.get(f"{address}/metrics") as answer:
            assert "kafka_unavailable" not in await answer.text()


async def test_an_address_in_use_is_an_os_error() -> None:
    async with serving(Health("a"), Meters(), host="127.0.0.1", port=0) as address:
        with pytest.raises(OSError, match="in use"):
            async with serving(Health("b"), Meters(), host="127.0.0.1", port=int(address.rsplit(":", 1)[1])):
                pass
