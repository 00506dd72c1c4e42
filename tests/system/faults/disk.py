"""A small disk of its own under the broker's log, that can be full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 1_024


class SmallDisk:
    """A tmpfs at a folder."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """No byte is left."""
        block = bytes(2**20)
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (2**20, 4_096):
                try:
                    while ballast.write(block[:size]) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """There is room again."""
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk | None]:
    """The folder on a disk of its own; None, and an ordinary folder, where this user may not mount."""
    folder.mkdir(parents=True)
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        options = f"size={MEGABYTES}m"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "dunghan", str(folder)], check=False)
        mounted = done.returncode == 0
    try:
        yield SmallDisk(folder) if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
