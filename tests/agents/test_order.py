"""The table of docs/how-it-works.md that says how state comes before the offset names lines that are there."""

import importlib
import re
from pathlib import Path

import pytest

from tests.system.office import ROOT

PAGE = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
PLACES = re.findall(r"`([a-z_/]+\.py)(?::([0-9]+))?` `([^`]+)`", PAGE)


def _lines(file: str) -> list[str]:
    root = file.partition("/")[0]
    found = importlib.import_module(root).__file__ if root in ("faust", "aiokafka") else str(ROOT / root / "_")
    assert found is not None
    return (Path(found).parent.parent / file).read_text(encoding="utf-8").splitlines()


def test_the_table_is_found() -> None:
    assert len(PLACES) == 15


@pytest.mark.parametrize(("file", "line", "text"), PLACES)
def test_each_place_is_where_the_page_says(file: str, line: str, text: str) -> None:
    lines = _lines(file)
    assert any(text in one for one in (lines[int(line) - 1 : int(line)] if line else lines))
