"""``/healthz`` and ``/metrics`` of a worker, in its own loop: when that is stuck, nobody answers, which is the truth.

Not Faust's web server: that one shows Tables and internals to everybody who can reach it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from agents.health import Health
from agents.telemetry import Meters
from schemas import metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def serving(health: Health, meters: Meters, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the context is open; gives the address, with the real port when ``port`` is 0.

    Raises `OSError` when the address cannot be had.
    """

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(
            status=200 if health.healthy else 503,
            body=orjson.dumps(health.report()),
            content_type="application/json",
        )

    async def exposition(_request: web.Request) -> web.Response:
        meters.replace(metrics.HELD, health.hold_counts())
        return web.Response(body=meters.exposition(), headers={"Content-Type": CONTENT_TYPE})

    site = web.Application()
    site.add_routes([web.get("/healthz", healthz), web.get("/metrics", exposition)])
    runner = web.AppRunner(site, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        yield f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()
