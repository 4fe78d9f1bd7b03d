"""What is served of the page's modules is the same program as what is written."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest
import rjsmin

from tests.support.node import find
from tests.support.typescript import HOME, STATIC, compiler
from webapp.routes.assets import Assets

COMPARE = Path(__file__).with_name("same_program.cjs")


def different(pairs: list[tuple[str, str, str]]) -> list[str]:
    """Name the pairs whose two texts are not the same program."""
    node = find()
    compiler(node)  # brings the parser
    command = [*node.node, str(COMPARE), str(HOME / "node_modules" / "typescript")]
    result = subprocess.run(
        command, input=json.dumps(pairs), capture_output=True, text=True, timeout=120, check=True
    )
    names: list[str] = json.loads(result.stdout)
    return names


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Assets(STATIC).write(tmp_path_factory.mktemp("served"))


def test_every_module_is_served_as_the_program_it_is(served: Path) -> None:
    pairs = [
        (
            path.relative_to(STATIC).as_posix(),
            path.read_text("utf-8"),
            (served / path.relative_to(STATIC)).read_text("utf-8"),
        )
        for path in sorted(STATIC.rglob("*.js"))
    ]
    assert len(pairs) > 50
    assert different(pairs) == []


def test_the_comparison_sees_a_difference() -> None:
    one = "const a = /x y/; // said\nlet b = `p  ${a} q`;"
    assert different([("same", one, rjsmin.jsmin(one))]) == []
    for name, other in {
        "pattern": one.replace("/x y/", "/xy/"),
        "template": one.replace("  ", " "),
        "operator": one.replace("let", "const"),
        "broken": one.replace("/x y/", "/x y"),
    }.items():
        assert different([(name, one, other)]) == [name]


def test_a_module_goes_without_its_comments_and_compressed(served: Path) -> None:
    for path in (served / "page.js", served / "markdown" / "inline.js"):
        text = path.read_text("utf-8")
        assert "/**" not in text
        assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()).decode() == text


def test_what_is_no_module_is_served_as_it_is(served: Path) -> None:
    for name in ("styles/page.css", "icon.svg", "icons/192.png"):
        assert (served / name).read_bytes() == (STATIC / name).read_bytes()
