"""Room: never more than its size at a time, in the order of coming, and nobody waits for ever."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.room import Room


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), st.booleans()), max_size=30))
async def test_whoever_comes_and_goes_no_more_is_inside_than_there_is_room_for(
    visits: list[tuple[int, int, bool]],
) -> None:
    room, inside, most, order = Room(20), 0, 0, []

    async def visit(number: int, size: int, turns: int) -> None:
        nonlocal inside, most
        async with room.take(size, patience=9):
            order.append(number)
            inside += min(size, 20)
            most = max(most, inside)
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                inside -= min(size, 20)

    tasks = [asyncio.create_task(visit(number, size, turns)) for number, (size, turns, _) in enumerate(visits)]
    await asyncio.sleep(0)
    for task, (_, _, is_called_off) in zip(tasks, visits, strict=True):
        if is_called_off:
            task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
        async with room.take(20, patience=9):  # all of it is free again
            pass
    assert most <= 20
    assert order == sorted(order)


async def test_what_is_larger_than_the_room_comes_in_alone() -> None:
    room = Room(10)
    async with room.take(1_000, patience=9):
        second = asyncio.create_task(room.take(1, patience=9).__aenter__())
        await asyncio.sleep(0)
        assert not second.done()
    await second


async def test_the_room_is_free_again_after_a_failure() -> None:
    room = Room(10)
    with pytest.raises(ZeroDivisionError):
        async with room.take(10, patience=9):
            raise ZeroDivisionError
    async with asyncio.timeout(1), room.take(10, patience=9):
        pass


async def test_whoever_waits_too_long_leaves_and_takes_no_room() -> None:
    room = Room(10)
    async with room.take(10, patience=9):
        with pytest.raises(TimeoutError):
            async with room.take(1, patience=0.01):
                pass
    async with asyncio.timeout(1), room.take(10, patience=9):
        pass
