"""Each contract test runs on the memory driver and on the real service."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.brokers import Broker, memory_broker, real_broker


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.system)])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """A broker with an empty compacted topic of four partitions."""
    if request.param == "memory":
        yield memory_broker()
    else:
        async with real_broker(request.getfixturevalue("services")) as real:
            yield real
