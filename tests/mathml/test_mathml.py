"""The page's formulas: the TeX parser, and the layout in a browser."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.bare import bare
from tests.support.node import find
from tests.support.served import modules, weight
from tests.support.typescript import STATIC

HERE = Path(__file__).parent
# Minified and compressed.
MAX_BYTES = 10_000

HELPERS = """async () => {
  const { toMathml } = await import("/static/mathml/index.js");
  window.put = (tex, display = true) => {
    const formula = toMathml(tex, { display });
    document.body.replaceChildren(formula);
    return formula;
  };
  // The boxes of the selected elements, as [left, top, right, bottom].
  window.boxes = (selector) => [...document.querySelectorAll(selector)].map((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return [left, top, right, bottom];
  });
}"""


def test_the_parser_under_node(tmp_path: Path) -> None:
    shutil.copytree(STATIC / "mathml", tmp_path / "static" / "mathml")
    shutil.copy(HERE / "parser.test.mjs", tmp_path)
    (tmp_path / "package.json").write_text(json.dumps({"type": "module"}))
    command = [*find().node, "--test", "--test-reporter=tap", "parser.test.mjs"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, (result.stdout + result.stderr)[-10_000:]
    assert "# pass 7" in result.stdout
    assert "# skipped 0" in result.stdout


def test_formulas_stay_below_their_size_limit() -> None:
    names = {f"mathml/{path.name}" for path in (STATIC / "mathml").iterdir()}
    assert set(modules().modules["mathml/index.js"]) == {"mathml/index.js", *names}
    assert weight("mathml/index.js") <= MAX_BYTES


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with bare(browser) as opened:
        opened.evaluate(HELPERS)
        yield opened


def boxes(page: Page, tex: str, selector: str, display: bool = True) -> list[Any]:
    page.evaluate("([tex, display]) => { put(tex, display); }", [tex, display])
    found: list[Any] = page.evaluate("(selector) => boxes(selector)", selector)
    return found


def test_a_numerator_is_above_its_denominator(page: Page) -> None:
    (top, below) = boxes(page, r"\frac{a+b}{c}", "mfrac > *")
    assert top[3] <= below[1] + 1
    assert abs((top[0] + top[2]) - (below[0] + below[2])) < 2, "both are centred"


def test_scripts_are_beside_their_base(page: Page) -> None:
    base, sub, sup = boxes(page, "x_1^2", "msubsup > *")
    assert base[2] <= sub[0] + 1
    assert base[2] <= sup[0] + 1
    assert sup[1] < base[1] < sub[1]


def test_limits_are_above_and_below_only_in_display_style(page: Page) -> None:
    sign, below, above = boxes(page, r"\sum_{i=1}^n", "munderover > *")
    assert above[3] <= sign[1] + 1
    assert below[1] >= sign[3] - 1
    sign, below, above = boxes(page, r"\sum_{i=1}^n", "munderover > *", display=False)
    assert min(below[0], above[0]) >= sign[2] - 1


def test_a_matrix_is_a_grid(page: Page) -> None:
    a, b, c, d = boxes(page, r"\begin{pmatrix}a&b\\c&d\end{pmatrix}", "mtd")
    assert a[1] == b[1] < c[1] == d[1]
    assert a[0] == c[0] < b[0] == d[0]
    wide, narrow = boxes(page, r"\begin{matrix}a+b+c\\d\end{matrix}", "mtd > *")
    assert wide[0] + wide[2] == pytest.approx(narrow[0] + narrow[2], abs=1), "cells are centred"


def test_lines_are_aligned_at_their_sign(page: Page) -> None:
    first, second = boxes(
        page, r"\begin{aligned}a+b&=c\\d&=e+f\end{aligned}", "mtr > mtd:nth-child(2) mo:first-child"
    )
    assert first[0] == pytest.approx(second[0], abs=0.5)
    wide, narrow = boxes(page, r"\begin{aligned}a+b&=c\\d&=e+f\end{aligned}", "mtd:first-child > *")
    assert wide[2] == pytest.approx(narrow[2], abs=0.5)
    assert narrow[0] > wide[0] + 5
    wide, narrow = boxes(page, r"\begin{cases}a+b\\c\end{cases}", "mtd > *")
    assert wide[0] == pytest.approx(narrow[0], abs=0.5)


def test_lines_and_boxes_are_drawn(page: Page) -> None:
    for tex, side in ((r"\overline{AB}", "top"), (r"\underline{AB}", "bottom"), (r"\boxed{x}", "left")):
        page.evaluate("(tex) => { put(tex); }", tex)
        width = f"getComputedStyle(document.querySelector('math [style]')).border{side.capitalize()}Width"
        assert page.evaluate(width) == "1px"


BORDERS = """() => [...document.querySelectorAll("mtd")].map((cell) => {
  const style = getComputedStyle(cell);
  return ["Top", "Right", "Bottom", "Left"].filter((side) => style[`border${side}Width`] === "1px").join(" ");
})"""


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (
            r"\left[\begin{array}{cc|c} 1 & 2 & 3 \\ 4 & 5 & 6 \end{array}\right]",
            ["", "", "Left", "", "", "Left"],
        ),
        (r"\begin{array}{c|c} p & q \\ \hline 1 & 0 \end{array}", ["", "Left", "Top", "Top Left"]),
        (
            r"\begin{array}{|c||c|} \hline 1 & 2 \\ \hline \end{array}",
            ["Top Bottom Left", "Top Right Bottom Left"],
        ),
        (r"\begin{pmatrix} 1 \\ \hline\hline 2 \\ \hline \end{pmatrix}", ["", "Top Bottom"]),
        (r"\begin{array}{cc} 1 & 2 \end{array}", ["", ""]),
    ],
)
def test_n29_lines_of_arrays_are_drawn(page: Page, tex: str, expected: list[str]) -> None:
    page.evaluate("(tex) => { put(tex); }", tex)
    assert page.evaluate(BORDERS) == expected


def test_n29_lines_of_arrays_are_not_interrupted(page: Page) -> None:
    one, _, three, four = boxes(page, r"\begin{array}{c|c} a \\ \hline \frac{a}{b} & c \end{array}", "mtd")
    assert one[3] == three[1], "no gap between the rows"
    assert three[2] == four[0], "nor between the columns"


def test_a_formula_has_its_source_as_an_annotation(page: Page) -> None:
    tex = r"\frac{a}{b} < c"
    found = page.evaluate(
        """(tex) => {
          const formula = put(tex);
          const note = formula.querySelector("semantics > annotation");
          const namespaces = new Set([formula, ...formula.querySelectorAll("*")].map(({ namespaceURI }) => namespaceURI));
          return [note.getAttribute("encoding"), note.textContent, note.getBoundingClientRect().width, [...namespaces]];
        }""",
        tex,
    )
    assert found == ["application/x-tex", tex, 0, ["http://www.w3.org/1998/Math/MathML"]]


def test_an_unsupported_formula_is_no_element(page: Page) -> None:
    script = "async (tex) => (await import('/static/mathml/index.js')).toMathml(tex) === null"
    assert page.evaluate(script, r"\unheardof{x}")
    assert page.evaluate(script, r"\href{javascript:alert(1)}{x}")


def test_a_formula_has_the_accessibility_roles_of_mathematics(page: Page) -> None:
    page.evaluate(r"() => { put('\\frac{a}{b}'); }")
    session = page.context.new_cdp_session(page)
    roles = {
        node.get("role", {}).get("value") for node in session.send("Accessibility.getFullAXTree")["nodes"]
    }
    assert {"MathMLMath", "MathMLFraction", "MathMLIdentifier"} <= roles, roles


@pytest.mark.parametrize(
    "piece", [r"\frac{%s}{x}", r"\sqrt{%s}", r"x^{%s}", r"\left(%s\right)", r"\begin{pmatrix}%s\end{pmatrix}"]
)
def test_the_deepest_formula_is_laid_out_within_half_a_second(page: Page, piece: str) -> None:
    tex = "x"
    for _ in range(9):
        tex = piece % tex
    took = page.evaluate(
        """(tex) => {
          let least = Infinity;  // other load on the machine only adds to it
          for (let round = 0; round < 5 && least >= 500; round += 1) {
            const start = performance.now();
            put(tex).getBoundingClientRect();
            least = Math.min(least, performance.now() - start);
          }
          return least;
        }""",
        tex,
    )
    assert took < 500
