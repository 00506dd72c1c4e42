"""Our command line run as a user runs it: a process of its own, with nothing of ours in its environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Answered:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


def bare_environment() -> dict[str, str]:
    """This environment without any setting of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DUNGHAN_") and name != "KEEP"}


def dunghan(
    *arguments: str | Path, given: bytes = b"", cwd: Path = ROOT, settings: Mapping[str, str] | None = None
) -> Answered:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "agents", *map(str, arguments)],
        input=given,
        capture_output=True,
        cwd=cwd,
        env={**bare_environment(), "PYTHONPATH": str(ROOT), **(settings or {})},
        timeout=120,
        check=False,
    )
    return Answered(done.returncode, done.stdout.decode(), done.stderr.decode())
