"""The process around a worker: how it ends when it cannot even begin."""

from typing import cast

import faust
import pytest
from aiokafka.errors import KafkaConnectionError

from agents.process import _ended
from schemas.errors import Unavailable


class Unstarted:
    """A Faust app whose broker is gone when it starts."""

    async def start(self) -> None:
        raise KafkaConnectionError("Unable to bootstrap")


async def test_a_broker_that_goes_away_between_the_check_and_the_start_is_unavailable_and_no_bug() -> None:
    with pytest.raises(Unavailable) as gone:
        await _ended(cast("faust.App", Unstarted()))
    assert gone.value.reason == "kafka_unavailable"
