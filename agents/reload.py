"""reload: notices that the configuration folder says something else, and has it taken up, whole or not at all.

It looks at the content and not at times of files: every few seconds a digest of all that the folder's files say. A
change is read only when two looks running have found the same, so half a copy is not taken for a decision; and it is
taken up only when the folder as a whole has no fault. Else the rules before stay in force, and it says so until the
folder is right.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog

from agents.config import Folder, check
from agents.ports import Lease
from agents.telemetry import Meters
from schemas import metrics
from schemas.errors import ConfigError

EVERY = 2.0  # seconds between two looks; a change is in force after two to three of them

log = structlog.stdlib.get_logger(__name__)


class Reload:
    """The timer of one worker; ``take_up`` is given each folder without a fault whose rules are others than before.

    ``current`` is what the worker began with; None: nothing yet, so the first look gives it. ``take_up`` raises
    `ConfigError` to refuse the folder, `Unavailable` to be given it again at the next look.
    """

    def __init__(
        self, path: Path, current: Folder | None, take_up: Callable[[Folder], Awaitable[None]], meters: Meters
    ) -> None:
        self._path = path
        self._current = current
        self._take_up = take_up
        self._meters = meters
        self._seen = ""
        self._settled = ""
        self._refused: tuple[ConfigError, datetime] | None = None
        self._say()

    def note(self) -> dict[str, object]:
        """What ``/healthz`` says: the version of the rules in force, and what is wrong with newer ones."""
        refused = None
        if self._refused is not None:
            fault, since = self._refused
            refused = {"reason": fault.reason, "message": str(fault), "since": since.isoformat(timespec="seconds")}
        return {"version": self._current and self._current.book.version, "refused": refused}

    async def run(self, _leases: Mapping[int, Lease]) -> None:
        """Look once."""
        found = await asyncio.to_thread(fingerprint, self._path)
        stable, self._seen = found == self._seen, found
        if not stable or found == self._settled:
            return
        folder, faults = await asyncio.to_thread(check, self._path)
        if await asyncio.to_thread(fingerprint, self._path) != found:
            return
        try:
            if folder is None:
                raise faults[0]
            await self._adopt(folder)
        except ConfigError as fault:
            self._refused = fault, datetime.now(UTC)
            version = self._current and self._current.book.version
            log.error("rules_refused", reason=fault.reason, why=str(fault), faults=len(faults) or 1, in_force=version)
        self._settled = found
        self._say()

    async def _adopt(self, folder: Folder) -> None:
        before = self._current and self._current.book
        if before != folder.book:
            try:
                await self._take_up(folder)
            except ConfigError as fault:
                raise _placed(fault, folder) from fault
            self._current = folder
            log.info("rules_taken_up", version=folder.book.version, before=before and before.version)
        self._refused = None

    def _say(self) -> None:
        self._meters.put(metrics.RULES_VERSION, self._current.book.version if self._current else 0)
        self._meters.put(metrics.RULES_REFUSED, float(self._refused is not None))


def _placed(fault: ConfigError, folder: Folder) -> ConfigError:
    """The fault, with file and line of what it names."""
    path, line = folder.places.get(str(fault.where[0]), (None, None)) if fault.where else (None, None)
    return ConfigError(
        fault.reason, fault.message, path=path or fault.path or str(folder.path), line=line or fault.line
    )


def fingerprint(path: Path) -> str:
    """A digest of all YAML files of the folder, names and contents; of one that is not there, too."""
    known = hashlib.sha256()
    for file in sorted((*path.glob("*.y*ml"), *path.glob("*/*.y*ml"))):
        if file.name.startswith(".") or file.parent.name.startswith("."):
            continue
        try:
            content = file.read_bytes()
        except OSError as error:
            content = f"unreadable: {error.errno}".encode()
        for part in (file.relative_to(path).as_posix().encode(), content):
            known.update(len(part).to_bytes(8, "big") + part)
    return known.hexdigest()
