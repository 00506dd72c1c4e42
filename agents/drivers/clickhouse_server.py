"""A whole ClickHouse server in this process: `python -m agents.drivers.clickhouse_server`.

The `chdb-core` package holds the server that `clickhouse-server` is, without its program. It reads `config.xml`
of the current folder, and starts listening when it is told to by a query; the query after it never ends, and so
the server stays. It is meant for development, tests and the demo: `agents.drivers.local_clickhouse` writes the
configuration and starts it. It stops at SIGTERM, and data survives SIGKILL.
"""

import os
import sys

SERVE = """
SYSTEM START LISTEN TCP;
SELECT sleepEachRow(1) FROM numbers(1000000000)
SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1
FORMAT Null
"""


def main() -> None:
    """Serve the ClickHouse that the current folder's `config.xml` describes, for ever; data goes to `data/` there."""
    # Importing reads a config.xml too, and must not find this one: it opens the ports a moment too early.
    here = os.getcwd()
    os.makedirs("empty", exist_ok=True)
    os.chdir("empty")
    from chdb import _chdb

    os.chdir(here)
    # The public `chdb.query` opens a connection instead, and a connection cannot listen.
    answer = _chdb.query(SERVE, "CSV", path=os.path.join(here, "data"))  # type: ignore[attr-defined]  # an extension without types
    sys.exit(f"the server stopped serving: {answer}")


if __name__ == "__main__":
    main()
