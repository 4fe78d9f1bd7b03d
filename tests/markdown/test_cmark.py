"""The parser compared with cmark-gfm."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.markdown.cmark_html import TreeHtml, render_with_cmark
from tests.support.node import find

SEED = int(os.environ.get("MARKDOWN_SEED", "1"))
# Examples on which cmark-gfm follows an older specification.
# 28: since CommonMark 0.29 a numeric reference of eight digits is none.
# 354: since 0.31 symbols like £ count as punctuation beside a delimiter.
OUTDATED = {28, 354}
# Checkboxes in nested lists, lists in an item that interrupted a paragraph, xmpp addresses: there, micromark decides.
MAX_DIFFERENT_RATIO = 0.15


def trees(node_folder: Path, **request: Any) -> list[tuple[str, dict[str, Any]]]:
    """Parse texts with the page's modules: those given, or generated ones."""
    command = [*find().node, "trees.mjs"]
    result = subprocess.run(
        command, cwd=node_folder, input=json.dumps(request), capture_output=True, text=True, timeout=100
    )
    assert result.returncode == 0, result.stderr
    parsed: list[tuple[str, dict[str, Any]]] = json.loads(result.stdout)
    return parsed


def test_examples_of_the_specification_match_except_where_cmark_is_outdated(node_folder: Path) -> None:
    spec = node_folder / "node_modules" / "commonmark-spec" / "index.js"
    program = f"console.log(JSON.stringify((await import({json.dumps(str(spec))})).default.tests))"
    command = [*find().node, "--input-type=module", "-e", program]
    examples = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    )
    texts = [example["markdown"].replace("→", "\t") for example in examples]
    different = {
        number
        for number, (text, tree) in enumerate(trees(node_folder, texts=texts), 1)
        if TreeHtml(tree).text != render_with_cmark(text)
    }
    assert different == OUTDATED


def test_most_generated_texts_match(node_folder: Path) -> None:
    print(f"MARKDOWN_SEED={SEED}")
    all_trees = trees(node_folder, seed=SEED, count=2000)
    different = [text for text, tree in all_trees if TreeHtml(tree).text != render_with_cmark(text)]
    assert len(different) < MAX_DIFFERENT_RATIO * len(all_trees), sorted(different, key=len)[:5]
