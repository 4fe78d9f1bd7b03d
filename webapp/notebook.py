"""Shows an answer in a notebook as it comes; plain text where there is no notebook."""

from __future__ import annotations

import html
import sys
import time
from typing import Any, Protocol

from markdown_it import MarkdownIt

from webapp.client import QueryClient

_REFRESH_S = 0.1  # a notebook redraws its whole output: ten times a second is enough
_NEW = "background:rgba(255,196,0,.28);border-radius:2px"
_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.6"
# HTML is off: what a model says can style nothing and run nothing. Links with a script are left as text.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


class _Handle(Protocol):
    def update(self, obj: object) -> None: ...


def display_stream(client: QueryClient, query: str, **options: Any) -> str:
    """Ask, show the answer as it comes with its newest part marked, and return all of it.

    In Jupyter the display is replaced by rendered Markdown at the end; elsewhere the text is printed as it
    comes. What the model says is escaped: its HTML shows as text. `options` are those of
    `QueryClient.stream`; an interrupted cell stops the provider and keeps what came.
    """
    handle = _notebook_display()
    if handle is None:
        return client.query_streaming(query, _print, **options)
    shown = _Shown(handle)
    try:
        text = client.query_streaming(query, shown.add, **options)
    except BaseException:
        shown.settle()
        raise
    shown.render(text)
    return text


def _print(delta: str, full_text: str) -> None:
    del full_text
    print(delta, end="", flush=True, file=sys.stdout)


def _notebook_display() -> _Handle | None:
    """Make a display that can be updated; None outside a notebook."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # noqa: PLC0415  (it is there only in a notebook)
    from IPython.display import HTML, display  # noqa: PLC0415

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    handle: _Handle = display(HTML(""), display_id=True)
    return handle


class _Shown:
    """What stands in the notebook: text that is known, and the part that is new since the last drawing."""

    def __init__(self, handle: _Handle) -> None:
        self._handle = handle
        self._known = ""
        self._text = ""
        self._drawn_at = 0.0

    def add(self, delta: str, full_text: str) -> None:
        """Take a delta; draws when the last drawing is old enough."""
        del delta
        self._text = full_text
        now = time.monotonic()
        if now - self._drawn_at >= _REFRESH_S:
            self._drawn_at = now
            self._draw(len(self._known))
            self._known = full_text

    def settle(self) -> None:
        """Show all that came, nothing marked."""
        self._draw(len(self._text))

    def render(self, text: str) -> None:
        """Show the whole as Markdown, its HTML as text; images stay links, which load nothing."""
        self._update(f'<div style="line-height:1.6">{_MARKDOWN.render(text)}</div>')

    def _draw(self, known: int) -> None:
        old, new = html.escape(self._text[:known]), html.escape(self._text[known:])
        marked = f'<span style="{_NEW}">{new}</span>' if new else ""
        self._update(f'<div style="{_TEXT}">{old}{marked}</div>')

    def _update(self, markup: str) -> None:
        from IPython.display import HTML  # noqa: PLC0415  (it is there only in a notebook)

        self._handle.update(HTML(markup))
