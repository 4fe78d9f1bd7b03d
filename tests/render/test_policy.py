"""The security policy for a model's Markdown: a test for each row of the table in docs/markdown.md."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "markdown.md"
REL = 'rel="noopener noreferrer nofollow" target="_blank"'
KEPT = f"conversations/{'Ab-_' * 5}Cd/images/{'0f' * 32}"
SHARED = f"shared/{'Ab-_' * 6}/images/{'0f' * 32}"

LINKS = [
    ("[a](https://a.example/b)", f'<a href="https://a.example/b" {REL}>a</a>'),
    ("[a](http://a.example)", f'<a href="http://a.example/" {REL}>a</a>'),
    ("<me@a.example>", f'<a href="mailto:me@a.example" {REL}>me@a.example</a>'),
    ("[a](/relative)", "<a>a</a>"),
    ("[a](//a.example)", "<a>a</a>"),
    ("[a](#part)", "<a>a</a>"),
    ("[a](javascript:alert(1))", "<a>a</a>"),
    ("[a](JaVaScRiPt:alert(1))", "<a>a</a>"),
    ("[a](<java\tscript:alert(1)>)", "<a>a</a>"),
    ("[a](java&Tab;script:alert(1))", "<a>a</a>"),
    ("[a](java&NewLine;script:alert(1))", "<a>a</a>"),
    ("[a](&#106;avascript:alert(1))", "<a>a</a>"),
    ("[a](&#x1;javascript:alert(1))", "<a>a</a>"),
    ("[a](< javascript:alert(1)>)", "<a>a</a>"),
    ("<javascript:alert(1)>", "<a>javascript:alert(1)</a>"),
    ("[a][b]\n\n[b]: javascript:alert(1)", "<a>a</a>"),
    ("[a](data:text/html,x)", "<a>a</a>"),
    ("[a](vbscript:x)", "<a>a</a>"),
    ("[a](file:///etc/passwd)", "<a>a</a>"),
    ("[a](blob:https://a.example/1)", "<a>a</a>"),
    (
        '[a](https://a.example/"onclick=x "t")',
        f'<a href="https://a.example/%22onclick=x" {REL} title="t">a</a>',
    ),
]
IMAGES = [
    ("![a](https://else.example/b.png)", f'<a href="https://else.example/b.png" {REL}>a</a>'),
    (
        "![](https://else.example/b.png)",
        f'<a href="https://else.example/b.png" {REL}>https://else.example/b.png</a>',
    ),
    ("![a](data:image/svg+xml,x)", "<a>a</a>"),
    ("![a](javascript:x)", "<a>a</a>"),
]
# Other paths of the page's own server: a request for them could start an answer.
NOT_LOADED = [
    f"http://bare.test/{path}"
    for path in (
        "stream?query=x",
        "b.png",
        "",
        f"{KEPT}?query=x",
        f"{KEPT}#part",
        f"{KEPT}/more",
        f"{KEPT}0",
        f"deeper/{KEPT}",
        f"/{KEPT}",
        KEPT.replace("Cd", "C"),
        KEPT.replace("0f", "0F"),
        KEPT.replace("conversations", "Conversations"),
        SHARED.replace("/images", ""),
        f"{KEPT.removesuffix('0f')}.svg",
    )
]
LOADED = [
    (
        "![a](https://images.example/b.png)",
        '<img data-src="https://images.example/b.png" alt="a" loading="lazy">',
    ),
    *(
        (f"![a](http://bare.test/{path})", f'<img data-src="http://bare.test/{path}" alt="a" loading="lazy">')
        for path in (KEPT, SHARED)
    ),
    (
        f"![a](http://bare.test/x/../{KEPT})",
        f'<img data-src="http://bare.test/{KEPT}" alt="a" loading="lazy">',
    ),
    (
        f"![a][b]\n\n[b]: http://bare.test/{KEPT} 'd'",
        f'<img data-src="http://bare.test/{KEPT}" alt="a" loading="lazy" title="d">',
    ),
]
HTML = [
    *(
        (f"x <{tag}>a</{tag}>", f"x <{tag}>a</{tag}>")
        for tag in ["sub", "sup", "kbd", "mark", "u", "ins", "del", "small", "b", "i"]
    ),
    ("a<br>b<br/>c", "a<br>b<br>c"),
    ("a <b>*c*</b>", "a <b><em>c</em></b>"),
    ("a <b>open", "a &lt;b&gt;open"),
    ("a <b>x<i>y</b>z</i>", "a &lt;b&gt;x<i>y&lt;/b&gt;z</i>"),
    ('a <b class="x">c</b>', "a <b>c</b>"),
    ('a <b onclick="x" style=color:red hidden>c</b>', "a <b>c</b>"),
    ('a<br class="x" />b', "a<br>b"),
    ("a <b-c>d</b-c>", "a &lt;b-c&gt;d&lt;/b-c&gt;"),
    ("a <span>b</span>", "a &lt;span&gt;b&lt;/span&gt;"),
    ("a <svg onload=x></svg>", "a &lt;svg onload=x&gt;&lt;/svg&gt;"),
    ("a <img src=x onerror=y>", "a &lt;img src=x onerror=y&gt;"),
    ("a <!-- c --> b", "a &lt;!-- c --&gt; b"),
]
SOURCES = [
    ("see [1]", f'see <a href="https://a.example/" {REL} class="citation" title="One">1</a>'),
    ("see [2]", "see [2]"),
    ("`[1]`", "<code>[1]</code>"),
    ("`a\nb`", "<code>a b</code>"),
    ("[see [1]](https://b.example)", f'<a href="https://b.example/" {REL}>see [1]</a>'),
    ("[1]\n\n[1]: https://c.example", f'<a href="https://c.example/" {REL}>1</a>'),
]


@pytest.mark.parametrize(("text", "expected"), [*LINKS, *IMAGES, *HTML, *SOURCES])
def test_inline_content_follows_the_policy(run: Run, text: str, expected: str) -> None:
    assert run("incremental.mjs", "firstParagraph", text) == expected


@pytest.mark.parametrize(("text", "expected"), LOADED)
def test_images_from_allowed_urls_load(run: Run, text: str, expected: str) -> None:
    assert run("incremental.mjs", "withoutLoading", text) == expected


@pytest.mark.parametrize("address", NOT_LOADED)
def test_nothing_else_loads_from_the_own_server(run: Run, address: str) -> None:
    shown = f'<a href="{address}" {REL}>a</a>'
    assert run("incremental.mjs", "firstParagraph", f"![a]({address})") == shown
    assert run("incremental.mjs", "firstParagraph", f"![a][b]\n\n[b]: {address}") == shown


def test_stored_images_load_only_below_the_path_of_the_page(run: Run) -> None:
    """A server below a path serves its images there; another application may be next to it."""
    allowed = [f"http://bare.test/chat/{KEPT}", f"http://bare.test/chat/{SHARED}"]
    urls = [
        *allowed,
        f"http://bare.test/{KEPT}",
        f"http://bare.test/chatter/{KEPT}",
        "http://bare.test/chat/",
    ]
    assert run("policy.mjs", "loaded", urls, "http://bare.test/chat/?c=x") == allowed


def test_the_own_server_is_never_one_of_the_allowed_origins(run: Run) -> None:
    others = ["http://bare.test", "https://images.example"]
    urls = [
        "http://bare.test/stream?query=x",
        "https://images.example/a.png?b",
        "http://images.example/a.png",
    ]
    assert run("policy.mjs", "loaded", urls, "http://bare.test/", others) == [urls[1]]


BLOCKS = [
    ("# a\n\n## b\n\n###### c", '<h3 dir="auto">a</h3><h4 dir="auto">b</h4><h5 dir="auto">c</h5>'),
    ("- a\n- b", '<ul dir="auto"><li><p>a</p></li><li><p>b</p></li></ul>'),
    ("- a\n\n- b", '<ul dir="auto" data-loose=""><li><p>a</p></li><li><p>b</p></li></ul>'),
    ("3. a", '<ol start="3" dir="auto"><li><p>a</p></li></ol>'),
    (
        "- [x] a",
        '<ul dir="auto"><li class="task"><input type="checkbox" disabled="" aria-label="Task" checked=""><p>a</p></li></ul>',
    ),
    ("> a", '<blockquote dir="auto"><p>a</p></blockquote>'),
    (
        "| a |\n|--:|\n| b |",
        '<div class="table" role="group" aria-label="Table" dir="auto"><table><thead><tr>'
        '<th scope="col" data-align="right">a</th></tr></thead><tbody><tr><td data-align="right">b</td></tr></tbody></table></div>',
    ),
    (
        "```js\na\n```",
        '<div class="code" dir="ltr"><div class="code-head"><span class="language">js</span>'
        '<button type="button" class="copy">Copy</button></div>'
        '<pre role="group" aria-label="Code"><code>a</code></pre></div>',
    ),
    (
        "a[^x]\n\n[^x]: b",
        '<p dir="auto">a<sup><a href="#m-note-1" class="note" role="doc-noteref">1</a></sup></p>'
        '<div class="footnote" role="note" id="m-note-1" tabindex="-1" dir="auto">'
        '<a class="back" href="#m-ref-1" aria-label="Back to reference 1">1</a><div><p>b</p></div></div>',
    ),
    (
        "<details>\n<summary>a</summary>\n\n*b*\n\n</details>\n\nc",
        '<details><summary>a</summary><p dir="auto"><em>b</em></p></details><p dir="auto">c</p>',
    ),
    (
        "<details open>\n<summary>a</summary>\n\n*b*\n\n</details>\n\nc",
        '<details open=""><summary>a</summary><p dir="auto"><em>b</em></p></details><p dir="auto">c</p>',
    ),
    (
        """<details class="x > y" onclick='z'>\n<summary style="a">b <b id=c>d</b></summary>\ne\n</details>""",
        '<details><summary>b <b>d</b></summary><p class="html">e</p></details>',
    ),
    ("<div>\n*a*\n</div>", '<p class="html">&lt;div&gt;\n*a*\n&lt;/div&gt;</p>'),
    ("<script>alert(1)</script>", '<p class="html">&lt;script&gt;alert(1)&lt;/script&gt;</p>'),
    ("$$\nx\n$$", '<div class="math display" dir="ltr"><code class="tex">x</code></div>'),
    ("[a]: https://a.example", ""),
]


@pytest.mark.parametrize(("text", "expected"), BLOCKS)
def test_blocks_follow_the_policy(run: Run, text: str, expected: str) -> None:
    assert run("incremental.mjs", "blocks", text) == expected


def test_the_document_has_as_many_rows_as_are_tested() -> None:
    rows = DOCUMENT.read_text().split("\n## ")[0].count("\n| ")
    assert rows == 1 + 13, "a row was added or removed: update the tests"


def test_nodes_nested_too_deep_are_text(run: Run) -> None:
    shown = run("incremental.mjs", "firstParagraph", "**a *b ~~c " * 12 + "d" + "~~ e* f**" * 12)
    assert shown.count("<em>") == 8
    assert "d" in shown
