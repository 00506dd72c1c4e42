"""``python -m agents``: the command line, also where the name `dunghan` is not installed."""

from agents.cli.main import main

if __name__ == "__main__":
    main()
