"""``dunghan doctor``: whether this machine, these settings and this configuration can work, before anything runs."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import typer

from agents.cli.options import Config
from agents.cli.screen import say, settings_with
from agents.settings import LOCAL_ENV, PREFIX, Settings
from schemas.errors import ConfigError

WRONG = 1
JAVA = 17
SECRETS = ("clickhouse_password", "sasl_password")

Line = tuple[bool, str]  # is it well, and in words


def doctor(
    config: Config = None,
) -> None:
    """Check the settings, the configuration folder, and what local services need; print what holds, and every fault.

    Nothing is started and no service is asked (that is `status`). Java, Kafka's jars and ClickHouse's package are
    needed by `up` and `demo` alone: where DUNGHAN_BROKERS is set, their absence is told but is not wrong.
    Exit code 0: all is well. 1: something is not; its line begins with ✗.
    """
    well = True
    try:
        settings = settings_with(config)
    except ConfigError as fault:
        say(f"settings\n  ✗ {fault}")
        raise typer.Exit(WRONG) from None
    for title, lines in (
        ("settings", _settings(settings)),
        (f"configuration {settings.config}", _configuration(settings.config)),
        ("services on this machine", _machine()),
    ):
        say(title)
        for good, words in lines:
            say(f"  {'✓' if good else '✗'} {words}")
            well &= good
    if not well:
        raise typer.Exit(WRONG)


def _settings(settings: Settings) -> Iterator[Line]:
    """Every setting that is not the default, and how many are."""
    defaults = 0
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value == field.default:
            defaults += 1
        elif name in SECRETS:
            yield True, f"{PREFIX}{name.upper()} is set (not shown)"
        else:
            shown = ",".join(value) if isinstance(value, tuple) else value
            place = "" if f"{PREFIX}{name.upper()}" in os.environ else f"  (from {LOCAL_ENV})"
            yield True, f"{PREFIX}{name.upper()}={shown}{place}"
    yield True, f"{defaults} others have their defaults (docs/reference/settings.md)"


def _configuration(folder: Path) -> Iterator[Line]:
    from agents.config import check, describe

    read, faults = check(folder)
    for fault in faults:
        yield False, str(fault)
    if read is not None:
        for words in describe(read):
            yield True, words


def _machine() -> Iterator[Line]:
    needed = f"{PREFIX}BROKERS" not in os.environ
    from agents.drivers.local_kafka import JARS

    version = _java_version()
    if version is None:
        yield not needed, f"no Java; Kafka needs {JAVA} or later (make setup)"
    else:
        yield version >= JAVA or not needed, f"Java {version}" + ("" if version >= JAVA else f"; Kafka needs {JAVA}")
    jars = len(list(JARS.glob("*.jar")))
    yield bool(jars) or not needed, f"{jars} Kafka jars in {JARS}" if jars else f"no Kafka jars in {JARS} (make setup)"
    if not jars and which("mvn") is None:
        yield not needed, "no Maven to fetch them (make setup)"
    there = find_spec("chdb") is not None
    yield (
        there or not needed,
        "chdb-core holds ClickHouse" if there else "no chdb-core, which holds ClickHouse (make setup)",
    )
    yield from _ports()


def _java_version() -> int | None:
    home = os.environ.get("JAVA_HOME")
    java = (which(str(Path(home) / "bin" / "java")) if home else None) or which("java")
    if java is None:
        return None
    with suppress(OSError, subprocess.TimeoutExpired):
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
        found = re.search(r'version "([0-9]+)', said)
        return int(found[1]) if found else None
    return None


def _ports() -> Iterator[Line]:
    from agents.drivers.local import LOCAL
    from agents.drivers.service import PORTS, Roster, is_free

    roster = Roster(LOCAL)
    names = roster.names()
    for name in names:
        ports = ", ".join(f"{port}" for port in roster.ports(name).values())
        if roster.running(name) is not None:
            yield True, f"{name} runs, ports {ports}"
        else:
            yield False, f"{name} was started and has ended (ports {ports}; dunghan up starts it again)"
    if not names:
        yield any(map(is_free, PORTS)), f"nothing was started here; free ports from {PORTS.start} on"
