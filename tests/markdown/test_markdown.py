"""The Markdown parser of the page: its programs under Node's test runner, its entity table, its size."""

import subprocess
from pathlib import Path

import pytest

from tests.markdown import entities
from tests.support.node import find
from tests.support.served import renderer

HERE = Path(__file__).parent
PROGRAMS = sorted(path.name for path in HERE.glob("*.test.mjs"))
# The limit of the compressed files.
MAX_BYTES = 26_250


@pytest.mark.timeout(300)
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_passes(node_folder: Path, program: str) -> None:
    command = [*find().node, "--test", "--test-reporter=tap", program]
    result = subprocess.run(command, cwd=node_folder, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, (result.stdout + result.stderr)[-20_000:]
    counts = dict(
        line[2:].split(" ", 1)
        for line in result.stdout.splitlines()
        if line.startswith("# ") and " " in line[2:]
    )
    assert int(counts["pass"]) > 0
    assert (counts["fail"], counts["skipped"], counts["todo"]) == ("0", "0", "0")


def test_the_entity_table_is_up_to_date() -> None:
    source = entities.TARGET.read_text()
    one, two = entities.table()
    assert f"`{entities.literal(one)}`" in source
    assert f"`{entities.literal(two)}`" in source


def test_parser_renderer_and_style_stay_below_the_size_limit() -> None:
    sizes = renderer()
    assert {"render/index.js", "styles/answer.js"} <= sizes.keys()
    assert sum(sizes.values()) <= MAX_BYTES, sizes
