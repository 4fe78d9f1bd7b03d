"""The lexer of the page's code blocks: beside Pygments, under hostile text, and how small it is."""

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
# As served.
CEILING_BYTES = 8_000
AGREEMENT = 0.95


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules, the programs and the fixtures in one folder that says it holds ES modules."""
    folder = tmp_path_factory.mktemp("highlight")
    shutil.copytree(STATIC / "highlight", folder / "static" / "highlight")
    shutil.copytree(HERE / "fixtures", folder / "fixtures")
    for program in HERE.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    return folder


@pytest.fixture(scope="session")
def ours(workshop: Path) -> dict[str, list[tuple[int, int, str]]]:
    """What the page's lexer says of each fixture."""
    command = [*find().node, "classes.mjs"]
    said = subprocess.run(command, cwd=workshop, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", FIXTURES)
def test_most_characters_have_the_class_that_pygments_gives_them(
    ours: dict[str, list[tuple[int, int, str]]], name: str
) -> None:
    text = (HERE / "fixtures" / f"{name}.txt").read_text()
    assert text.isascii() or max(map(ord, text)) < 0x10000, "offsets are counted in UTF-16"
    mine = [kind for start, end, kind in ours[name] for _ in range(start, end)]
    theirs = classes(text, name)
    assert len(mine) == len(theirs) == len(text)
    seen = [at for at, character in enumerate(text) if not character.isspace()]
    same = sum(mine[at] == theirs[at] for at in seen)
    print(f"{name}: {same / len(seen):.2%}")
    assert same / len(seen) >= AGREEMENT


def test_every_class_occurs_on_both_sides(ours: dict[str, list[tuple[int, int, str]]]) -> None:
    """Agreement means little where everything is plain."""
    all_kinds = {"comment", "string", "number", "keyword", "name", "plain"}
    theirs = {
        kind for name in FIXTURES for kind in classes((HERE / f"fixtures/{name}.txt").read_text(), name)
    }
    assert {kind for pieces in ours.values() for _, _, kind in pieces} == theirs == all_kinds
    for name in FIXTURES:
        kinds = [kind for start, end, kind in ours[name] for _ in range(start, end)]
        assert kinds.count("plain") < 0.8 * len(kinds), name


def test_the_laws_of_the_lexer(workshop: Path) -> None:
    command = [*find().node, "--test", "--test-reporter=tap", "lexer.test.mjs"]
    result = subprocess.run(command, cwd=workshop, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, (result.stdout + result.stderr)[-10_000:]
    assert "# pass 9" in result.stdout
    assert "# skipped 0" in result.stdout


def test_all_of_highlighting_is_small() -> None:
    names = {f"highlight/{path.name}" for path in (STATIC / "highlight").iterdir()}
    assert set(modules().holds["highlight/index.js"]) == {"highlight/index.js", "styles/highlight.js", *names}
    assert weight("highlight/index.js") <= CEILING_BYTES


def test_colours_can_be_read_on_every_ground() -> None:
    source = (STATIC / "styles" / "highlight.js").read_text()
    pairs = re.findall(r'\["(#[0-9a-f]{6})", "(#[0-9a-f]{6})"\]', source)
    assert len(pairs) == 5
    light, dark = zip(*pairs, strict=True)
    for scheme, colours in (("light", light), ("dark", dark)):
        for ground in ("ground", "raised", "tint"):
            for colour in colours:
                assert contrast(colour, palettes()[scheme][ground]) >= 4.5, (scheme, colour, ground)
