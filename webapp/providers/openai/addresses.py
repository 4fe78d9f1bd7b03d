"""The addresses and headers of OpenAI, of Azure's deployments and of compatible servers."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from webapp.providers.endpoints import strip_endpoint

BASE_URL = "https://api.openai.com/v1"
_ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/models", "/chat")
_AZURE_HOSTS = (".azure.com", ".azure.us", ".azure.cn", ".azure-api.net")
_OWN_HOSTS = re.compile(r"(?:^|\.)api\.openai\.com$")


def join_path(base_url: str, path: str) -> str:
    """Append an endpoint's path to a base URL, before its query if it has one (Azure's `?api-version=`).

    The base URL may be that of an endpoint, as providers' examples show it.
    """
    parts = urlsplit(base_url)
    base = strip_endpoint(parts.path, _ENDPOINTS)
    if not base and is_own_server(base_url):
        base = urlsplit(BASE_URL).path
    return urlunsplit(parts._replace(path=base + path))


def make_headers(base_url: str, api_key: str | None) -> dict[str, str]:
    """Return the headers of a call. Azure's deployments take the key as `api-key`."""
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
        if is_azure(base_url):
            headers["api-key"] = api_key
    return headers


def is_azure(base_url: str) -> bool:
    """Return whether a base URL is one of Azure's, or of a gateway with its paths."""
    parts = urlsplit(base_url)
    return (parts.hostname or "").endswith(_AZURE_HOSTS) or "/openai/deployments/" in parts.path


def is_own_server(base_url: str) -> bool:
    """Return whether a base URL is that of OpenAI itself, also of one of its regions."""
    return bool(_OWN_HOSTS.search(urlsplit(base_url).hostname or ""))
