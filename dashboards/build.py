"""The committed files of ``dashboards/built``: boards as JSON, alarms as YAML, each from what this room says.

Grafana and Prometheus read the files; nobody edits them. ``make docs`` writes them, ``make check`` compares.
"""

import json
from collections.abc import Mapping

import yaml
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import alarms
from dashboards.boards import overview

FOLDER = "dashboards/built"
_NOTE = "# Generated from dashboards/alarms.py by `make docs`; do not edit.\n"


def built() -> Mapping[str, str]:
    """The text of every file, by its path from the root of the tree."""
    return {
        f"{FOLDER}/boards/overview.json": _board(overview.board()),
        f"{FOLDER}/alarms/dunghan.yml": _NOTE + _alarms(),
    }


def _board(board: Dashboard) -> str:
    made = board.build()
    for number, panel in enumerate(made.panels or (), start=1):
        panel.id_val = number  # Grafana's links to a panel need one, and the same one tomorrow
    return json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _alarms() -> str:
    groups = {"groups": [{"name": "dunghan", "rules": list(alarms.rules())}]}
    return yaml.safe_dump(groups, allow_unicode=True, sort_keys=False, width=1_000)
