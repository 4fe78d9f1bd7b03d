"""What axe-core finds wrong with a page: WCAG 2 A to 2.2 AA, and its best practice.

It is installed by npm, in one exact version, into `.cache/`.
"""

from pathlib import Path

from playwright.sync_api import Page

from tests.support.node import find, install

VERSION = "4.11.0"
HOME = Path(__file__).resolve().parents[2] / ".cache" / f"axe-core-{VERSION}"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (tags) => {
    const found = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
    return found.violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ target, any }) => `${id}: ${help}: ${target.flat().join(" ")} ${any.map((one) => one.message).join("; ")}`));
}"""


def source() -> str:
    """Return the library, installing it first where it is missing."""
    script = HOME / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        install(find(), HOME, f"axe-core@{VERSION}")
    return script.read_text("utf-8")


def findings(page: Page) -> list[str]:
    """Return the violations on a page as it is now, shadow trees included."""
    page.evaluate(source())
    found = page.evaluate(_RUN, TAGS)
    assert isinstance(found, list)
    return found
