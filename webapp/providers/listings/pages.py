"""Reads the listings of OpenAI, Anthropic and compatible servers, which may have several pages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from webapp.catalog.listing import ListedModel
from webapp.errors import AnswerError, Stopped
from webapp.providers.listings.entries import MAX_MODELS, listed_items, parse_model
from webapp.providers.listings.fetching import fetch_json
from webapp.providers.loose_json import as_string
from webapp.seams import Call, Control, Transport

_MAX_PAGES = 10
_ITEMS_A_SLICE = 100  # other threads run between two slices


def read_pages(
    transport: Transport, control: Control, url: str, headers: Mapping[str, str], query: str = ""
) -> Iterator[list[ListedModel]]:
    """Yield the models of a listing in OpenAI's or Anthropic's form, once, after its last page that can be read.

    Raises `UpstreamError`, `Interrupted` and `Stopped` where no page before has had a model.
    """
    found: dict[str, ListedModel] = {}
    seen: set[str] = set()
    after = ""
    for _ in range(_MAX_PAGES):
        address = _with_query(url, query, after)
        try:
            page = fetch_json(transport, control, Call(url=address, headers=headers, body=b"", method="GET"))
            items = listed_items(page)
        except (AnswerError, Stopped):
            if found:
                break
            raise
        for index, item in enumerate(items):
            if index % _ITEMS_A_SLICE == 0:
                time.sleep(0)
            model = parse_model(item)
            if model is not None:
                found.setdefault(model.name, model)
        after = _next_page(page, items)
        if not after or after in seen or not items or len(found) >= MAX_MODELS:
            break
        seen.add(after)
    yield list(found.values())[:MAX_MODELS]


def _next_page(page: Any, items: Sequence[Any]) -> str:
    """Return the query of the next page; "" if there is none."""
    if not isinstance(page, dict):
        return ""
    last = items[-1] if items else None
    last_of_items = as_string(last.get("id")) if isinstance(last, dict) else None
    more = page.get("has_more") is True
    tokens = {
        "after_id": as_string(page.get("last_id")) if more else None,  # Anthropic
        "after": last_of_items if more else None,  # OpenAI's other listings
        "page_token": as_string(page.get("next_page_token")),  # Cohere
        "pageToken": as_string(page.get("nextPageToken")),  # Google
    }
    return next((f"{name}={quote(token, safe='')}" for name, token in tokens.items() if token), "")


def _with_query(url: str, *queries: str) -> str:
    for query in filter(None, queries):
        url += ("&" if "?" in url else "?") + query
    return url
