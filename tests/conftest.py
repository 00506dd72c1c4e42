"""What every test may ask for: the real services, started once and only when a test asks."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from agents.drivers.local import Services

# A shell that runs us in the background has SIGINT ignored, and so would have what a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: a shared machine is slow now and then, and a slow example is no wrong one.
settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("thorough", parent=settings.get_profile("house"), max_examples=2_000)
settings.load_profile("house")


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A real Kafka and a real ClickHouse for the whole run; a test that harms them starts its own."""
    folder = tmp_path_factory.mktemp("services")
    try:
        with Services(folder) as services:
            yield services
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def permit_log() -> Path:
    """The real log of permits, which is not in the tree; a test that needs it skips where it is not."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "permit-receipts.csv"
    path = Path(os.environ.get("DUNGHAN_PERMIT_LOG") or beside)
    if not path.is_file():
        pytest.skip(
            f"the permit log is not at {path} (say where with DUNGHAN_PERMIT_LOG; see examples/permit-receipts)"
        )
    return path
