"""Stops local services when the program that started them is gone: `python -m agents.drivers.keeper FOLDER NAME…`.

A program that is killed cannot clean up after itself. It holds the other end of this process's standard input and
never writes to it; the end of that input is its end, whatever the cause, and the services are then stopped here.
"""

import sys
from pathlib import Path

from agents.drivers import local


def main() -> None:
    """Wait for the end of standard input, then stop the named services of the folder."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    while sys.stdin.buffer.read(4096):
        pass
    local.down(folder, names)


if __name__ == "__main__":
    main()
