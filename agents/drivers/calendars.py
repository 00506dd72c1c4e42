"""The calendars of the ClickHouse views: they follow the configuration folder, and never fall back behind it."""

import asyncio

from agents.drivers.tables import fill_calendars, filled_by, opened
from agents.settings import Settings
from schemas.errors import ConfigError, Unavailable
from streams.rules import Rules


class ClickHouseCalendars:
    """`agents.ports.Calendars` of these settings; a connection for each call, which are rare."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def take_up(self, rules: Rules) -> None:
        """Fill the calendars with those of the rules, unless these or newer ones are there."""
        await asyncio.to_thread(self._take_up, rules)

    def _take_up(self, rules: Rules) -> None:
        database = self._settings.clickhouse_database
        try:
            with opened(self._settings) as client:
                if filled_by(client, database=database) < rules.version:
                    fill_calendars(client, rules, database=database)
        except ConfigError as refusal:  # the office's files are right; a person must act on ClickHouse
            raise Unavailable(refusal.reason, refusal.message) from refusal
