"""The linter's rules find what they are for."""

import pytest

from tests.support.eslint import lint_text

MISTAKES = {
    "eqeqeq": "export const same = (a, b) => a == b;",
    "no-unused-vars": "const left = 1;\nexport {};",
    "no-eval": "export const run = (text) => eval(text);",
    "no-restricted-syntax": "export const show = (node, text) => {\n  node.innerHTML = text;\n};",
    "no-console": "console.log(1);",
}


@pytest.mark.parametrize("rule", MISTAKES)
def test_a_mistake_is_found(rule: str) -> None:
    result = lint_text(f"{MISTAKES[rule]}\n", "static/mistake.js")
    assert result.returncode == 1
    assert rule in result.stdout


def test_correct_code_passes() -> None:
    assert lint_text("export const same = (a, b) => a === b;\n", "static/correct.js").returncode == 0
