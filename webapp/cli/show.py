"""How things look in a terminal: money, numbers, and Markdown that renders while it streams."""

from __future__ import annotations

import re
from decimal import Decimal
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment

from webapp.chat import ModelResponse, Usage

_FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)
_REFRESHES_A_SECOND = 12


def money(amount: Decimal | None) -> str:
    """Write US dollars without an exponent: $0.000012."""
    return "unknown" if amount is None else f"${amount:f}"


def tokens(usage: Usage) -> str:
    """Write what was used."""
    about = " (estimated)" if usage.estimated else ""
    return f"{usage.input_tokens} in, {usage.output_tokens} out{about}"


def summary(response: ModelResponse) -> str:
    """Sum an answer up in one line."""
    parts = [response.model, tokens(response.usage), money(response.cost)]
    if response.finish_reason not in (None, "stop"):
        parts.append(str(response.finish_reason))
    return " · ".join(parts)


def settled(text: str) -> int:
    """Tell how many characters of a growing Markdown text can no longer change their looks.

    They end at the last blank line that is outside a fence: what stands above is whole blocks.
    """
    at = text.rfind("\n\n")
    while at >= 0:
        if len(_FENCE.findall(text[:at])) % 2 == 0:
            return at + 2
        at = text.rfind("\n\n", 0, at)
    return 0


class _Block:
    """Markdown without blank lines around it: the space between blocks is ours, one line."""

    def __init__(self, text: str) -> None:
        self._markdown = Markdown(text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._markdown, options, pad=False)
        while lines and not _seen(lines[-1]):
            lines.pop()
        while lines and not _seen(lines[0]):
            lines.pop(0)
        for line in lines:
            yield from line
            yield Segment.line()


def _seen(line: list[Segment]) -> bool:
    return any(segment.text.strip() or (segment.style and segment.style.bgcolor) for segment in line)


class MarkdownStream:
    """Renders Markdown as it comes: whole blocks are printed once, only the last one is drawn anew."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tail = ""
        self._live = Live(
            console=console,
            auto_refresh=False,
            vertical_overflow="ellipsis",
            refresh_per_second=_REFRESHES_A_SECOND,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update("", refresh=True)
        self._live.stop()
        if self._tail.strip():
            self._console.print(_Block(self._tail))

    def write(self, delta: str) -> None:
        """Add text."""
        self._tail += delta
        at = settled(self._tail)
        if at:
            done, self._tail = self._tail[:at], self._tail[at:]
            if done.strip():
                self._live.console.print(_Block(done))
                self._live.console.print()
        self._live.update(_Block(self._tail), refresh=True)
