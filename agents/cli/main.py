"""``dunghan``: the one command line. Each command lives in its own module and imports what it needs when it runs."""

import logging
import sys

import typer

from agents.cli import (
    dead_letters,
    doctor,
    explain,
    local,
    migrate,
    rebuild,
    release,
    replay,
    simulate,
    status,
    void,
    what_if,
    worker,
)
from agents.cli.publish import publish
from schemas.errors import DunghanError

FAILED = 1

app = typer.Typer(
    name="dunghan",
    help="Đúng Hạn: working-time limits of administrative dossiers, judged in real time.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(rich_help_panel="Start here")(local.demo)
app.command(rich_help_panel="Services on this machine")(local.up)
app.command(rich_help_panel="Services on this machine")(local.down)
app.command(rich_help_panel="Run")(migrate.migrate)
app.command(rich_help_panel="Run")(worker.worker)
app.command(rich_help_panel="Run")(rebuild.rebuild)
app.command(rich_help_panel="Run")(status.status)
app.command(rich_help_panel="Run")(release.release)
app.command(rich_help_panel="Run")(doctor.doctor)
app.command(rich_help_panel="Events")(simulate.simulate)
app.command(rich_help_panel="Events")(publish)
app.command(rich_help_panel="Events")(replay.replay)
app.command(rich_help_panel="Events")(explain.explain)
app.command("what-if", rich_help_panel="Events")(what_if.what_if)
app.command(rich_help_panel="By hand")(void.void)
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel="By hand")


def main() -> None:
    """Run the command line and leave with its exit code; a failure that has a name is one line, not a traceback."""
    # Libraries log their failed tries; what matters of it is said in our own words, and workers log as they wish.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        app()
    except DunghanError as failure:
        print(f"dunghan: {failure}", file=sys.stderr)
        sys.exit(FAILED)
