"""Displays an answer in a notebook while it streams, or as plain text outside a notebook."""

from __future__ import annotations

import html
import sys
import time
from typing import Any, Protocol

from markdown_it import MarkdownIt

from webapp.client import QueryClient

_REFRESH_S = 0.1  # a notebook redraws the whole output each time
_NEW_TEXT_STYLE = "background:rgba(255,196,0,.28);border-radius:2px"
_TEXT_STYLE = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.6"
# HTML is off, so that a model's answer cannot run scripts or change styles. `javascript:` links stay text.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


class _DisplayHandle(Protocol):
    def update(self, obj: object) -> None: ...


def display_stream(client: QueryClient, query: str, **options: Any) -> str:
    """Send a query, display the answer while it streams with its newest part highlighted, and return its text.

    In Jupyter the final text is rendered as Markdown; elsewhere the text is printed. HTML in the answer is shown as text.
    Interrupting the cell stops the provider and keeps the text so far. `options` are those of `QueryClient.stream`.
    """
    handle = _notebook_display()
    if handle is None:
        return client.query_streaming(query, _print, **options)
    view = _AnswerView(handle)
    try:
        text = client.query_streaming(query, view.add, **options)
    except BaseException:
        view.settle()
        raise
    view.render(text)
    return text


def _print(delta: str, full_text: str) -> None:
    del full_text
    print(delta, end="", flush=True, file=sys.stdout)


def _notebook_display() -> _DisplayHandle | None:
    """Create a display that can be updated; return None outside a notebook."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # noqa: PLC0415  (installed only with a notebook)
    from IPython.display import HTML, display  # noqa: PLC0415  (installed only with a notebook)

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    handle: _DisplayHandle = display(HTML(""), display_id=True)
    return handle


class _AnswerView:
    """The answer in the notebook, with the text that is new since the last drawing highlighted."""

    def __init__(self, handle: _DisplayHandle) -> None:
        self._handle = handle
        self._text = ""
        self._drawn_chars = 0
        self._drawn_at = 0.0

    def add(self, delta: str, full_text: str) -> None:
        """Add a delta; draw at most every `_REFRESH_S`."""
        del delta
        self._text = full_text
        now = time.monotonic()
        if now - self._drawn_at >= _REFRESH_S:
            self._drawn_at = now
            self._draw(self._drawn_chars)
            self._drawn_chars = len(full_text)

    def settle(self) -> None:
        """Draw the text so far without a highlight."""
        self._draw(len(self._text))

    def render(self, text: str) -> None:
        """Draw the final text as Markdown. HTML is shown as text, and images as links, so that nothing is loaded."""
        self._update(f'<div style="line-height:1.6">{_MARKDOWN.render(text)}</div>')

    def _draw(self, old_chars: int) -> None:
        old, new = html.escape(self._text[:old_chars]), html.escape(self._text[old_chars:])
        highlighted = f'<span style="{_NEW_TEXT_STYLE}">{new}</span>' if new else ""
        self._update(f'<div style="{_TEXT_STYLE}">{old}{highlighted}</div>')

    def _update(self, markup: str) -> None:
        from IPython.display import HTML  # noqa: PLC0415  (installed only with a notebook)

        self._handle.update(HTML(markup))
