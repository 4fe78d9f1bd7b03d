"""The second witness: cmark-gfm, asked by its Python binding. It gives HTML, so the tree is written as HTML as well."""

import html
import re
from typing import Any
from urllib.parse import quote

from cmarkgfm import cmark

Node = dict[str, Any]

EXTENSIONS = ["table", "strikethrough", "autolink", "tasklist"]
SAFE = "-_.+!*'(),%#@?=;:/,+&$~"
PLAIN = {"emphasis": "em", "strong": "strong", "delete": "del"}


def said(text: str) -> str:
    """Return what cmark-gfm makes of a text."""
    options = cmark.Options.CMARK_OPT_UNSAFE
    return even(cmark.markdown_to_html_with_extensions(text, options=options, extensions=EXTENSIONS))


def even(markup: str) -> str:
    """Leave out what says nothing about which is right: white space between elements, how signs are escaped."""
    markup = re.sub(
        r"\s*(</?(?:p|ul|ol|li|blockquote|h\d|hr|pre|table|thead|tbody|tr|td|th)\b[^>]*>)\s*", r"\1", markup
    )
    # cmark-gfm makes one of strong text within strong text.
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


class Written:
    """One tree as HTML."""

    def __init__(self, root: Node) -> None:
        self._definitions: dict[str, Node] = {}
        self._collect(root)
        self.text = even(self._all(root))

    def _collect(self, node: Node) -> None:
        if node["type"] == "definition":
            self._definitions.setdefault(node["identifier"], node)
        for child in node.get("children", []):
            self._collect(child)

    def _all(self, node: Node, *, is_tight: bool = False) -> str:
        return "".join(self._one(child, is_tight=is_tight) for child in node.get("children", []))

    def _one(self, node: Node, *, is_tight: bool) -> str:
        kind = node["type"]
        if kind in PLAIN:
            return f"<{PLAIN[kind]}>{self._all(node)}</{PLAIN[kind]}>"
        if kind == "paragraph":
            return self._all(node) + "\n" if is_tight else f"<p>{self._all(node)}</p>"
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
            "heading": lambda: f"<h{node['depth']}>{self._all(node)}</h{node['depth']}>",
            "blockquote": lambda: f"<blockquote>{self._all(node)}</blockquote>",
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
            body = self._all(item, is_tight=is_tight)
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
                    f"<{tag}" + (f' align="{align}"' if align else "") + f">{self._all(cell)}</{tag}>"
                )
            rows.append(f"<tr>{''.join(cells)}</tr>")
        body = f"<tbody>{''.join(rows[1:])}</tbody>" if rows[1:] else ""
        return f"<table><thead>{rows[0]}</thead>{body}</table>"

    def _link(self, node: Node) -> str:
        target = self._definitions[node["identifier"]] if node["type"].endswith("Reference") else node
        address = html.escape(quote(target["url"], safe=SAFE))
        title = f' title="{html.escape(target["title"])}"' if target["title"] is not None else ""
        if node["type"].startswith("image"):
            return f'<img src="{address}" alt="{html.escape(node["alt"])}"{title} />'
        return f'<a href="{address}"{title}>{self._all(node)}</a>'
