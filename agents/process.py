"""The process around a worker: it refuses to start with one clear line, stops in bounded time, and ends non-zero
when it cannot go on.

==  ==============================================================================================
0   asked to stop (SIGTERM, SIGINT) and stopped
69  refused to start: a service it needs does not answer
70  a bug: something was raised that has no fate; nothing was acknowledged
75  stalled, or the session at the broker was lost: start it again
78  refused to start: a setting, a topic or a file is wrong, and a person must act
==  ==============================================================================================
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from importlib.metadata import version
from typing import cast

import faust
import structlog
from aiokafka.errors import KafkaError

from agents.app import Tenancy, Worker, build
from agents.drivers.kafka import unavailable
from agents.drivers.kafka_topics import check_topics
from agents.drivers.transport import ChunkConsumer
from agents.health import Health
from agents.settings import Settings
from agents.telemetry import Meters
from agents.watch import EXIT_FAILED, EXIT_REFUSED, EXIT_STALLED, EXIT_UNREACHABLE, LoopWatch, StallWatch
from agents.web import serving
from schemas.errors import ConfigError, DunghanError, Unavailable

#: How long a start waits for the broker: services that start together do not all answer at once.
START_SECONDS = 20.0
#: How long a stop lets chunks finish, and how long it may take altogether before the process just ends.
FINISH_SECONDS = 5.0
STOP_SECONDS = 20.0
#: The versions whose source was read; another one is another program.
READ_VERSIONS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14."}

log = structlog.stdlib.get_logger(__name__)


def run(worker: Worker, settings: Settings, *, health: Health, meters: Meters) -> int:
    """Run the worker in this process until it is told to stop; the exit code, by the table above."""
    watch = LoopWatch(settings.stall_timeout)
    watch.start()
    try:
        return asyncio.run(_Process(worker, settings, health, meters, watch).live())
    finally:
        watch.dismiss()


class _Process:
    """One life of a worker."""

    def __init__(self, worker: Worker, settings: Settings, health: Health, meters: Meters, watch: LoopWatch) -> None:
        self._worker = worker
        self._settings = settings
        self._health = health
        self._health.notes = worker.notes
        self._meters = meters
        self._watch = watch
        self._stopping = asyncio.Event()

    async def live(self) -> int:
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(asked, self._stopping.set)
        pulse = asyncio.create_task(self._beat())
        try:
            async with AsyncExitStack() as stack:
                await self._serve(stack)
                await self._check()
                if self._stopping.is_set():
                    return 0
                for resource in self._worker.resources:
                    await stack.enter_async_context(resource)
                return await self._work()
        except DunghanError as failure:
            log.error("worker_refused", reason=failure.reason, why=str(failure))
            return EXIT_UNREACHABLE if isinstance(failure, Unavailable) else EXIT_REFUSED
        finally:
            pulse.cancel()

    async def _serve(self, stack: AsyncExitStack) -> None:
        host, port = self._settings.web_host, self._settings.web_port
        try:
            address = await stack.enter_async_context(serving(self._health, self._meters, host=host, port=port))
        except OSError as taken:
            raise ConfigError("web_address", str(taken), path="DUNGHAN_WEB_PORT") from taken
        log.info("worker_started", address=address, pid=os.getpid())

    async def _beat(self) -> None:
        while True:
            self._watch.beat()
            await asyncio.sleep(1.0)

    async def _check(self) -> None:
        """Return when the broker answers and its topics are right; wait for it, but not for ever."""
        for package, wanted in READ_VERSIONS.items():
            if not version(package).startswith(wanted):
                raise ConfigError("version", f"{package} is {version(package)}, not {wanted}; run `make setup`")
        deadline = time.monotonic() + START_SECONDS
        with _hushed("aiokafka"):  # it logs each failed try; the last one is ours to tell
            while True:
                try:
                    return await check_topics(self._settings)
                except Unavailable:
                    if time.monotonic() > deadline or self._stopping.is_set():
                        raise
                    await asyncio.sleep(0.5)

    async def _work(self) -> int:
        tenancy = Tenancy(self._worker, self._health, self._meters)
        app = build(self._settings, self._worker, tenancy)
        ends = [asyncio.create_task(end) for end in (self._told(), _failed(tenancy), self._stalled(app), _ended(app))]
        tenancy.spawn_timers()
        code = EXIT_FAILED
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            code = max(task.result() for task in done)
        finally:
            hard = threading.Timer(STOP_SECONDS, os._exit, [code or EXIT_FAILED])
            hard.daemon = True
            hard.start()
            await tenancy.finish(FINISH_SECONDS)
            for end in ends:
                end.cancel()
            await app.stop()
            hard.cancel()
            log.info("worker_stopped", exit_code=code)
        return code

    async def _told(self) -> int:
        await self._stopping.wait()
        return 0

    async def _stalled(self, app: faust.App) -> int:
        """End when the watch has a reason to."""
        consumer = cast("ChunkConsumer", app.consumer)
        watch = StallWatch(
            consumer,
            self._health,
            stall_timeout=self._settings.stall_timeout,
            session_timeout=self._settings.session_timeout,
        )
        while True:
            await asyncio.sleep(1.0)
            why = watch.look(consumer.owned)
            if why is not None:
                log.error("worker_stalled", why=why)
                return EXIT_STALLED


async def _failed(tenancy: Tenancy) -> int:
    """End when something was raised that has no fate; it is logged where it was raised."""
    await tenancy.failure
    return EXIT_FAILED


async def _ended(app: faust.App) -> int:
    """End when Faust does, which is never its own wish; raises `Unavailable` when the broker is gone by now."""
    try:
        await app.start()
    except (KafkaError, OSError) as failure:
        raise unavailable(failure, "joining the group") from failure
    await app.wait_until_stopped()
    log.error("worker_failed", why="Faust stopped", exc_info=app.crash_reason)
    return EXIT_FAILED


@contextmanager
def _hushed(name: str) -> Iterator[None]:
    chatty = logging.getLogger(name)
    level = chatty.level
    chatty.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        chatty.setLevel(level)
