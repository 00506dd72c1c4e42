"""docker-compose.yml as a test reads it: merged, and with the variables that an installation would give."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from agents.compose import VARIABLES
from tests.commands import ROOT

FILE = ROOT / "docker-compose.yml"
#: ``${NAME}``, ``${NAME:-default}`` or ``${NAME:?what to do}``.
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")
#: An installation that has set what must be set.
GIVEN = {each.name: f"given-{number}" for number, each in enumerate(VARIABLES) if each.default is None}
ONE_SHOT = ("migrate", "simulator")

Service = Mapping[str, Any]


def text() -> str:
    return FILE.read_text(encoding="utf-8")


def filled(template: str, given: Mapping[str, str] = GIVEN) -> str:
    """The template with its variables filled in; `KeyError` names one that must be set and is not."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if given.get(name):
            return given[name]
        if kind == "-":
            return str(rest)
        raise KeyError(name)

    return VARIABLE.sub(value, template)


@cache
def services() -> Mapping[str, Service]:
    """Every service by name, those of profiles too."""
    return dict(_filled_in(yaml.safe_load(text()))["services"])


def _filled_in(part: Any) -> Any:
    """After reading and not before, as the engine does: an empty variable is an empty string then, and not null."""
    match part:
        case dict():
            return {name: _filled_in(value) for name, value in part.items()}
        case list():
            return [_filled_in(value) for value in part]
        case str():
            return filled(part)
        case _:
            return part


def mounts(service: Service) -> list[tuple[str, str, bool]]:
    """What the service mounts: source (a path or the name of a volume), target, and whether it may only be read."""
    parts = [str(mount).split(":") for mount in service.get("volumes", [])]
    return [(part[0], part[1], part[2:] == ["ro"]) for part in parts]


def kafka_settings() -> dict[str, str]:
    """The broker's settings, as its image makes them from the environment of the service."""
    own = {"KAFKA_HEAP_OPTS"}  # read by its scripts
    environment = services()["kafka"]["environment"]
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name not in own
    }


def tool(name: str) -> Path | None:
    """A program that `make setup` brings for checks: from this machine, or from .local."""
    found = shutil.which(name) or shutil.which(name, path=str(ROOT / ".local" / "checkers" / "usr" / "bin"))
    return Path(found) if found else None


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a program says; fails with it when the program does."""
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout
