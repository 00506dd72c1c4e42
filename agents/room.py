"""How much may be worked on at a time, in bytes: what waits for room costs what Kafka brought, and no more."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Room for so many bytes; who comes first is let in first, and what is too large for all of it comes in alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def take(self, size: int, *, patience: float) -> AsyncIterator[None]:
        """Wait until there is room for so many bytes, and have it until the end of the block.

        Raises `TimeoutError` when there is none after so many seconds.
        """
        size = min(size, self._size)
        if self._waiting or self._taken + size > self._size:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                async with asyncio.timeout(patience):
                    await turn
            except (asyncio.CancelledError, TimeoutError):
                if turn.done() and not turn.cancelled():  # let in and out of patience in the same moment
                    self._leave(size)
                else:
                    self._waiting.remove((size, turn))
                    self._let_in()
                raise
        else:
            self._taken += size
        try:
            yield
        finally:
            self._leave(size)

    def _leave(self, size: int) -> None:
        self._taken -= size
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._taken + self._waiting[0][0] <= self._size:
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._taken += size
                turn.set_result(None)
