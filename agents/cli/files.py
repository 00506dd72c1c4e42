"""Files that a person names on the command line."""

from pathlib import Path
from typing import BinaryIO, Literal

from schemas.errors import ConfigError


def opened(path: Path, mode: Literal["rb", "wb"] = "rb") -> BinaryIO:
    """The open file; raises `ConfigError` (``file_unreadable``)."""
    try:
        return path.open(mode)
    except OSError as failure:
        raise ConfigError("file_unreadable", failure.strerror or "cannot be opened", path=str(path)) from None
