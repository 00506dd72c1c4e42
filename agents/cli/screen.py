"""How the command line speaks: results to standard output, everything else to standard error."""

from pathlib import Path

from rich.console import Console

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


def settings_with(config: Path | None = None) -> Settings:
    """The settings of this command; an option goes before the environment."""
    settings = read_cli_settings()
    return settings if config is None else settings.model_copy(update={"config": config})
