"""The Python client: the same methods call providers from this process (`local`) or a running server (`remote`).

Nothing here prints: see `cli/` for the terminal and `notebook.py` for notebooks.
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
    """Create a client, which the caller closes or uses in a `with` statement.

    Without `url` the client calls the providers itself, with API keys from the environment. With `url` it calls a running
    server, whose password is `key`.

    Args:
        provider, model: The defaults for calls that name none.
        options: Passed to the provider: `api_key`, `base_url`, for mock `delay_ms`. Not allowed with `url`.

    Raises `ConfigurationError`.
    """
    if url is None:
        if key is not None:
            raise ConfigurationError(
                "key is a server's password: pass url as well, or api_key for a provider"
            )
        return LocalClient(provider=provider, model=model, **options)
    if options:
        raise ConfigurationError(f"{', '.join(options)}: provider options cannot be combined with url")
    return RemoteClient(url, key=key, provider=provider, model=model)
