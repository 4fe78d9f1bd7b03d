"""Reads HTML by selectolax (Lexbor), which parses as browsers do: the text that a reader sees, written as Markdown.

trafilatura finds the main text better, but brings a dozen packages and lxml; here the page's own `main` or `article` decides. Elements are
walked without recursion, because a hostile page nests them as deep as it likes.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from webapp.documents.formats import Format
from webapp.documents.markdown_writer import MarkdownWriter
from webapp.documents.names import clean_name, title_from_name
from webapp.parsed_document import ParsedDocument

_MAIN = "main, [role=main], article"
_MAIN_SHARE = 0.4  # of the text outside of navigation and the like
_NEVER_SHOWN = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "head",
        "title",
        "svg",
        "canvas",
        "iframe",
        "object",
        "embed",
        "audio",
    }
    | {"video", "map", "select", "datalist", "button", "input", "textarea", "dialog", "rp"}
)
_AROUND = frozenset({"nav", "aside", "footer"})
_ROLES_AROUND = frozenset({"navigation", "complementary", "contentinfo", "search", "banner"})
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "br",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
    }
    | {
        "label",
        "mark",
        "q",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    }
)
_BACK_TO_NOTE = "↑"  # mammoth's links from a note to its place in the text
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NOT_IN_DATA_TABLES = "table, h1, h2, h3, h4, h5, h6, pre"


def read_html(name: str, markup: str, media_type: Format = Format.HTML) -> ParsedDocument:
    """Return the document of a page, or of what was converted to one."""
    tree = LexborHTMLParser(markup)
    root, body = tree.root, tree.body
    writer = MarkdownWriter()
    if body is not None:
        everything = _write(body, leave_out_around=True)
        writer = _write_main(tree, len(everything.text())) or everything
    title_node = tree.css_first("title")
    title = clean_name(title_node.text()) if title_node is not None else ""
    language = (root.attributes.get("lang") if root is not None else "") or ""
    return ParsedDocument(
        title=title or clean_name(writer.first_heading) or title_from_name(name),
        text=writer.text(),
        media_type=media_type,
        language=language if _LANGUAGE.fullmatch(language) else "",
    )


def _write_main(tree: LexborHTMLParser, chars_of_all: int) -> MarkdownWriter | None:
    """Return the text of the page's main element, None where it has none that holds most of the text."""
    node = tree.css_first(_MAIN)
    if node is None:
        return None
    writer = _write(node, leave_out_around=False)
    return writer if len(writer.text()) >= chars_of_all * _MAIN_SHARE else None


def _write(top: LexborNode, *, leave_out_around: bool) -> MarkdownWriter:
    """Write an element with all that it contains and a reader sees."""
    writer = MarkdownWriter()
    rows: set[int] = set()  # the rows of tables that hold data, not the page's layout
    waiting: list[tuple[LexborNode, bool]] = [(top, True)]
    while waiting:
        node, is_entered = waiting.pop()
        if not is_entered:
            _leave(node, writer, rows)
        elif node.is_text_node:
            writer.add_text(node.text_content or "")
        elif node.is_element_node and _is_shown(node, leave_out_around=leave_out_around):
            if not _enter(node, writer, rows):
                continue
            waiting.append((node, False))
            child = node.last_child
            while child is not None:
                waiting.append((child, True))
                child = child.prev
    return writer


def _is_shown(node: LexborNode, *, leave_out_around: bool) -> bool:
    tag, attributes = node.tag, node.attributes
    if tag in _NEVER_SHOWN or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return False
    if _HIDING_STYLE.search(attributes.get("style") or ""):
        return False
    return not (leave_out_around and (tag in _AROUND or attributes.get("role") in _ROLES_AROUND))


def _enter(node: LexborNode, writer: MarkdownWriter, rows: set[int]) -> bool:
    """Begin what an element is in Markdown; return whether its contents are still to be written."""
    match node.tag:
        case "br":
            writer.break_line()
        case "img":
            writer.add_text(f" {node.attributes.get('alt') or ''} ")
        case "pre":
            writer.add_code(node.text())
            return False
        case "a" if node.text() == _BACK_TO_NOTE:
            return False
        case "table":
            writer.end_block()
            if all(inner.mem_id == node.mem_id for inner in node.css(_NOT_IN_DATA_TABLES)):
                rows.update(row.mem_id for row in node.css("tr"))
        case "tr" if node.mem_id in rows:
            writer.begin_row()
        case _:
            _enter_block(node.tag or "", writer)
    return True


def _enter_block(tag: str, writer: MarkdownWriter) -> None:
    match tag:
        case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
            writer.begin_heading(int(tag[1]))
        case "ul" | "ol" | "menu":
            writer.begin_list(is_numbered=tag == "ol")
        case "li":
            writer.begin_item()
        case _ if tag not in _INLINE:
            writer.end_block()


def _leave(node: LexborNode, writer: MarkdownWriter, rows: set[int]) -> None:
    tag = node.tag or ""
    match tag:
        case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
            writer.end_heading()
        case "ul" | "ol" | "menu":
            writer.end_list()
        case "li":
            writer.end_item()
        case "td" | "th" if node.parent is not None and node.parent.mem_id in rows:
            writer.end_cell()
        case "tr" if node.mem_id in rows:
            writer.end_row()
        case "table":
            writer.end_table()
        case _ if tag not in _INLINE:
            writer.end_block()
