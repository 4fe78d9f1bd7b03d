"""The Markdown parser of the page, under Node's own test runner and beside its witnesses."""

import subprocess
from pathlib import Path

import pytest

from tests.markdown import entities
from tests.support.node import find
from tests.support.served import renderer

HERE = Path(__file__).parent
PROGRAMS = sorted(path.name for path in HERE.glob("*.test.mjs"))
# As served.
CEILING_BYTES = 25_000


@pytest.mark.timeout(300)
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(workshop: Path, program: str) -> None:
    command = [*find().node, "--test", "--test-reporter=tap", program]
    result = subprocess.run(command, cwd=workshop, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, (result.stdout + result.stderr)[-20_000:]
    counts = dict(
        line[2:].split(" ", 1)
        for line in result.stdout.splitlines()
        if line.startswith("# ") and " " in line[2:]
    )
    assert int(counts["pass"]) > 0
    assert (counts["fail"], counts["skipped"], counts["todo"]) == ("0", "0", "0")


def test_the_table_of_names_is_the_one_that_is_written() -> None:
    source = entities.TARGET.read_text()
    one, two = entities.table()
    assert f"`{entities.literal(one)}`" in source
    assert f"`{entities.literal(two)}`" in source


def test_parser_renderer_and_style_are_small() -> None:
    sizes = renderer()
    assert {"render/index.js", "styles/answer.js"} <= sizes.keys()
    assert sum(sizes.values()) <= CEILING_BYTES, sizes
