"""The import law of the page's modules, and what none of them may do."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"

# Lowest first. A module imports from the floors beneath it and, on its own floor, from modules named before
# it; edges never import each other.
FLOORS: dict[str, tuple[str, ...]] = {
    "values": (
        "frames.js",
        "seams.js",
        "strings/en.js",
        "strings/ar.js",
        "strings/de.js",
        "strings/es.js",
        "strings/fr.js",
        "strings/zh.js",
        "strings/words.js",
        "strings/account.js",
        "strings/refusals.js",
        "styles/account.js",
        "styles/answer.js",
        "styles/composer.js",
        "styles/exhibit.js",
        "styles/highlight.js",
        "styles/images.js",
        "styles/list.js",
        "styles/log.js",
        "styles/print.js",
        "styles/sharing.js",
    ),
    "pure": (
        "pace.js",
        "sse.js",
        "state.js",
        "format.js",
        "refusals.js",
        "sentences.js",
        "speech.js",
        "keys.js",
        "calendar.js",
        "conversation.js",
        "branches.js",
        "sha256.js",
        "sniff.js",
        "filenames.js",
    ),
    "edges": (
        "account.js",
        "address.js",
        "clock.js",
        "install.js",
        "library.js",
        "memory.js",
        "session.js",
        "slices.js",
        "stop.js",
        "transport-sse.js",
        "transport-ws.js",
    ),
    "engine": ("dialogue.js",),
    "view": (
        "dom.js",
        "copy.js",
        "scheme.js",
        "styles/sheets.js",
        "flow.js",
        "resting.js",
        "scroll.js",
        "spoken.js",
        "announce.js",
        "highlight.js",
        "mathml.js",
        "viewer.js",
        "pictures.js",
    ),
    "drawing": (),
    "answers": (
        "render.js",
        "sources.js",
        "prose.js",
        "versions.js",
        "gallery.js",
        "question.js",
        "problem.js",
        "turn.js",
    ),
    "elements": (
        "elements/queued.js",
        "elements/tray.js",
        "elements/drop.js",
        "elements/composer.js",
        "elements/notices.js",
        "elements/presence.js",
        "elements/sight.js",
        "elements/wired.js",
        "elements/log.js",
        "elements/chat.js",
        "elements/define.js",
        "elements/title.js",
        "elements/shortcuts.js",
        "elements/wishes.js",
        "elements/undo.js",
        "elements/row.js",
        "elements/bring.js",
        "elements/sharing.js",
        "elements/list.js",
        "elements/devices.js",
        "elements/moving.js",
        "elements/side.js",
    ),
    "roof": ("early.js", "page.js", "shared.js", "offline.js", "sw.js"),
}
# A package: inside it imports are free, from outside it stands where it is named here.
PACKAGES = {"highlight": "pure", "markdown": "pure", "mathml": "pure", "render": "drawing"}
HEIGHT = {floor: height for height, floor in enumerate(FLOORS)}

MODULES = sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*.js"))
FLOOR_OF = {module: floor for floor, modules in FLOORS.items() for module in modules} | {
    module: PACKAGES[module.partition("/")[0]] for module in MODULES if module.partition("/")[0] in PACKAGES
}
IMPORT = re.compile(r"""^(?:import|export)\b(?:[^;"']*\bfrom\b)?\s*["']([^"']+)["'];""", re.M)
TYPE_IMPORT = re.compile(r"""import\(["']([^"']+)["']\)""")
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.S)
TEXT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")

FORBIDDEN = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "setHTMLUnsafe",
    "createContextualFragment",
    "parseFromString",
    "eval",
    "Function",
    "importScripts",
    "randomUUID",
]


def source(module: str) -> str:
    """The module's code without comments."""
    return COMMENT.sub("", (STATIC / module).read_text())


def resolved(module: str, target: str) -> str:
    """The imported module as it is written in `FLOORS`."""
    assert target.startswith("."), f"{module} imports {target!r}: there are no packages on the page"
    return str((STATIC / module).parent.joinpath(target).resolve().relative_to(STATIC.resolve()))


def imports(module: str) -> list[str]:
    return [resolved(module, target) for target in IMPORT.findall(source(module))]


def _package(module: str) -> str | None:
    name = module.partition("/")[0]
    return name if name in PACKAGES else None


def breaches(module: str, imported: list[str]) -> list[str]:
    """Imports that the law forbids."""
    own = FLOOR_OF[module]
    wrong = []
    for target in imported:
        floor = FLOOR_OF[target]
        if _package(module) is not None and _package(module) == _package(target):
            continue
        order = FLOORS[own]
        named_before = (
            floor == own != "edges"
            and {module, target} <= set(order)
            and order.index(target) < order.index(module)
        )
        if HEIGHT[floor] > HEIGHT[own] or (floor == own and not named_before):
            wrong.append(f"{module} ({own}) imports {target} ({floor})")
    return wrong


def test_every_module_has_a_floor() -> None:
    assert sorted(FLOOR_OF) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    assert breaches(module, imports(module)) == []


@pytest.mark.parametrize("module", MODULES)
def test_types_go_down(module: str) -> None:
    text = (STATIC / module).read_text()
    assert breaches(module, [resolved(module, target) for target in TYPE_IMPORT.findall(text)]) == []


def test_the_law_can_be_broken() -> None:
    assert breaches("state.js", ["dom.js"])
    assert breaches("transport-ws.js", ["transport-sse.js"])
    assert breaches("state.js", ["conversation.js"])
    assert not breaches("page.js", ["elements/chat.js"])
    assert imports("session.js"), "the reader of imports finds them"


def test_there_is_no_cycle() -> None:
    seen: dict[str, bool] = {}

    def visit(module: str) -> None:
        if seen.get(module):
            return
        assert module not in seen, f"a cycle goes through {module}"
        seen[module] = False
        for target in imports(module):
            visit(target)
        seen[module] = True

    for module in MODULES:
        visit(module)


BELOW_VIEW = [module for module in MODULES if HEIGHT[FLOOR_OF[module]] < HEIGHT["view"]]


@pytest.mark.parametrize("module", BELOW_VIEW)
def test_only_view_and_above_name_the_document(module: str) -> None:
    code = TEXT.sub('""', source(module))
    assert not re.search(r"\b(document|window|HTMLElement)\b", code)


PURE = [module for module in MODULES if FLOOR_OF[module] in ("values", "pure")]


@pytest.mark.parametrize("module", PURE)
def test_pure_code_has_no_effects(module: str) -> None:
    code = TEXT.sub('""', source(module))
    names = (
        "fetch WebSocket sessionStorage localStorage setTimeout setInterval navigator crypto location console"
    )
    assert not re.search(rf"\b({'|'.join(names.split())})\b", code)
    assert not re.search(r"Date\.now|Math\.random", code)


@pytest.mark.parametrize("module", MODULES)
def test_no_module_makes_markup_of_text(module: str) -> None:
    code = TEXT.sub('""', source(module))
    assert [name for name in FORBIDDEN if re.search(rf"\b{name}\b", code)] == []
    assert 'setAttribute("style"' not in source(module)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for_and_stays_small(module: str) -> None:
    text = (STATIC / module).read_text()
    assert text.startswith("/**"), "it begins with what lives there"
    assert len(text.splitlines()) < 300


# Literals of more than one word that no person reads: classes, relations, fonts, and what goes to a console.
UNREAD = frozenset(
    {
        "icon filled",
        "block tight",
        "math display",
        "problem after",
        "tool picker",
        "tool share",
        "panel sharing",
        "deeds asked",
        "panel keys",
        "panel devices",
        "tbody tr",
        "small more",
        "small bring",
        "gallery alone",
        "noopener noreferrer nofollow",
        '"STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math',
        "more than ${this.#maxChars} characters without an end of event",
    }
)
WORDLESS = ("strings/", "styles/", "markdown/", "mathml/", "highlight/")
LITERAL = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith(WORDLESS)])
def test_what_a_person_reads_stands_among_the_strings(module: str) -> None:
    literals = {literal[1:-1] for literal in LITERAL.findall(source(module))}
    sentences = {text for text in literals if re.search(r"[^\W\d_]{2,} [^\W\d_]{2,}", text)}
    assert sentences <= UNREAD


TEMPLATES = sorted(path.name for path in (STATIC.parent / "templates").iterdir())


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_person_reads_stands_in_no_template(name: str) -> None:
    template = (STATIC.parent / "templates" / name).read_text()
    shown = re.sub(r"\{[{%].*?[}%]\}|<[^>]*>|Freshet", "", template, flags=re.S)
    assert not re.search(r"[^\W\d_]{2,}", shown)
