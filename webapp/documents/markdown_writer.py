"""Writes the Markdown of a page block by block: headings, paragraphs, lists, tables, code."""

from __future__ import annotations

from webapp.documents.plain import clean

_BREAK = "\x00"  # a line break within a block; no text contains it
_MAX_DEPTH = 8  # of lists; deeper ones look the same


class MarkdownWriter:
    """Collects inline text and ends it as a block of the kind that was begun last."""

    def __init__(self) -> None:
        self.first_heading = ""
        self._blocks: list[str] = []
        self._inline: list[str] = []
        self._mark = ""  # before the next block
        self._is_item = False  # the next block begins an item of a list
        self._last_kind = ""
        self._lists: list[int | None] = []  # the number of the last item, None where items have none
        self._cells: list[str] | None = None  # of a row that is being written

    def text(self) -> str:
        """Return what was written."""
        self.end_block()
        return "".join(self._blocks)

    def add_text(self, text: str) -> None:
        """Add inline text as it stands in the page."""
        self._inline.append(text)

    def break_line(self) -> None:
        """Begin a new line in the same block."""
        self._inline.append(_BREAK)

    def end_block(self) -> None:
        """End a paragraph, heading or item."""
        if self._cells is not None:
            self._inline.append(" ")  # blocks in a cell stand beside each other
            return
        content = self._take_inline().replace(_BREAK, "\n")
        if not content:
            return
        if self._mark.startswith("#") and not self.first_heading:
            self.first_heading = content
        self._append(self._mark + content, "item" if self._is_item else "")
        self._mark, self._is_item = "", False

    def begin_heading(self, level: int) -> None:
        """Begin a heading of a level from 1 to 6."""
        self.end_block()
        self._mark += "#" * level + " "

    def end_heading(self) -> None:
        """End a heading, which may be empty."""
        self.end_block()
        if not self._is_item:
            self._mark = ""

    def begin_list(self, *, is_numbered: bool) -> None:
        """Begin a list, in a list where one is open."""
        self.end_block()
        self._lists.append(0 if is_numbered else None)

    def end_list(self) -> None:
        """End the innermost list."""
        self.end_block()
        if self._lists:
            self._lists.pop()

    def begin_item(self) -> None:
        """Begin the next item of the innermost list."""
        self.end_block()
        if not self._lists:
            self._lists.append(None)
        number = self._lists[-1]
        if number is not None:
            self._lists[-1] = number = number + 1
        indent = "  " * min(len(self._lists) - 1, _MAX_DEPTH)
        self._mark = f"{indent}{number}. " if number else f"{indent}- "
        self._is_item = True

    def end_item(self) -> None:
        """End an item, which may be empty."""
        self.end_block()
        self._mark, self._is_item = "", False

    def begin_row(self) -> None:
        """Begin a row of a table."""
        self.end_block()
        self._cells = []

    def end_cell(self) -> None:
        """End a cell of a row."""
        if self._cells is not None:
            self._cells.append(self._take_inline().replace(_BREAK, " ").replace("|", "\\|"))

    def end_row(self) -> None:
        """End a row; the first of a table is its head."""
        cells, self._cells = self._cells, None
        self._inline.clear()
        if cells is None or not any(cells):
            return
        row = f"| {' | '.join(cells)} |"
        if self._last_kind != "row":
            row += "\n|" + " --- |" * len(cells)
        self._append(self._mark + row, "row")
        self._mark, self._is_item = "", False

    def end_table(self) -> None:
        """End a table, so that one that follows at once has a head of its own."""
        self.end_block()
        self._last_kind = ""

    def add_code(self, code: str) -> None:
        """Write a block of code."""
        self.end_block()
        self._append(f"{self._mark}```\n{clean(code).strip(chr(10))}\n```", "")
        self._mark, self._is_item = "", False

    def _append(self, block: str, kind: str) -> None:
        if self._blocks:
            self._blocks.append("\n" if kind and kind == self._last_kind else "\n\n")
        self._blocks.append(block)
        self._last_kind = kind

    def _take_inline(self) -> str:
        """Return the inline text with single spaces, and forget it."""
        text = "".join(self._inline)
        self._inline.clear()
        lines = [" ".join(clean(line).split()) for line in text.split(_BREAK)]
        return _BREAK.join(lines).strip(_BREAK)
