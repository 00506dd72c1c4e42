"""A short storm in the ordinary tests; `make faults` plays the long ones."""

import os
from pathlib import Path

import pytest

from tests.system.faults.play import play
from tests.system.faults.storm import SHORT

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

#: The same storm every day, unless somebody asks for another one.
SEED = int(os.environ.get("SEED", "20260302"))


def test_a_short_storm_leaves_no_trace(tmp_path: Path) -> None:
    played = play(tmp_path, SEED, 3, SHORT, dossiers=300, burst=500, say=print)
    assert played.differences == [], f"SEED={SEED}"
    assert len(played.struck) == 3 + len(SHORT) - 1
    assert played.kills_under_way > 0
