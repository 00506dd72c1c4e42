"""`dunghan dead-letters` and `dunghan void` before they ask any service."""

from pathlib import Path

import pytest

from agents.cli.dead_letters import _printable
from tests.commands import Answered, dunghan


def alone(*arguments: str | Path) -> Answered:
    """Run with nothing there to ask."""
    return dunghan(
        *arguments, settings={"DUNGHAN_BROKERS": "127.0.0.1:1", "DUNGHAN_CLICKHOUSE_PORT": "1", "DUNGHAN_DATA_DIR": "."}
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dead-letters", "resend", "--file", "event.json"), "--file corrects one letter"),
        (("dead-letters", "resend", "a/1/1", "a/1/2", "--file", "event.json"), "--file corrects one letter"),
        (("dead-letters", "list", "--since", "2026-11-27T08:00:00"), "has no offset"),
        (("dead-letters", "list", "--partition", "-1"), "--partition"),
        (("void", "e1"), "--reason"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(arguments: tuple[str, ...], said: str) -> None:
    answered = alone(*arguments)
    assert answered.code == 2
    assert said in answered.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("dead-letters", "list"), "kafka_unavailable"),
        (("dead-letters", "show", "dossier.events.v1/0/1"), "kafka_unavailable"),
        (("dead-letters", "show", "17"), "letter_unknown"),
        (("dead-letters", "resend", "--yes"), "clickhouse_unavailable"),
        (("dead-letters", "resend", "--yes", "--by", ""), "person_unknown"),
        (("void", "e1", "--reason", "x", "--yes"), "clickhouse_unavailable"),
    ],
)
def test_what_is_missing_is_said_in_one_line_with_its_reason(arguments: tuple[str, ...], reason: str) -> None:
    answered = alone(*arguments)
    assert answered.code == 1
    (line,) = answered.err.splitlines()
    assert line.startswith("dunghan: ")
    assert line.endswith(f"[{reason}]")
    assert answered.out == ""


def test_bytes_are_printed_so_that_they_do_nothing_to_a_terminal() -> None:
    assert _printable("Hồ sơ\n".encode()) == "Hồ sơ\n"
    assert _printable(b"\x1b[2J\r\xff\x00\xc2\x9b") == r"\x1b[2J\r\xff\x00\x9b"
