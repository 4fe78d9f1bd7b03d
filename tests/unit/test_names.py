"""One name, one thing: no two public classes of the product share a name, in Python and JavaScript together."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def python_classes(source: str) -> list[str]:
    """Return the names of a module's public classes."""
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def javascript_classes(source: str) -> list[str]:
    """Return the names of a module's exported classes."""
    return [found[1] for found in re.finditer(r"^export class (\w+)", source, re.M)]


def repeated(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand in more than one place."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, place in places:
        found[name].append(place)
    return {name: where for name, where in found.items() if len(where) > 1}


def all_classes() -> list[tuple[str, str]]:
    modules = [(path, python_classes) for path in sorted((ROOT / "webapp").rglob("*.py"))]
    modules += [(path, javascript_classes) for path in sorted((ROOT / "static").rglob("*.js"))]
    return [
        (name, str(path.relative_to(ROOT))) for path, classes in modules for name in classes(path.read_text())
    ]


def test_no_two_public_classes_share_a_name() -> None:
    assert len(all_classes()) > 200
    assert repeated(all_classes()) == {}


@pytest.mark.parametrize(
    ("source", "classes", "expected"),
    [
        ("class One:\n    class Inner: ...\nclass _Two: ...", python_classes, ["One"]),
        ("export class One {\n}\nclass Two {}", javascript_classes, ["One"]),
    ],
)
def test_public_classes_are_found(source: str, classes: object, expected: list[str]) -> None:
    assert classes(source) == expected  # type: ignore[operator]


def test_a_repeated_name_is_found() -> None:
    assert repeated([("Log", "a.py"), ("Log", "b.js"), ("Run", "c.py")]) == {"Log": ["a.py", "b.js"]}
