"""The three clocks behind the port `agents.ports.Clock`; ``DUNGHAN_NOW`` chooses."""

from datetime import UTC, datetime

from agents.ports import Clock
from schemas.errors import ConfigError

EPOCH = datetime.fromtimestamp(0, UTC)
LAST_EVENT = "last-event"


class RealClock:
    """The machine's clock in UTC; the only one that moves by itself."""

    live = True

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    def saw(self, at: datetime) -> None:
        """Ignore the event: the world's time does not follow our events."""


class FixedClock:
    """One instant for ever: two runs at the same instant are comparable."""

    live = False

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a clock needs an aware instant")
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """The instant given."""
        return self._now

    def saw(self, at: datetime) -> None:
        """Ignore the event: a fixed clock stays."""


class LastEventClock:
    """The greatest event time seen by this process; the epoch before the first."""

    live = False

    def __init__(self) -> None:
        self._now = EPOCH

    def now(self) -> datetime:
        """The time of the latest event seen, in UTC."""
        return self._now

    def saw(self, at: datetime) -> None:
        """Move forward to the event, never back."""
        self._now = max(self._now, at.astimezone(UTC))


def clock_for(now: str) -> Clock:
    """The clock that ``DUNGHAN_NOW`` asks for: nothing is real, an ISO instant is fixed, or `last-event`."""
    if now == "":
        return RealClock()
    if now == LAST_EVENT:
        return LastEventClock()
    try:
        return FixedClock(datetime.fromisoformat(now))
    except ValueError:
        raise ConfigError(
            "invalid_setting",
            f"{now!r} is neither empty, nor {LAST_EVENT!r}, nor an ISO instant with offset",
            path="DUNGHAN_NOW",
        ) from None
