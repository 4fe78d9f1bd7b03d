"""Plays the texts in Chromium, rounds interleaved; the minimum of each counts, because other work on the machine only adds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.bench_page.packages import ROOT, installed

ORIGIN = "http://bench.test"
OURS, STREAMING, REPARSING = "freshet", "streaming-markdown", "marked + DOMPurify"
SIZES_KB = (10, 50, 100, 200)
# Renderers that start over with each frame draw only every nth one.
SAMPLED = {10: 2, 50: 20, 100: 60, 200: 200}
# How the time grows with the length, in thousands of characters: of an answer, and of what can be squared. Only Freshet is
# measured: a longer text would take the others minutes, because the browser lays out all of their blocks at every frame.
ANSWER = "answer"
GROWTH = {
    ANSWER: (50, 1000),
    "paragraph": (25, 100),
    "fence": (25, 100),
    "table": (22, 88),
    "list": (25, 100),
    "labels": (50, 200),
}
SLOWER = 4
# A short text takes less time than other work on the machine may add, so it is played more often.
REPEATED = {10: 8, 50: 3}
# A round, for the same reason: each frame is shorter than what other work on the machine may add.
SLOWED_RUNS = 4
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
    """Milliseconds of main-thread time: by contender and size, by kind of text and size; per frame when throttled.

    `elements` counts those that show the first text, by contender: the comparison is fair only if they are about as many.
    """

    sizes: dict[str, dict[int, float]] = field(default_factory=dict)
    elements: dict[str, int] = field(default_factory=dict)
    growth: dict[str, dict[int, float]] = field(default_factory=dict)
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
    """Open a new page for one measurement."""
    context = browser.new_context()
    try:
        context.route("**/*", _server(installed()))
        page = context.new_page()
        page.set_default_timeout(0)
        page.goto(f"{ORIGIN}/")
        yield page
    finally:
        context.close()


def play(
    browser: Browser, name: str, kind: str, size_kb: int, *, every: int = 1, paints: bool = False
) -> tuple[float, int]:
    """Return the time that one text took, in milliseconds, and the number of elements that show it.

    With `paints` the page is painted now and then, so that all that a page does later is done too, highlighting for example,
    which the others do not do.
    """
    with opened(browser) as page:
        call = "async ([name, kind, size, options]) => (await import('/tests/bench_page/page.mjs')).play(name, kind, size, options)"
        page.evaluate(call, [name, kind, 3000, {}])  # warms up
        said = page.evaluate(call, [name, kind, size_kb * 1000, {"every": every, "paints": paints}])
        return float(said["total_ms"]), int(said["elements"])


def slowed(browser: Browser, size_kb: int) -> list[float]:
    """Return the time of each frame with layout and paint, in milliseconds, on a CPU throttled to a quarter."""
    with opened(browser) as page:
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        call = "async (size) => (await import('/tests/bench_page/page.mjs')).frames(size)"
        return [float(took) for took in page.evaluate(call, size_kb * 1000)]


def still(browser: Browser) -> int:
    """Return how many characters of the corpus flickered: their style changed and changed back."""
    with opened(browser) as page:
        found = page.evaluate("async () => (await import('/tests/render/stability.mjs')).corpus()")
        return sum(len(returned) for returned in found.values())


def _measure_size(browser: Browser, results: Results, size: int, names: list[str]) -> None:
    """Play one text to all contenders, by turns: the machine's speed changes within seconds."""
    for attempt in range(REPEATED.get(size, 1)):
        for name in names if attempt == 0 else (OURS, STREAMING):
            every = SAMPLED[size] if name == REPARSING else 1
            took, elements = play(browser, name, ANSWER, size, every=every)
            known = results.sizes.setdefault(name, {})
            known[size] = min(took, known.get(size, took))
            results.elements.setdefault(name, elements)


def measure(browser: Browser, rounds: int, sizes: tuple[int, ...]) -> Results:
    """Measure everything."""
    results = Results()
    for turn in range(rounds):
        names = [OURS, STREAMING, REPARSING]
        for size in sizes:
            _measure_size(browser, results, size, names[turn % 3 :] + names[: turn % 3])
            took = ", ".join(f"{name}: {results.sizes[name][size]:.0f} ms" for name in names)
            print(f"after round {turn + 1}: {size} kB, {took}", flush=True)
        for kind, (part, whole) in GROWTH.items():
            for size in (part, whole):
                took, _ = play(browser, OURS, kind, size, paints=True)
                seen = results.growth.setdefault(kind, {})
                seen[size] = min(took, seen.get(size, took))
                print(f"round {turn + 1}: {kind} of {size} kB: {took:.0f} ms", flush=True)
        for _ in range(SLOWED_RUNS):
            frames = slowed(browser, 100)
            results.slowed_ms = list(map(min, frames, results.slowed_ms or frames))
            print(f"round {turn + 1}: slowed down, longest frame: {max(frames):.0f} ms", flush=True)
    results.returns = still(browser)
    return results
