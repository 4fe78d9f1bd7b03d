"""However an answer is cut, the elements at every prefix are the same, and at the end they are those of the complete text."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.markdown.reference_parsers import install_packages
from tests.support.node import find

SEED = int(os.environ.get("MARKDOWN_SEED", "1"))
CASES = int(os.environ.get("MARKDOWN_DRAWN", "400"))
Run = Callable[..., Any]


def examples() -> list[str]:
    """Return the examples of the specification."""
    program = 'import spec from "commonmark-spec"; console.log(JSON.stringify(spec.tests.map((one) => one.markdown)))'
    command = [*find().node, "--input-type=module", "-e", program]
    printed = subprocess.run(
        command, cwd=install_packages().parent, capture_output=True, text=True, check=True, timeout=60
    )
    return [text.replace("→", "\t") for text in json.loads(printed.stdout)]


def test_the_examples_of_the_specification_do_not_depend_on_the_pieces(run: Run) -> None:
    texts = examples()
    assert len(texts) == 652
    assert run("incremental.mjs", "mismatches", texts) == []


def test_generated_texts_do_not_depend_on_the_pieces(run: Run) -> None:
    print(f"MARKDOWN_SEED={SEED}")
    assert run("incremental.mjs", "generated", SEED, CASES) == []


def test_long_texts_do_not_depend_on_the_pieces(run: Run) -> None:
    assert run("incremental.mjs", "long", SEED, 12) == []


def test_the_check_notices_a_lost_piece(run: Run) -> None:
    assert run("incremental.mjs", "broken") != []


@pytest.mark.parametrize("name", ["lone surrogates", "controls", "an endless fence", "an endless line"])
def test_bad_input_does_not_depend_on_the_pieces(run: Run, name: str) -> None:
    assert run("incremental.mjs", "bad", name) is None


def test_blocks_before_the_last_are_never_replaced(run: Run) -> None:
    assert run("incremental.mjs", "touched") == []


def test_the_nesting_of_elements_is_bounded(run: Run) -> None:
    depths = run("incremental.mjs", "depths")
    assert len(depths) > 5
    assert all(3 < depth < 90 for depth in depths.values()), depths


@pytest.mark.parametrize("begun", ["<details>", "<details open>\n<summ", "<details>\n<details>\n\t<summary"])
def test_details_are_shown_once_their_summary_begins(run: Run, begun: str) -> None:
    assert run("incremental.mjs", "shown", f"a\n\n{begun}") == run("incremental.mjs", "shown", "a\n\n<")
    summary = begun[: begun.rfind("<summ")] if "<summ" in begun else begun
    assert "<summary></summary>" in run("incremental.mjs", "shown", f"a\n\n{summary}<summary>")


def test_details_without_a_summary_are_shown_when_their_block_is_complete(run: Run) -> None:
    assert '<details><p dir="auto">b</p></details>' in run("incremental.mjs", "shown", "<details>\n\nb")


def test_of_hundreds_of_undefined_links_the_last_become_text_after_the_end(run: Run) -> None:
    links, left, is_text = run("incremental.mjs", "undefinedLinks", 300)
    assert links == 300
    assert 0 < left < links, "no frame takes long"
    assert is_text
