"""The Python client: the same calls in this process (`local`) or against a running server (`remote`).

Nothing here prints; the terminal is in `cli/`, the notebook display in `notebook.py`.
"""

from __future__ import annotations

from typing import Any

from webapp.client.base import AnswerStream, QueryClient
from webapp.client.local import LocalClient
from webapp.client.remote import RemoteClient
from webapp.client.stats import StreamStats
from webapp.errors import ConfigurationError

__all__ = ["AnswerStream", "LocalClient", "QueryClient", "RemoteClient", "StreamStats", "create_query_client"]


def create_query_client(
    provider: str | None = None,
    model: str | None = None,
    *,
    url: str | None = None,
    key: str | None = None,
    **options: Any,
) -> QueryClient:
    """Make a client; close it, or use it in a `with`, when done.

    Without `url` it asks the providers itself, in plain threads; keys come from the environment. With
    `url` it asks a running server, and `key` is that server's password. `provider` and `model` are what to
    ask unless a call says otherwise. `options` go to the provider: `api_key`, `base_url`, for mock
    `delay_ms`. Raises `ConfigurationError`.
    """
    if url is None:
        if key is not None:
            raise ConfigurationError("key is the password of a server: it goes with url")
        return LocalClient(provider=provider, model=model, **options)
    if options:
        raise ConfigurationError(f"{', '.join(options)}: a client of a server takes no options for providers")
    return RemoteClient(url, key=key, provider=provider, model=model)
