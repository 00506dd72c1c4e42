"""``dunghan up`` and ``dunghan down``: Kafka and ClickHouse on this machine, without Docker."""

from typing import Annotated

import typer

from agents.cli.screen import say


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", envvar="KEEP", help="Leave services and workers running; `down` stops them.")
    ] = False,
) -> None:
    """Show the whole way on this machine: Kafka, both workers, ClickHouse, and ten days of a small Hanoi.

    Nothing has to run before and nothing is left running: services, folder and configuration (config, and a desk that
    never closes) are its own. Exit code 0: every answer in ClickHouse is the one the city knows, and alerts came.
    """
    from agents.cli.demo import show

    show(keep=keep)


def up() -> None:
    """Start Kafka and ClickHouse on this machine and leave them running; `down` stops them.

    They listen on loopback alone, on free ports, with their data under `.local/`. The other commands find their
    addresses by themselves, in `.local/env`; what the environment says goes first.
    """
    from agents.drivers.local import up as start

    services, started = start()
    for service in services.all:
        address = ", ".join(f"{name} 127.0.0.1:{port}" for name, port in service.ports.items())
        say(f"{service.name:<11} {'started' if service.name in started else 'was running'}  {address}")
    say("\nnext: dunghan migrate; dunghan worker")


def down() -> None:
    """Stop what `up` started, and what `demo --keep` left running; the data stay."""
    from agents.demo import stop_kept
    from agents.drivers.local import down as stop

    stopped = [*(f"{name} of the demo" for name in stop_kept()), *stop()]
    say(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
