"""ClickHouse on this machine: the whole server out of the `chdb-core` package, for development, tests and the demo.

It listens on loopback only, with the native protocol only (a page in a browser can talk HTTP to loopback, so that
door stays shut), and its users have no password: whoever has an account on this machine may come in. In
production users have passwords; what each may do is the same.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from agents.drivers import processes
from schemas.errors import ConfigError

CONFIG = Template("""<clickhouse>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>$native</tcp_port>
  <users_config>users.xml</users_config>
  <timezone>UTC</timezone>
  <max_server_memory_usage>$memory</max_server_memory_usage>
  <mark_cache_size>134217728</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <backups><allowed_path>backups</allowed_path></backups>
</clickhouse>
""")

# `default` is the server itself: it starts as that user, and the views people read are defined by it. A wall and a
# desk may read views and nothing below them; their limits keep one greedy board from taking the machine. Only
# `backup` may touch files of the server, and of those only what lies in its folder `backups`.
USERS = Template("""<clickhouse>
  <profiles>
    <default>
      <implicit_select>0</implicit_select>
    </default>
    <reader>
      <readonly>1</readonly>
      <implicit_select>0</implicit_select>
      <max_execution_time>10</max_execution_time>
      <max_memory_usage>1000000000</max_memory_usage>
      <max_result_rows>100000</max_result_rows>
      <max_concurrent_queries_for_user>16</max_concurrent_queries_for_user>
    </reader>
  </profiles>
  <users>
    <default>
      <password></password>
      <networks><ip>::1</ip></networks>
      <profile>default</profile>
    </default>
    <writer>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <grants>
        <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY,
          DROP DATABASE, DROP TABLE, DROP VIEW, DROP DICTIONARY, TRUNCATE, OPTIMIZE, dictGet ON $database*.*</query>
        <query>GRANT TABLE ENGINE ON *</query>
        <query>GRANT SELECT ON system.*</query>
        <query>GRANT CREATE TEMPORARY TABLE, SYSTEM RELOAD DICTIONARY, SYSTEM FLUSH ASYNC INSERT QUEUE ON *.*</query>
        <query>GRANT SET DEFINER ON default</query>
      </grants>
    </writer>
    <backup>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <grants>
        <query>GRANT BACKUP, SHOW, SELECT, INSERT, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY
          ON $database.*</query>
        <query>GRANT TABLE ENGINE ON *</query>
        <query>GRANT READ, WRITE ON FILE</query>
        <query>GRANT SET DEFINER ON default</query>
      </grants>
    </backup>
    <wall>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>reader</profile>
      <grants>
        <query>GRANT SELECT ON $database.wall_*</query>
      </grants>
    </wall>
    <desk>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>reader</profile>
      <grants>
        <query>GRANT SELECT ON $database.wall_*</query>
        <query>GRANT SELECT ON $database.desk_*</query>
      </grants>
    </desk>
  </users>
</clickhouse>
""")


class LocalClickHouse:
    """What `agents.drivers.local` needs to know of ClickHouse: its files, its command, how to ask whether it is up."""

    name = "clickhouse"
    port_names: tuple[str, ...] = ("native",)

    def __init__(self, folder: Path, *, database: str = "dunghan", memory: int = 2 * 1024**3) -> None:
        self.folder = folder
        self._database = database
        self._memory = memory

    def prepare(self, ports: Mapping[str, int]) -> None:
        """Both configuration files written; raises `ConfigError` when `chdb-core` is not installed."""
        if importlib.util.find_spec("chdb") is None:
            raise ConfigError("chdb_missing", "chdb-core is not installed (it holds ClickHouse); run `make setup`")
        config = CONFIG.substitute(native=ports["native"], memory=self._memory)
        (self.folder / "config.xml").write_text(config, encoding="utf-8")
        (self.folder / "users.xml").write_text(USERS.substitute(database=self._database), encoding="utf-8")

    def command(self) -> Sequence[str]:
        """The server's command, to be run in `folder`."""
        return processes.python("agents.drivers.clickhouse_server")

    def probe(self, ports: Mapping[str, int]) -> None:
        """Return when a query is answered over the native protocol; raise anything until then."""
        from clickhouse_driver import Client

        client = Client("127.0.0.1", ports["native"], user="writer", connect_timeout=5, send_receive_timeout=5)
        try:
            client.execute("SELECT 1")
        finally:
            client.disconnect()
