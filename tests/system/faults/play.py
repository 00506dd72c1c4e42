"""One whole storm: an office and its crew, the log of a seed, its faults, and then the look at what stands."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.system.faults.calm import differences
from tests.system.faults.crew import Crew
from tests.system.faults.disk import small_disk
from tests.system.faults.load import storm_log
from tests.system.faults.storm import Fault, Scene, disk_full, rage, schedule
from tests.system.generated import configuration
from tests.system.office import Office


@dataclass(frozen=True)
class Played:
    """What came of a storm."""

    differences: list[str]
    struck: list[str]
    kills_under_way: int
    restarts: int
    seconds: float


def play(
    folder: Path,
    seed: int,
    kills: int,
    others: Sequence[Fault],
    *,
    dossiers: int,
    burst: int,
    say: Callable[[str], None],
) -> Played:
    """Play the storm of this seed in an empty folder."""
    began = time.monotonic()
    say(f"seed {seed}: {kills} kills, {len(others)} other faults, {dossiers} dossiers, a burst of {burst}")
    with (
        small_disk(folder / "services" / "kafka" / "data") as disk,
        Office(folder, configuration(folder / "config")) as office,
    ):
        if disk is None:
            say("no disk_full: this user may not mount a disk of its own")
            others = [fault for fault in others if fault is not disk_full]
        crew = Crew(office)
        crew.start_all()
        scene = Scene(office, crew, random.Random(seed), burst, disk)
        rage(scene, schedule(seed, kills, others), storm_log(seed, dossiers).records(seed), say)
        crew.settle()
        found = differences(office)
    return Played(found, scene.struck, scene.kills_under_way, crew.restarts, time.monotonic() - began)
