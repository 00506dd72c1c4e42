"""Everything an installation may set, read from ``DUNGHAN_…`` variables and nowhere else.

What an office decides (calendars, limits, units) is not here but in its configuration folder.
A secret never reaches a log or a traceback: it is a `SecretStr`, and errors do not show input.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agents.clock import clock_for
from schemas.errors import ConfigError

PREFIX = "DUNGHAN_"
#: Written by ``dunghan up``: the addresses of the services on this machine.
LOCAL_ENV = Path(".local/env")


class Settings(BaseSettings):
    """The settings of one process; frozen, because a process does not change its mind."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    brokers: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1:9092",), min_length=1, description="Kafka brokers to ask first: host:port, comma between."
    )
    clickhouse_host: str = Field("127.0.0.1", description="ClickHouse server.")
    clickhouse_port: int = Field(9000, ge=1, le=65535, description="Its native port.")
    clickhouse_user: str = Field("default", description="User that writes facts.")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    clickhouse_database: str = Field("dunghan", description="Database of facts, cells and views.")
    config: Path = Field(Path("config"), description="Configuration folder of the office.")
    now: str = Field(
        "", description="Instant of judging: empty is real time; an ISO instant with offset; or last-event."
    )
    partitions: int = Field(
        64,
        ge=1,
        le=10_000,
        description="Partitions of every topic: fixed at birth, adding some would move keys.",
    )
    replication: int = Field(3, ge=1, description="Copies of every topic; 1 on a single broker.")
    min_insync: int = Field(2, ge=1, description="Copies that must have a record before it is acknowledged.")
    web_host: str = Field("127.0.0.1", description="Where /healthz and /metrics listen.")
    web_port: int = Field(0, ge=0, le=65535, description="Their port; 0 takes a free one and logs it.")
    worker_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="Name of this worker among its like, the same after a restart; two at once must differ.",
    )
    data_dir: Path = Field(
        Path(".local"),
        description="Folder for local files, the data of services that run here among them; delete it after `down`.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level of log lines.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="How to log in to Kafka, with a SASL protocol."
    )
    sasl_username: str = Field("", description="User at Kafka, with a SASL protocol.")
    sasl_password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    ssl_cafile: Path | None = Field(
        None, description="Authorities that may sign Kafka's certificate; absent: the system's."
    )
    session_timeout: float = Field(
        10.0,
        ge=1,
        le=300,
        description="Seconds without a heartbeat after which Kafka gives a worker's partitions away.",
    )
    poll_interval: float = Field(
        60.0, ge=1, description="Seconds a worker's main loop may be stuck before it leaves its group."
    )
    stall_timeout: float = Field(
        60.0,
        ge=1,
        description="Seconds without progress, with records waiting and nothing held, before a worker exits.",
    )
    commit_interval: float = Field(0.5, gt=0, le=60, description="Seconds between commits of finished chunks.")
    evict_days: float = Field(
        30.0,
        ge=0,
        le=36_500,
        description="Days after its last event after which a finished dossier leaves judge's memory.",
    )
    chunk_records: int = Field(2_000, ge=1, le=100_000, description="Most records taken from Kafka in one go.")

    @field_validator("brokers", mode="before")
    @classmethod
    def _split(cls, brokers: object) -> object:
        return tuple(part.strip() for part in brokers.split(",")) if isinstance(brokers, str) else brokers

    @field_validator("brokers")
    @classmethod
    def _addresses(cls, brokers: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[^\s:]+:[0-9]{1,5}|\[[0-9A-Fa-f:]+\]:[0-9]{1,5}", broker) for broker in brokers):
            raise ValueError("must be host:port, with a comma between")
        return brokers

    @field_validator("now")
    @classmethod
    def _known_clock(cls, now: str) -> str:
        try:
            clock_for(now)
        except ConfigError as wrong:
            raise ValueError(wrong.message) from None
        return now


def read_settings(fallback: Path | None = None) -> Settings:
    """The settings of this environment; what it leaves unset may come from the file ``fallback``.

    Raises `ConfigError` (reason ``invalid_setting``) naming the variable, never its value.
    """
    try:
        return Settings(_env_file=fallback)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        field = "_".join(str(part) for part in first["loc"][:1])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError("invalid_setting", message, path=f"{PREFIX}{field.upper()}") from None


def read_cli_settings() -> Settings:
    """The settings for a command: the environment, then what ``dunghan up`` left in its data folder."""
    folder = os.environ.get(f"{PREFIX}DATA_DIR")
    return read_settings(Path(folder) / LOCAL_ENV.name if folder else LOCAL_ENV)


def env_example() -> str:
    """The text of ``.env.example``: every setting with its meaning and default, commented out."""
    lines = ["# Every setting of Đúng Hạn, with its default. Generated by `make docs`; do not edit."]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, SecretStr) or default is None:
            default = ""
        if isinstance(default, tuple):
            default = ",".join(default)
        lines += ["", f"# {field.description}", f"#{PREFIX}{name.upper()}={default}"]
    return "\n".join(lines) + "\n"
