"""An office that never closes, with limits in hours: a test can wait for its due times."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

_CALENDAR = """
calendar: always
year: {year}
zone: Asia/Ho_Chi_Minh
state: confirmed
shifts: {{mon-sun: ["00:00-24:00"]}}
"""


def always_open(config: Path, hours: Mapping[str, float], *, office: str = "") -> Path:
    """A configuration folder with a limit in hours for each procedure, "" for all others; ``office`` says more of it.

    An exact limit is missed a second after it.
    """
    (config / "calendars").mkdir(parents=True)
    this_year = datetime.now(UTC).year
    for year in range(this_year - 1, this_year + 2):
        (config / "calendars" / f"always-{year}.yaml").write_text(_CALENDAR.format(year=year))
    (config / "office.yaml").write_text(f"calendar: always\nreception: always\n{office}")
    limits = [
        f"  - {{match: {{{f'procedure: {code!r}' if code else ''}}}, limit: {{value: {value}, unit: hour}}}}"
        for code, value in hours.items()
    ]
    (config / "limits.yaml").write_text("\n".join(["version: 1", "in_force_from: 2020-01-01", "rules:", *limits, ""]))
    return config
