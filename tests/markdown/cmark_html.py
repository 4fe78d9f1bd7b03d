"""HTML of cmark-gfm, and of our tree in the same form, so that both parsers can be compared."""

import html
import re
from typing import Any
from urllib.parse import quote

from cmarkgfm import cmark

Node = dict[str, Any]

EXTENSIONS = ["table", "strikethrough", "autolink", "tasklist"]
SAFE_IN_URLS = "-_.+!*'(),%#@?=;:/,+&$~"
SIMPLE_TAGS = {"emphasis": "em", "strong": "strong", "delete": "del"}


def render_with_cmark(text: str) -> str:
    """Return the normalized HTML that cmark-gfm renders from a text."""
    options = cmark.Options.CMARK_OPT_UNSAFE
    return normalize(cmark.markdown_to_html_with_extensions(text, options=options, extensions=EXTENSIONS))


def normalize(markup: str) -> str:
    """Normalize differences that are not about parsing: white space between elements, escaping."""
    markup = re.sub(
        r"\s*(</?(?:p|ul|ol|li|blockquote|h\d|hr|pre|table|thead|tbody|tr|td|th)\b[^>]*>)\s*", r"\1", markup
    )
    # cmark-gfm merges nested strong emphasis.
    while (
        merged := re.sub(
            r"<strong>((?:(?!</?strong>).)*)<strong>(.*?)</strong>(.*?)</strong>",
            r"<strong>\1\2\3</strong>",
            markup,
        )
    ) != markup:
        markup = merged
    markup = re.sub(r"[ \n]*(<br />|\n)[ \n]*", r"\1", markup)
    return html.unescape(markup.replace("<tbody></tbody>", "")).strip()


class TreeHtml:
    """A tree as normalized HTML, in `text`."""

    def __init__(self, root: Node) -> None:
        self._definitions: dict[str, Node] = {}
        self._collect(root)
        self.text = normalize(self._children(root))

    def _collect(self, node: Node) -> None:
        if node["type"] == "definition":
            self._definitions.setdefault(node["identifier"], node)
        for child in node.get("children", []):
            self._collect(child)

    def _children(self, node: Node, *, is_tight: bool = False) -> str:
        return "".join(self._node(child, is_tight=is_tight) for child in node.get("children", []))

    def _node(self, node: Node, *, is_tight: bool) -> str:
        kind = node["type"]
        if kind in SIMPLE_TAGS:
            return f"<{SIMPLE_TAGS[kind]}>{self._children(node)}</{SIMPLE_TAGS[kind]}>"
        if kind == "paragraph":
            return self._children(node) + "\n" if is_tight else f"<p>{self._children(node)}</p>"
        if kind == "list":
            return self._list(node)
        if kind == "table":
            return self._table(node)
        if kind in ("link", "linkReference", "image", "imageReference"):
            return self._link(node)
        simple = {
            "text": lambda: html.escape(node["value"]),
            "html": lambda: node["value"],
            "break": lambda: "<br />",
            "thematicBreak": lambda: "<hr />",
            "inlineCode": lambda: f"<code>{html.escape(node['value'].replace(chr(10), ' '))}</code>",
            "heading": lambda: f"<h{node['depth']}>{self._children(node)}</h{node['depth']}>",
            "blockquote": lambda: f"<blockquote>{self._children(node)}</blockquote>",
            "code": lambda: self._code(node),
        }
        return simple[kind]() if kind in simple else ""

    def _code(self, node: Node) -> str:
        language = f' class="language-{html.escape(node["lang"])}"' if node["lang"] else ""
        end = "\n" if node["value"] else ""
        return f"<pre><code{language}>{html.escape(node['value'])}{end}</code></pre>"

    def _list(self, node: Node) -> str:
        is_tight = not node["spread"] and not any(item["spread"] for item in node["children"])
        tag = "ol" if node["ordered"] else "ul"
        start = f' start="{node["start"]}"' if node["ordered"] and node["start"] != 1 else ""
        items = []
        for item in node["children"]:
            box = {
                True: '<input type="checkbox" checked="" disabled="" /> ',
                False: '<input type="checkbox" disabled="" /> ',
            }
            body = self._children(item, is_tight=is_tight)
            mark = box.get(item["checked"], "")
            items.append(
                f"<li>{body.replace('<p>', '<p>' + mark, 1) if body.startswith('<p>') else mark + body}</li>"
            )
        return f"<{tag}{start}>{''.join(items)}</{tag}>"

    def _table(self, node: Node) -> str:
        rows = []
        for index, row in enumerate(node["children"]):
            tag = "td" if index else "th"
            cells = []
            for column, align in enumerate(node["align"]):
                cell = row["children"][column] if column < len(row["children"]) else {}
                cells.append(
                    f"<{tag}" + (f' align="{align}"' if align else "") + f">{self._children(cell)}</{tag}>"
                )
            rows.append(f"<tr>{''.join(cells)}</tr>")
        body = f"<tbody>{''.join(rows[1:])}</tbody>" if rows[1:] else ""
        return f"<table><thead>{rows[0]}</thead>{body}</table>"

    def _link(self, node: Node) -> str:
        target = self._definitions[node["identifier"]] if node["type"].endswith("Reference") else node
        address = html.escape(quote(target["url"], safe=SAFE_IN_URLS))
        title = f' title="{html.escape(target["title"])}"' if target["title"] is not None else ""
        if node["type"].startswith("image"):
            return f'<img src="{address}" alt="{html.escape(node["alt"])}"{title} />'
        return f'<a href="{address}"{title}>{self._children(node)}</a>'
