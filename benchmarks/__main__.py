"""``make bench``: run every measurement on this machine and print one table."""

import platform

from rich.console import Console
from rich.table import Table

from benchmarks import core


def main() -> None:
    """Print the table."""
    table = Table(title=f"CPU time on one core, Python {platform.python_version()}, {platform.machine()}")
    table.add_column("what")
    table.add_column("µs", justify="right")
    table.add_column("")
    for measured in core.measure():
        table.add_row(measured.what, f"{measured.seconds * 1e6:,.2f}", measured.note)
    Console().print(table)


if __name__ == "__main__":
    main()
