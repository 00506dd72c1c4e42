"""What the system tests share: the generated log, its calm run, and the logs of the workers beside every failure."""

from collections.abc import Generator

import pytest

from tests.system.generated import Log, configuration, generate
from tests.system.office import Office
from tests.system.outcome import Outcome


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, None, None]:
    try:
        yield
    except Exception as failure:
        for office in item.funcargs.values():
            if isinstance(office, Office):
                failure.add_note(office.told())
        raise


@pytest.fixture(scope="session")
def log() -> Log:
    """The generated log that every run of it shares."""
    return generate(seed=7, dossiers=500)


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory, log: Log) -> Outcome:
    """What stands after the generated log went the whole way and nothing happened to anybody."""
    folder = tmp_path_factory.mktemp("calm")
    with Office(folder, configuration(folder / "config")) as office:
        judge, _ = office.start_all()
        office.send(log.records())
        office.wait_done()
        return Outcome.of(office, judge)
