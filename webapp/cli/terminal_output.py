"""Terminal output: money, token counts, and Markdown that is rendered while it streams."""

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
_REFRESHES_PER_SECOND = 12


def format_money(amount: Decimal | None) -> str:
    """Return US dollars without an exponent, such as $0.000012."""
    return "unknown" if amount is None else f"${amount:f}"


def format_usage(usage: Usage) -> str:
    """Return the token counts, such as "7 in, 60 out"."""
    suffix = " (estimated)" if usage.estimated else ""
    return f"{usage.input_tokens} in, {usage.output_tokens} out{suffix}"


def summarize(response: ModelResponse) -> str:
    """Return the model, usage, cost and an unusual finish reason in one line."""
    parts = [response.model, format_usage(response.usage), format_money(response.cost)]
    if response.finish_reason not in (None, "stop"):
        parts.append(str(response.finish_reason))
    return " · ".join(parts)


def settled_length(text: str) -> int:
    """Return how many characters of a growing Markdown text are complete blocks, whose rendering is final.

    They end at the last blank line outside a code fence.
    """
    at = text.rfind("\n\n")
    while at >= 0:
        if len(_FENCE.findall(text[:at])) % 2 == 0:
            return at + 2
        at = text.rfind("\n\n", 0, at)
    return 0


class _Block:
    """Rendered Markdown without blank lines before and after it; `TerminalMarkdown` prints one between blocks."""

    def __init__(self, text: str) -> None:
        self._markdown = Markdown(text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._markdown, options, pad=False)
        while lines and _is_blank(lines[-1]):
            lines.pop()
        while lines and _is_blank(lines[0]):
            lines.pop(0)
        for line in lines:
            yield from line
            yield Segment.line()


def _is_blank(line: list[Segment]) -> bool:
    return not any(segment.text.strip() or (segment.style and segment.style.bgcolor) for segment in line)


class TerminalMarkdown:
    """Renders streaming Markdown: each complete block is printed once, only the last one is redrawn."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pending = ""
        self._live = Live(
            console=console,
            auto_refresh=False,
            vertical_overflow="ellipsis",
            refresh_per_second=_REFRESHES_PER_SECOND,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update("", refresh=True)
        self._live.stop()
        if self._pending.strip():
            self._console.print(_Block(self._pending))

    def write(self, delta: str) -> None:
        """Append text."""
        self._pending += delta
        length = settled_length(self._pending)
        if length:
            settled, self._pending = self._pending[:length], self._pending[length:]
            if settled.strip():
                self._live.console.print(_Block(settled))
                self._live.console.print()
        self._live.update(_Block(self._pending), refresh=True)
