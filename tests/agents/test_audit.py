"""Who acts has a name that can be written down."""

import getpass

import pytest

from agents.audit import person
from schemas.errors import ConfigError


def test_a_person_is_who_they_say_or_the_user_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "hoa")
    assert person(None) == getpass.getuser() == "hoa"
    assert person(" Nguyễn Thị Hoa ") == "Nguyễn Thị Hoa"


@pytest.mark.parametrize("given", ["", "  ", "two\nlines", "a" * 101])
def test_a_name_that_cannot_be_written_down_is_an_error(given: str) -> None:
    with pytest.raises(ConfigError, match="say who you are") as refusal:
        person(given)
    assert refusal.value.reason == "person_unknown"


@pytest.mark.parametrize("failure", [KeyError, OSError])
def test_a_user_without_a_name_must_give_one(monkeypatch: pytest.MonkeyPatch, failure: type[Exception]) -> None:
    def nameless() -> str:
        raise failure("uid not found: 1000")

    monkeypatch.setattr(getpass, "getuser", nameless)
    with pytest.raises(ConfigError, match="say who you are"):
        person(None)
    assert person("hoa") == "hoa"
