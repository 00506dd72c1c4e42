"""The places of the city: wards and communes, branches and their reception points, and how busy each is."""

import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate

from schemas.errors import ConfigError
from schemas.office import Unit

PORTAL = "cong-dvc"  # the national portal is where online dossiers are registered
_BRANCH, _WARD, _POINT = (re.compile(rf"[A-Z][0-9]{{2}}\.{tail}") for tail in (r"[0-9]{2}", r"[0-9]{3}", r".*\.P[0-9]"))

#: A ward (phường) has so many dossiers for each one of a commune (xã): assumed, wards are the denser half.
WARD_TO_COMMUNE = 1.5


class Weighed:
    """Some codes, each drawn as often as its weight says."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.codes: Sequence[str] = tuple(weights)
        reach = tuple(accumulate(weights.values()))
        self._reach = [each / reach[-1] for each in reach]

    def at(self, draw: float) -> str:
        """The code at a draw from 0 to 1."""
        return self.codes[min(bisect(self._reach, draw), len(self.codes) - 1)]


class Places:
    """The units of ``units.yaml`` by what they are. Raises `ConfigError` (``city_unknown``) when a kind is missing."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        def kind(pattern: re.Pattern[str]) -> dict[str, Unit]:
            return {code: unit for code, unit in units.items() if pattern.fullmatch(code)}

        branches, wards, points = kind(_BRANCH), kind(_WARD), kind(_POINT)
        if not (branches and wards and points):
            needed = "branches (H26.01), points (H26.01.P1) and wards (H26.101)"
            raise ConfigError("city_unknown", f"units.yaml must have {needed}", path="units.yaml")
        self.branches = Weighed({code: 1.0 + index % 3 * 0.3 for index, code in enumerate(branches)})
        self.wards = Weighed(
            {
                code: (WARD_TO_COMMUNE if (unit.name or "").startswith("Phường") else 1.0) * (1.0 + index % 7 * 0.1)
                for index, (code, unit) in enumerate(wards.items())
            }
        )
        self.points = Weighed(dict.fromkeys(points, 1.0))
        self.branch_of: dict[str, str] = {code: str(unit.parent) for code, unit in points.items()}
        self._points_of = {
            branch: tuple(code for code, parent in self.branch_of.items() if parent == branch) for branch in branches
        }

    def point_of(self, branch: str, draw: float) -> str:
        """A point of that branch, or the branch itself where it has none."""
        points = self._points_of[branch]
        return points[int(draw * len(points))] if points else branch

    def source(self, unit: str) -> str:
        """The system that publishes for this unit: a branch's points share the branch's."""
        return f"mot-cua-{self.branch_of.get(unit, unit)}"

    def sources(self) -> Sequence[str]:
        """Every system that publishes, the portal first."""
        return (PORTAL, *(self.source(code) for code in (*self.branches.codes, *self.wards.codes)))
