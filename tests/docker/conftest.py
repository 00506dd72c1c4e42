"""Programs that read the files of a deployment as their engines do."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.docker.composed import tool


def program(name: str, package: str) -> Path:
    found = tool(name)
    if found is None:
        assert os.environ.get("CI") != "true", f"CI needs {name}, which `make setup` installs"
        pytest.skip(f"{name} is not installed; `make setup` brings it where it may (Debian: {package})")
    return found


@pytest.fixture(scope="session")
def docker_compose() -> Sequence[str]:
    """The command: Debian's, or the plugin of an engine."""
    if tool("docker-compose") is None and tool("docker") is not None:
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ("docker", "compose")
    return (str(program("docker-compose", "docker-compose")),)


@pytest.fixture(scope="session")
def promtool() -> Path:
    return program("promtool", "prometheus")


@pytest.fixture(scope="session")
def amtool() -> Path:
    return program("amtool", "prometheus-alertmanager")
