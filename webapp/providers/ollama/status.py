"""Asks an Ollama server about one model, briefly: whether it is loaded, and how it can be asked to think."""

from __future__ import annotations

from webapp.errors import Interrupted, Stopped, UpstreamError
from webapp.providers.listings.entries import as_mapping, listed_items
from webapp.providers.listings.fetching import fetch_briefly
from webapp.providers.ollama.listing import show_call
from webapp.seams import Call, Transport

_MAX_VALUES = 20


def is_loading(transport: Transport, base_url: str, model: str) -> bool:
    """Return whether an Ollama server has not loaded a model yet, True if it does not say so within half a second."""
    try:
        loaded = listed_items(
            fetch_briefly(transport, Call(url=f"{base_url}/api/ps", headers={}, body=b"", method="GET"))
        )
    except (UpstreamError, Interrupted, Stopped):
        return True
    wanted = model if ":" in model else f"{model}:latest"
    names = (item.get("name") or item.get("model") for item in loaded if isinstance(item, dict))
    return wanted not in names


def read_thinking(transport: Transport, base_url: str, model: str) -> tuple[bool | str, ...] | None:
    """Return the values of `think` that a model of an Ollama server takes, None if it does not say so within half a second."""
    try:
        shown = as_mapping(fetch_briefly(transport, show_call(base_url, model)))
    except (UpstreamError, Interrupted, Stopped):
        return None
    values = as_mapping(shown.get("thinking")).get("values")
    if isinstance(values, list):
        return tuple(value for value in values[:_MAX_VALUES] if isinstance(value, (bool, str)))
    capabilities = shown.get("capabilities")
    return (False,) if isinstance(capabilities, list) and "thinking" not in capabilities else None
