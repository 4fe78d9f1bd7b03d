"""The layers of the page's modules: an import goes to the same folder or to one named before it."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"

# Lowest first.
LAYERS = (
    "stream",
    "dom",
    "strings",
    "styles",
    "speech",
    "conversation",
    "markdown highlight mathml images settings",  # these know nothing of each other
    "render",
    "turn",
    "chat",
    "sharing",
    "documents",
    "sidebar",
    "account",
    "page",
    "embed",
    "prefetch.js offline.js sw.js shared.js client.js embed.js embed-frame.js",
    "page.js",
)
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names.split()}

MODULES = sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*.js"))
FOLDERS = sorted({module.split("/")[0] for module in MODULES if "/" in module})
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.S)
IMPORT = re.compile(r"""^(?:import|export)\b(?:[^;"']*\bfrom\b)?\s*["']([^"']+)["'];""", re.M)
LAZY_OR_TYPE_IMPORT = re.compile(r"""import\(["']([^"']+)["']\)""")


def folder_of(module: str) -> str:
    return module.split("/", maxsplit=1)[0]


def resolved(module: str, target: str) -> str:
    assert target.startswith("."), f"{module} imports {target!r}: there are no packages on the page"
    return str((STATIC / module).parent.joinpath(target).resolve().relative_to(STATIC.resolve()))


def imports(module: str) -> list[str]:
    """What a module imports when it is loaded."""
    code = COMMENT.sub("", (STATIC / module).read_text())
    return [resolved(module, target) for target in IMPORT.findall(code)]


def breach(module: str, target: str) -> str | None:
    """Return which import is not allowed, None where it is."""
    own, other = folder_of(module), folder_of(target)
    if own == other or HEIGHT[other] < HEIGHT[own]:
        return None
    return f"{module} imports {target}, which is not in a lower layer"


def test_every_module_has_a_layer() -> None:
    assert {folder_of(module) for module in MODULES} == set(HEIGHT)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    assert [found for target in imports(module) if (found := breach(module, target))] == []


@pytest.mark.parametrize("module", MODULES)
def test_lazy_imports_and_types_go_down(module: str) -> None:
    text = (STATIC / module).read_text()
    targets = [resolved(module, target) for target in LAZY_OR_TYPE_IMPORT.findall(text)]
    assert [found for target in targets if (found := breach(module, target))] == []


def test_an_import_upward_is_found() -> None:
    assert breach("stream/session.js", "dom/elements.js")
    assert breach("images/sniff.js", "mathml/index.js")
    assert not breach("page.js", "chat/chat.js")
    assert not breach("chat/chat.js", "chat/log.js")
    assert imports("stream/session.js"), "imports are found at all"


def test_there_is_no_cycle() -> None:
    done: dict[str, bool] = {}

    def visit(module: str) -> None:
        if done.get(module):
            return
        assert module not in done, f"a cycle goes through {module}"
        done[module] = False
        for target in imports(module):
            visit(target)
        done[module] = True

    for module in MODULES:
        visit(module)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_first_file_of_a_folder_says_what_belongs_there(folder: str) -> None:
    first = min(module for module in MODULES if module.startswith(f"{folder}/"))
    comment = (STATIC / first).read_text().partition("*/")[0]
    assert comment.startswith(f"/**\n * `{folder}/`: "), first
    assert len(re.findall(r"\.(?=\s)", comment)) >= 2, f"{first}: what belongs here, and what does not"
