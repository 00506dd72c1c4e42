"""Ask a worker how it is: `/healthz`, as `agents.health` writes it."""

import http.client
from typing import Any
from urllib.parse import urlsplit

import orjson

SECONDS = 3.0


def ask(address: str) -> dict[str, Any] | None:
    """What the worker at this address (``http://127.0.0.1:21001``) says of itself; None when nobody answers."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        said = orjson.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, orjson.JSONDecodeError):
        return None
    finally:
        connection.close()
    return said if isinstance(said, dict) else None
