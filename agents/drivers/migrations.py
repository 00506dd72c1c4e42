"""What this program expects of ClickHouse: the numbered files of ``schemas/tables``, and whether they were applied.

A file that was applied may not change any more; what must change comes in the next file. Each
statement may be repeated, so that a migration that broke off halfway is simply run again.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from schemas.errors import ConfigError

DATABASE = "dunghan"  #: the name in the files; an installation may have another

_FILE = re.compile(r"([0-9]{4})_[a-z_]+\.sql")
_REMARK = re.compile(r"^[ \t]*--.*\n", re.MULTILINE)
_END = re.compile(r";[ \t]*(?:\n|\Z)")
_OURS = re.compile(rf"\b{DATABASE}\b(?=[.\n])")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of its text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, database: str = DATABASE) -> Iterator[str]:
        """Its statements in order, for a database of that name."""
        for statement in _END.split(_REMARK.sub("", self.text)):
            if statement.strip():
                yield _OURS.sub(database, statement)


def shipped() -> tuple[Migration, ...]:
    """The files of this program, in order of their numbers."""
    found = []
    for file in files("schemas.tables").iterdir():
        name = _FILE.fullmatch(file.name)
        if name is not None:
            found.append(Migration(int(name[1]), file.name, file.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda migration: migration.number))


def missing(client: Client, database: str, wanted: tuple[Migration, ...]) -> tuple[Migration, ...]:
    """The files that are still to be applied; raises `ConfigError` when those applied are not ours."""
    try:
        applied = client.execute(f"SELECT number, name, checksum FROM {database}.migrations FINAL")  # noqa: S608 - names are ours, values are parameters
    except ServerException as error:
        if error.code not in (ErrorCodes.UNKNOWN_DATABASE, ErrorCodes.UNKNOWN_TABLE):
            raise
        applied = []
    ours = {migration.number: migration for migration in wanted}
    for number, name, checksum in sorted(applied):
        known = ours.pop(number, None)
        if known is None:
            raise ConfigError("tables_newer", f"ClickHouse has {name}, which this program does not know; update it")
        if checksum != known.checksum:
            raise ConfigError(
                "migration_changed",
                f"{known.name} is not what was applied to ClickHouse as {name}; put it back, and write a new file",
                path=f"schemas/tables/{known.name}",
            )
    return tuple(ours.values())


def prove(client: Client, database: str = DATABASE) -> None:
    """Return when the tables are those of this program and know the calendars.

    Raises `ConfigError` saying what to do when they are not.
    """
    if lacking := missing(client, database, shipped()):
        raise ConfigError("not_migrated", f"ClickHouse lacks {lacking[0].name}; run `dunghan migrate`")
    ((units,),) = client.execute(f"SELECT count() FROM {database}.unit_calendars WHERE unit = ''")  # noqa: S608 - names are ours, values are parameters
    if not units:
        raise ConfigError("not_migrated", "ClickHouse does not know the calendars; run `dunghan migrate`")
