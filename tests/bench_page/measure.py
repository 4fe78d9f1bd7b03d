"""Play the texts in Chromium, rounds interleaved, and keep the least time of each: whatever else a machine does only adds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.bench_page.packages import ROOT, installed

ORIGIN = "http://bench.test"
OURS, STREAMING, REPARSING = "freshet", "streaming-markdown", "marked + DOMPurify"
SIZES_KB = (10, 50, 100, 200, 1000)
# Of the frames of a renderer that begins anew with each, so many are left out for each that is drawn.
SAMPLED = {10: 2, 50: 20, 100: 60, 200: 200, 1000: 4000}
# What can be squared, at a quarter of its size and whole, in thousands of characters.
EXTREMES = {
    "paragraph": (25, 100),
    "fence": (25, 100),
    "table": (22, 88),
    "list": (25, 100),
    "labels": (50, 200),
}
SLOWER = 4
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
STYLE = (
    ".scroller { height: 700px; overflow-y: auto } .flow { width: 34rem; margin: auto; font: var(--type) }"
)
DOCUMENT = (
    "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
    f"<link rel='stylesheet' href='/static/styles/tokens.css'><style>{STYLE}</style></head><body></body></html>"
)


@dataclass(slots=True)
class Results:
    """Milliseconds of main thread: by contender and size, by extreme and size; of each frame when slowed down."""

    sizes: dict[str, dict[int, float]] = field(default_factory=dict)
    extremes: dict[str, dict[int, float]] = field(default_factory=dict)
    slowed_ms: list[float] = field(default_factory=list)
    returns: int = 0


def _server(packages: dict[str, Path]) -> Any:
    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(f"{ORIGIN}/")
        name = path.removeprefix("packages/")
        file = packages.get(name) if name != path else ROOT / path
        if not path:
            route.fulfill(body=DOCUMENT, content_type="text/html; charset=utf-8")
        elif file is not None and file.is_file():
            route.fulfill(body=file.read_text(), content_type=f"{TYPES[file.suffix]}; charset=utf-8")
        else:
            route.fulfill(status=404)

    return serve


@contextmanager
def opened(browser: Browser) -> Iterator[Page]:
    """Open a page of its own for one measurement."""
    context = browser.new_context()
    try:
        context.route("**/*", _server(installed()))
        page = context.new_page()
        page.set_default_timeout(0)
        page.goto(f"{ORIGIN}/")
        yield page
    finally:
        context.close()


def play(browser: Browser, name: str, kind: str, size_kb: int, every: int = 1) -> float:
    """Return the milliseconds that one text took."""
    with opened(browser) as page:
        call = "async ([name, kind, size, options]) => (await import('/tests/bench_page/page.mjs')).play(name, kind, size, options)"
        page.evaluate(call, [name, kind, 3000, {}])  # warms up
        said = page.evaluate(call, [name, kind, size_kb * 1000, {"every": every}])
        return float(said["total_ms"])


def slowed(browser: Browser, size_kb: int) -> list[float]:
    """Return what each frame took with its layout and paint on a processor that is four times slower."""
    with opened(browser) as page:
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        call = "async (size) => (await import('/tests/bench_page/page.mjs')).frames(size)"
        return [float(took) for took in page.evaluate(call, size_kb * 1000)]


def still(browser: Browser) -> int:
    """Count the characters of the corpus that came back to what they had left."""
    with opened(browser) as page:
        found = page.evaluate("async () => (await import('/tests/render/stability.mjs')).corpus()")
        return sum(len(returned) for returned in found.values())


def measure(browser: Browser, rounds: int, sizes: tuple[int, ...]) -> Results:
    """Play everything."""
    results = Results()
    for turn in range(rounds):
        names = [OURS, STREAMING, REPARSING]
        for size in sizes:
            for name in names[turn % 3 :] + names[: turn % 3]:
                every = SAMPLED[size] if name == REPARSING else 1
                took = play(browser, name, "answer", size, every)
                known = results.sizes.setdefault(name, {})
                known[size] = min(took, known.get(size, took))
                print(f"round {turn + 1}: {size} kB, {name}: {took:.0f} ms", flush=True)
        for kind, (part, whole) in EXTREMES.items():
            for size in (part, whole):
                took = play(browser, OURS, kind, size)
                seen = results.extremes.setdefault(kind, {})
                seen[size] = min(took, seen.get(size, took))
                print(f"round {turn + 1}: {kind} of {size} kB: {took:.0f} ms", flush=True)
        took = slowed(browser, 100)
        results.slowed_ms = list(map(min, took, results.slowed_ms or took))
        print(f"round {turn + 1}: slowed down, longest frame: {max(took):.0f} ms", flush=True)
    results.returns = still(browser)
    return results
