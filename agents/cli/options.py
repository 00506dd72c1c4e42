"""Options that several commands have, said in the same words."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Option(help="Configuration folder of the office. [default: DUNGHAN_CONFIG]")]
By = Annotated[str | None, typer.Option(help="Who does this, for the audit. [default: the user]")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
