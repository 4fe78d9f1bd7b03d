"""The parser beside its second witness, cmark-gfm."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.markdown.second_parser import Written, said
from tests.support.node import find

SEED = int(os.environ.get("MARKDOWN_SEED", "1"))
# 28: a number beyond Unicode's, with eight digits, is no reference since CommonMark 0.29.
# 354: since 0.31 signs like £ count as punctuation beside a delimiter.
OLDER = {28, 354}
# Boxes within lists within lists, lists within an item that interrupted a text, messengers' addresses: the first
# witness decides there.
MOST_DIFFERENT = 0.15


def trees(workshop: Path, **asked: Any) -> list[tuple[str, dict[str, Any]]]:
    """Parse texts by the page's modules."""
    command = [*find().node, "trees.mjs"]
    result = subprocess.run(
        command, cwd=workshop, input=json.dumps(asked), capture_output=True, text=True, timeout=100
    )
    assert result.returncode == 0, result.stderr
    found: list[tuple[str, dict[str, Any]]] = json.loads(result.stdout)
    return found


def test_every_example_of_the_specification(workshop: Path) -> None:
    spec = workshop / "node_modules" / "commonmark-spec" / "index.js"
    program = f"console.log(JSON.stringify((await import({json.dumps(str(spec))})).default.tests))"
    command = [*find().node, "--input-type=module", "-e", program]
    examples = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    )
    texts = [example["markdown"].replace("→", "\t") for example in examples]
    different = {
        number
        for number, (text, tree) in enumerate(trees(workshop, texts=texts), 1)
        if Written(tree).text != said(text)
    }
    assert different == OLDER


def test_generated_texts(workshop: Path) -> None:
    print(f"MARKDOWN_SEED={SEED}")
    all_trees = trees(workshop, seed=SEED, count=2000)
    different = [text for text, tree in all_trees if Written(tree).text != said(text)]
    assert len(different) < MOST_DIFFERENT * len(all_trees), sorted(different, key=len)[:5]
