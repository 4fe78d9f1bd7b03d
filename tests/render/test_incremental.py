"""However an answer is cut, the same elements stand there at every prefix, and in the end those of the whole."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.markdown.references import installed
from tests.support.node import find

SEED = int(os.environ.get("MARKDOWN_SEED", "1"))
CASES = int(os.environ.get("MARKDOWN_DRAWN", "400"))
Run = Callable[..., Any]


def examples() -> list[str]:
    """The examples of the specification."""
    program = 'import spec from "commonmark-spec"; console.log(JSON.stringify(spec.tests.map((one) => one.markdown)))'
    command = [*find().node, "--input-type=module", "-e", program]
    said = subprocess.run(
        command, cwd=installed().parent, capture_output=True, text=True, check=True, timeout=60
    )
    return [text.replace("→", "\t") for text in json.loads(said.stdout)]


def test_every_example_of_the_specification(run: Run) -> None:
    texts = examples()
    assert len(texts) == 652
    assert run("incremental.mjs", "breaches", texts) == []


def test_generated_texts(run: Run) -> None:
    print(f"MARKDOWN_SEED={SEED}")
    assert run("incremental.mjs", "generated", SEED, CASES) == []


def test_long_texts_in_large_pieces(run: Run) -> None:
    assert run("incremental.mjs", "long", SEED, 12) == []


def test_the_law_can_be_broken(run: Run) -> None:
    assert run("incremental.mjs", "broken") != []


@pytest.mark.parametrize("name", ["lone surrogates", "controls", "an endless fence", "an endless line"])
def test_bad_input(run: Run, name: str) -> None:
    assert run("incremental.mjs", "bad", name) is None


def test_what_stands_above_the_end_is_never_touched(run: Run) -> None:
    assert run("incremental.mjs", "touched") == []


def test_elements_stand_no_deeper_than_a_browser_bears(run: Run) -> None:
    depths = run("incremental.mjs", "depths")
    assert len(depths) > 5
    assert all(3 < depth < 90 for depth in depths.values()), depths
