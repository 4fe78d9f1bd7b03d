"""What the page's modules may touch: the pure ones nothing, those below the view no document, none of them markup."""

import re

import pytest

from tests.unit.test_js_layers import COMMENT, MODULES, STATIC

# Values and calculations: no document, network, storage, clock or chance.
PURE = (
    "conversation/branches.js",
    "conversation/conversation.js",
    "conversation/imports/list-splitter.js",
    "highlight/lexer.js",
    "highlight/languages.js",
    "images/sniff.js",
    "markdown/",
    "mathml/parser.js",
    "mathml/commands.js",
    "mathml/symbols.js",
    "mathml/tree.js",
    "settings/keys.js",
    "sidebar/by-day.js",
    "speech/sentences.js",
    "speech/speech.js",
    "stream/answer-state.js",
    "stream/backoff.js",
    "stream/frames.js",
    "stream/sse.js",
    "stream/types.js",
    "strings/",
)
LOADS_LATER = ("markdown/entity-loading.js",)  # waits for its table
# Modules that use the network, storage or timers, but never the document.
WITHOUT_DOCUMENT = ("stream/", "conversation/", "account/api.js", "dom/clock.js", "dom/idle-slices.js")
EFFECTS = (
    "fetch WebSocket sessionStorage localStorage setTimeout setInterval navigator crypto location console"
)
MARKUP_OR_CODE = (
    "innerHTML outerHTML insertAdjacentHTML setHTMLUnsafe createContextualFragment parseFromString "
    "eval Function importScripts randomUUID"
)
TEXT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")


def code_of(module: str) -> str:
    """A module without comments and string literals."""
    return TEXT.sub('""', COMMENT.sub("", (STATIC / module).read_text()))


def named(code: str, names: str) -> list[str]:
    return [name for name in names.split() if re.search(rf"\b{name}\b", code)]


def test_the_listed_modules_are_there() -> None:
    for name in (*PURE, *WITHOUT_DOCUMENT):
        assert (STATIC / name).exists(), name


@pytest.mark.parametrize(
    "module", sorted({*filter(lambda module: module.startswith(PURE), MODULES)} - {*LOADS_LATER})
)
def test_pure_modules_have_no_effects(module: str) -> None:
    code = code_of(module)
    assert named(code, f"document window HTMLElement {EFFECTS}") == []
    assert not re.search(r"Date\.now|Math\.random", code)


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(WITHOUT_DOCUMENT)])
def test_modules_below_the_view_do_not_touch_the_document(module: str) -> None:
    assert named(code_of(module), "document window HTMLElement") == []


@pytest.mark.parametrize("module", MODULES)
def test_no_module_makes_markup_or_code_of_text(module: str) -> None:
    assert named(code_of(module), MARKUP_OR_CODE) == []
    assert 'setAttribute("style"' not in COMMENT.sub("", (STATIC / module).read_text())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_begins_with_what_it_holds(module: str) -> None:
    assert (STATIC / module).read_text().startswith("/**")
