"""Take screenshots of the page: `python -m tests.shots [--out FOLDER] [--only NAME …]`.

It starts the servers it needs. It fails on errors in the browser's console other than those a state
provokes, on errors of the page, when a page can be pushed sideways, and on what axe-core finds.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser.chat import DARK, DESK, PHONE, Watch
from tests.shots.attachments import PICTURED
from tests.shots.documents import DOCUMENTS
from tests.shots.reading import READING
from tests.shots.scenes import SCENES, Stage
from tests.shots.stored import KEPT
from tests.support.axe import findings
from tests.support.chromium import launch
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server

DEVICES = {
    "desk": DESK,
    "phone": PHONE,
    "dark": DARK,
    "phone-dark": PHONE | {"color_scheme": "dark"},
    "zoom": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},  # 1280 by 800 at 200 %
    "rtl": DESK,
    "narrow": {"viewport": {"width": 320, "height": 568}, "device_scale_factor": 2, "has_touch": True},
    "forced": DESK | {"forced_colors": "active"},
}
RTL = 'new MutationObserver(() => document.documentElement?.setAttribute("dir", "rtl")).observe(document, {childList: true})'
ALL = SCENES | KEPT | PICTURED | DOCUMENTS | READING
STARTERS = (
    "What can I ask here?",
    "Summarise a report that I paste in",
    "Draft a reply to a customer whose order has been on its way for two weeks, without promising anything",
    "كيف أكتب رسالة شكر قصيرة؟",
)
ELSEWHERE = {"FRESHET_HOST": "0.0.0.0"}


@contextmanager
def stages(folder: Path) -> Iterator[partial[Stage]]:
    """Start the servers of all scenes; the tab is opened later."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        provider = stack.enter_context(FakeProvider())
        real = {
            "OPENAI_API_KEY": "sk-shots",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "FRESHET_MODEL": "gpt-4.1",
            "FRESHET_STARTERS": "|".join(STARTERS),
        }
        guard = {"FRESHET_ACCESS_PASSWORD": "open the gates", "SECRET_KEY": "for pictures only"}
        settings = {"real": real, "demo": {}, "guarded": real | guard | ELSEWHERE, "locked": real | ELSEWHERE}
        urls = {name: stack.enter_context(Server(env)).url for name, env in settings.items()}
        yield partial(Stage, provider=provider, **urls)


def take(browser: Browser, stage: partial[Stage], device: str, scene: str, folder: Path) -> list[str]:
    """Take one screenshot; return the problems found on the page."""
    watch, wrong = Watch(), []
    context = browser.new_context(**{"service_workers": "block"} | DEVICES[device])
    if device == "rtl":
        context.add_init_script(RTL)
    try:
        chat = ALL[scene](stage(context=context, watch=watch))
        chat.page.screenshot(path=folder / f"{scene}-{device}.png", animations="disabled")
        if chat.overflows():
            wrong.append("it can be pushed sideways")
        wrong += findings(chat.page)
        watch.check()
    except (AssertionError, PlaywrightError) as error:
        wrong.append(str(error))
    finally:
        context.close()
        stage.keywords["provider"].play(Answer())
        stage.keywords["provider"].hang_up()
    return wrong


def main() -> int:
    """Take all screenshots; print the problems found."""
    parser = argparse.ArgumentParser(prog="python -m tests.shots", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".cache/shots"), help="folder of the pictures")
    parser.add_argument("--only", nargs="*", choices=sorted(ALL), help="only these states")
    options = parser.parse_args()
    failures = 0
    with stages(options.out) as stage, sync_playwright() as playwright:
        browser = launch(playwright)
        for scene in options.only or ALL:
            for device in DEVICES:
                wrong = take(browser, stage, device, scene, options.out)
                failures += bool(wrong)
                print(f"{scene}-{device}.png", "; ".join(wrong) or "ok", flush=True)
        browser.close()
    print(f"pictures in {options.out}/" + (f", {failures} with faults" if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
