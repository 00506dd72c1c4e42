"""How the command line speaks: results to standard output, everything else to standard error."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agents.settings import Settings, read_cli_settings

#: Plain text for people and pipes alike: what it is given is printed as it stands, never cut to the window.
OUT = Console(highlight=False, markup=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a result."""
    OUT.print(text)


def warn(text: str) -> None:
    """Print to standard error."""
    ERR.print(text)


def say_columns(lines: Sequence[Sequence[str]], *, right: int = 0) -> None:
    """Print lines in columns as wide as their longest cell, the last ``right`` of them to the right."""
    from agents.explain_text import columns

    for line in columns(lines, right=right):
        say(line)


def progress(*, wanted: bool = True) -> Progress:
    """How many of how many are done, on standard error; shown only to a person, and gone when done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=ERR, transient=True, disable=not (wanted and ERR.is_terminal))


def settings_with(config: Path | None = None) -> Settings:
    """The settings of this command; an option goes before the environment."""
    settings = read_cli_settings()
    return settings if config is None else settings.model_copy(update={"config": config})
