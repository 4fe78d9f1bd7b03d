"""Reports the figures: a table, the verdicts, a chart."""

import math
from dataclasses import dataclass

from tests.bench_page.measure import ANSWER, OURS, REPARSING, STREAMING, Results
from tests.support.served import renderer

MAX_BYTES = 26_250
COLOURS = {OURS: "#0b6a75", STREAMING: "#a06a00", REPARSING: "#8a4b9c"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One target, the measured value, and whether it is met."""

    target: str
    figure: str
    is_met: bool


def exponent(times: dict[int, float], low: int, high: int) -> float:
    """Return the exponent by which time grows between two sizes: 1 is linear, 2 is quadratic."""
    return math.log(times[high] / times[low]) / math.log(high / low)


def judge(results: Results) -> list[Verdict]:
    """Return the verdicts on all targets."""
    times = results.sizes
    verdicts = []

    def add(target: str, figure: float, most: float, unit: str = "") -> None:
        verdicts.append(
            Verdict(target=f"{target} ≤ {most:g}{unit}", figure=f"{figure:.3g}{unit}", is_met=figure <= most)
        )

    add("elements, of streaming-markdown", results.elements[OURS] / results.elements[STREAMING], 1.3, " ×")
    if 10 in times[OURS]:
        add("10 kB, of streaming-markdown", times[OURS][10] / times[STREAMING][10], 1.3, " ×")
    if 100 in times[OURS]:
        add("100 kB, of streaming-markdown", times[OURS][100] / times[STREAMING][100], 0.9, " ×")
        add("100 kB, of marked + DOMPurify", times[OURS][100] / times[REPARSING][100], 0.03, " ×")
    add("longest frame at 100 kB, four times slower", max(results.slowed_ms), 45, " ms")
    for kind, by_size in results.growth.items():
        low, high = min(by_size), max(by_size)
        limit = 1.1 if kind == ANSWER else 1.2
        add(f"growth of one {kind} from {low} to {high} kB, exponent", exponent(by_size, low, high), limit)
    add("characters that come back", results.returns, 0)
    add("parser, renderer and their CSS, gzip", sum(renderer().values()) / 1000, MAX_BYTES / 1000, " kB")
    return verdicts


def table(results: Results) -> str:
    """Return the figures as a Markdown table."""
    sizes = sorted(results.sizes[OURS])
    lines = [
        "| main thread, ms | " + " | ".join(f"{size} kB" for size in sizes) + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    for name, times in results.sizes.items():
        figures = [f"{times[size]:,.0f}" if size in times else "" for size in sizes]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return "\n".join(lines)


def chart(results: Results) -> str:
    """Return a chart of time over size, both axes logarithmic, as SVG."""
    sizes = sorted(results.sizes[OURS])
    all_times = [time for times in results.sizes.values() for time in times.values()]
    low, high = math.floor(math.log10(min(all_times))), math.ceil(math.log10(max(all_times)))

    def x(size: float) -> float:
        return 70 + 420 * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])

    def y(time: float) -> float:
        return 310 - 270 * (math.log10(time) - low) / (high - low)

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 360" font-family="sans-serif" font-size="12">',
        '<rect width="680" height="360" fill="#fcfcfb"/>',
        '<text x="70" y="22" font-size="14" font-weight="600">Main thread for an answer in 60-character frames</text>',
    ]
    for power in range(low, high + 1):
        at = y(10**power)
        label = f"{10**power / 1000:g} s" if power > 2 else f"{10**power} ms"
        parts.append(
            f'<path d="M70 {at:.1f}H490" stroke="#e1e5e4"/><text x="62" y="{at + 4:.1f}" text-anchor="end">{label}</text>'
        )
    parts += [f'<text x="{x(size):.1f}" y="330" text-anchor="middle">{size} kB</text>' for size in sizes]
    for name, times in results.sizes.items():
        points = " ".join(f"{x(size):.1f},{y(time):.1f}" for size, time in sorted(times.items()))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="2.5"/>')
        parts.append(f'<text x="500" y="{y(times[max(times)]) + 4:.1f}" fill="{COLOURS[name]}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])
