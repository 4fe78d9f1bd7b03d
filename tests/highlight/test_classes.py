"""The lexer of the page's code blocks: compared with Pygments, on hard texts, and its size."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.test_colours import contrast, palettes
from tests.highlight.reference import classes
from tests.support.node import find
from tests.support.served import modules, weight
from tests.support.typescript import STATIC

HERE = Path(__file__).parent
FIXTURES = sorted(path.stem for path in (HERE / "fixtures").glob("*.txt"))
# Minified and compressed.
MAX_BYTES = 8_000
MIN_AGREEMENT = 0.95


@pytest.fixture(scope="session")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the modules, the programs and the fixtures into a folder for ES modules."""
    folder = tmp_path_factory.mktemp("highlight")
    shutil.copytree(STATIC / "highlight", folder / "static" / "highlight")
    shutil.copytree(HERE / "fixtures", folder / "fixtures")
    for program in HERE.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    return folder


@pytest.fixture(scope="session")
def page_tokens(module_folder: Path) -> dict[str, list[tuple[int, int, str]]]:
    """Return the tokens of the page's lexer for each fixture."""
    command = [*find().node, "classes.mjs"]
    result = subprocess.run(command, cwd=module_folder, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", FIXTURES)
def test_most_characters_have_the_class_that_pygments_gives_them(
    page_tokens: dict[str, list[tuple[int, int, str]]], name: str
) -> None:
    text = (HERE / "fixtures" / f"{name}.txt").read_text()
    assert text.isascii() or max(map(ord, text)) < 0x10000, "offsets are counted in UTF-16"
    mine = [kind for start, end, kind in page_tokens[name] for _ in range(start, end)]
    theirs = classes(text, name)
    assert len(mine) == len(theirs) == len(text)
    visible = [at for at, character in enumerate(text) if not character.isspace()]
    same = sum(mine[at] == theirs[at] for at in visible)
    print(f"{name}: {same / len(visible):.2%}")
    assert same / len(visible) >= MIN_AGREEMENT


def test_every_class_occurs_on_both_sides(page_tokens: dict[str, list[tuple[int, int, str]]]) -> None:
    """Otherwise plain text could agree."""
    all_kinds = {"comment", "string", "number", "keyword", "name", "plain"}
    theirs = {
        kind for name in FIXTURES for kind in classes((HERE / f"fixtures/{name}.txt").read_text(), name)
    }
    assert {kind for pieces in page_tokens.values() for _, _, kind in pieces} == theirs == all_kinds
    for name in FIXTURES:
        kinds = [kind for start, end, kind in page_tokens[name] for _ in range(start, end)]
        assert kinds.count("plain") < 0.8 * len(kinds), name


def test_the_lexer_under_node(module_folder: Path) -> None:
    command = [*find().node, "--test", "--test-reporter=tap", "lexer.test.mjs"]
    result = subprocess.run(command, cwd=module_folder, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, (result.stdout + result.stderr)[-10_000:]
    assert "# pass 9" in result.stdout
    assert "# skipped 0" in result.stdout


def test_highlighting_stays_below_its_size_limit() -> None:
    names = {f"highlight/{path.name}" for path in (STATIC / "highlight").iterdir()}
    assert set(modules().modules["highlight/index.js"]) == {
        "highlight/index.js",
        "styles/highlight.js",
        *names,
    }
    assert weight("highlight/index.js") <= MAX_BYTES


def test_colours_have_enough_contrast_on_every_background() -> None:
    source = (STATIC / "styles" / "highlight.js").read_text()
    pairs = re.findall(r'\["(#[0-9a-f]{6})", "(#[0-9a-f]{6})"\]', source)
    assert len(pairs) == 5
    light, dark = zip(*pairs, strict=True)
    for scheme, colours in (("light", light), ("dark", dark)):
        for ground in ("ground", "raised", "tint"):
            for colour in colours:
                assert contrast(colour, palettes()[scheme][ground]) >= 4.5, (scheme, colour, ground)
