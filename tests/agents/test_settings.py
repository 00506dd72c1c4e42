"""Settings come from the environment, say what is wrong by name, and never show a secret."""

import os
import re
from pathlib import Path

import pytest

from agents import compose
from agents.settings import Settings, env_example, read_cli_settings, read_settings
from schemas.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DUNGHAN_")]:
        monkeypatch.delenv(name)


def test_brokers_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUNGHAN_BROKERS", "a:9092, b:9093")
    assert read_settings().brokers == ("a:9092", "b:9093")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUNGHAN_BROKERS", "kafka"),
        ("DUNGHAN_BROKERS", "a:1,,b:2"),
        ("DUNGHAN_PARTITIONS", "0"),
        ("DUNGHAN_NOW", "2026-01-05"),
        ("DUNGHAN_WORKER_ID", "a b"),
        ("DUNGHAN_LOG_LEVEL", "loud"),
        ("DUNGHAN_SECURITY_PROTOCOL", "TLS"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=rf"^{name}: ") as refused:
        read_settings()
    assert refused.value.reason == "invalid_setting"


def test_no_secret_shows_in_repr_or_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUNGHAN_CLICKHOUSE_PASSWORD", "s3cret")
    monkeypatch.setenv("DUNGHAN_SASL_PASSWORD", "s3cret")
    assert "s3cret" not in repr(read_settings()) + str(read_settings())
    monkeypatch.setenv("DUNGHAN_PARTITIONS", "s3cret")
    with pytest.raises(ConfigError) as refused:
        read_settings()
    assert "s3cret" not in str(refused.value)


def test_a_command_falls_back_to_what_up_wrote_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "env").write_text("DUNGHAN_BROKERS=local:1\nDUNGHAN_PARTITIONS=4\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("DUNGHAN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DUNGHAN_PARTITIONS", "8")
    settings = read_cli_settings()
    assert (settings.brokers, settings.partitions) == (("local:1",), 8)


def test_a_missing_fallback_means_the_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "nothing") == Settings()


def test_the_example_names_every_setting_once_and_can_be_used_as_it_is(tmp_path: Path) -> None:
    named = re.findall(r"^#(DUNGHAN_[A-Z_]+)=", env_example(), re.MULTILINE)
    assert named == [f"DUNGHAN_{name.upper()}" for name in Settings.model_fields]
    live = tmp_path / "env"
    live.write_text(re.sub(r"^#(?=DUNGHAN_)", "", env_example(), flags=re.MULTILINE))
    assert read_settings(live) == Settings()


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_committed_example_is_current() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example() + compose.env_example()
