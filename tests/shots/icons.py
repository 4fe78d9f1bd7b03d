"""The installed icons, drawn from `static/icon.svg`: `python -m tests.shots.icons`."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.chromium import launch

STATIC = Path(__file__).resolve().parents[2] / "static"
# Masks cut up to a tenth of the edge away (https://www.w3.org/TR/appmanifest/#icon-masks): those get a full ground.
SIZES = {"192": (192, False), "512": (512, False), "maskable": (512, True), "touch": (180, True)}


def main() -> None:
    """Draw each size."""
    svg = (STATIC / "icon.svg").read_text()
    (STATIC / "icons").mkdir(exist_ok=True)
    with sync_playwright() as playwright, launch(playwright) as browser:
        for name, (size, full) in SIZES.items():
            drawn = svg.replace('rx="8"', "").replace(
                "<path ", '<path transform="translate(3.2 3.2) scale(.8)" '
            )
            page = browser.new_page(viewport={"width": size, "height": size})
            style = f"<style>body{{margin:0}}svg{{display:block;width:{size}px}}</style>"
            page.set_content(style + (drawn if full else svg))
            page.screenshot(path=STATIC / "icons" / f"{name}.png", omit_background=True)
            page.close()


if __name__ == "__main__":
    main()
