"""A group is told of only when the cluster has read it in."""

from types import SimpleNamespace
from typing import cast

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupLoadInProgressError
from aiokafka.structs import OffsetAndMetadata

from agents.drivers.kafka_groups import standing

WHERE = TopicPartition("t", 0)


class Loading:
    """A cluster that has read the group in when it is asked for its members a second time."""

    asked = 0

    async def describe_consumer_groups(self, groups: list[str]) -> list[SimpleNamespace]:
        self.asked += 1
        code = 0 if self.asked > 1 else GroupLoadInProgressError.errno
        return [SimpleNamespace(groups=[(code, *groups, "Empty", "", "", [])])]

    async def list_consumer_group_offsets(self, _: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """As aiokafka does it: no offsets, and no error, as long as the group is read in."""
        return {WHERE: OffsetAndMetadata(3, "")} if self.asked > 1 else {}


async def test_a_group_that_is_being_read_in_is_not_taken_for_one_that_has_committed_nothing() -> None:
    assert await standing(cast(AIOKafkaAdminClient, Loading()), "judge") == (0, {WHERE: 3})
