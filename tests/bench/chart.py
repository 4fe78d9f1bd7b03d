"""Draws the chart for the README: bars of CPU time per delta, as an SVG that is readable in light and dark."""

from html import escape

from tests.bench.plan import (
    CALM,
    FAST,
    FRESHET,
    FRESHET_TLS,
    FRESHET_WS,
    MANY,
    NGINX,
    PLAIN,
    STARLETTE,
    Contender,
    Work,
)
from tests.bench.report import Setting
from tests.bench.rounds import Results

_WIDTH = 760
_LABELS = 236
_BARS = 400
_STEP = 24
_ORDER = (NGINX, FRESHET, FRESHET_WS, FRESHET_TLS, STARLETTE, PLAIN)
_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #3d4654 }
.title { font-size: 16px; font-weight: 600; fill: #10151f }
.work { font-weight: 600; fill: #10151f }
.small { font-size: 11.5px; fill: #667085 }
.value { font-variant-numeric: tabular-nums }
.ours { font-weight: 600; fill: #10151f }
.peer { fill: #b8c1cf } .freshet { fill: #0d8f86 } .ground { fill: #ffffff; stroke: #dfe4ec }
@media (prefers-color-scheme: dark) {
  text { fill: #b7c0ce } .title, .work, .ours { fill: #eef2f8 } .small { fill: #8b96a8 }
  .peer { fill: #4b5668 } .freshet { fill: #2cc4b6 } .ground { fill: #12161e; stroke: #2a3240 }
}
"""


def draw(results: Results, setting: Setting) -> str:
    """Return the SVG: one group of bars per workload, all on one scale."""
    groups = [(work, _values(results, work)) for work in (FAST, CALM, MANY)]
    groups = [(work, values) for work, values in groups if values]
    longest = max((value for _, values in groups for _, value in values), default=1.0)
    parts: list[str] = []
    y = 74
    for work, values in groups:
        parts.append(_text(24, y, f"{work.streams:,} streams × {work.rate} deltas a second", "work"))
        y += 12
        for contender, value in values:
            parts.append(_bar(y, contender, value, longest))
            y += _STEP
        y += 26
    height = y + 16
    heads = [
        _text(24, 30, "CPU time a delta, microseconds: less is better", "title"),
        _text(24, 49, "One server process on one core; user and system, median of the rounds", "small"),
        _text(24, height - 18, _foot(setting), "small"),
    ]
    return _page(height, [*heads, *parts])


def _values(results: Results, work: Work) -> list[tuple[Contender, float]]:
    medians = ((contender, results.median(work.name, contender.name, "cpu_us")) for contender in _ORDER)
    return [(contender, value) for contender, value in medians if value is not None]


def _bar(y: int, contender: Contender, value: float, longest: float) -> str:
    ours = contender in (FRESHET, FRESHET_TLS, FRESHET_WS)
    width = max(2.0, value / longest * _BARS)
    fill, weight = ("freshet", "ours") if ours else ("peer", "")
    return (
        _text(24, y + 14, contender.label, weight)
        + f'<rect class="{fill}" x="{_LABELS}" y="{y + 2}" width="{width:.1f}" height="16" rx="3"/>'
        + _text(_LABELS + width + 8, y + 14, f"{value:.1f}", f"value {weight}".strip())
    )


def _foot(setting: Setting) -> str:
    peers = ", ".join(
        f"{name} {setting.versions[name]}"
        for name in ("nginx", "starlette", "httpx")
        if name in setting.versions
    )
    return (
        f"{setting.machine['cpu']} · {peers} · {setting.rounds} rounds of {setting.seconds:g} s · make bench"
    )


def _text(x: float, y: float, words: str, kind: str) -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<text{marked} x="{x:g}" y="{y:g}">{escape(words)}</text>'


def _page(height: int, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-label="CPU time a delta of Freshet and its peers">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="ground" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="10"/>\n'
        f"{body}\n</svg>\n"
    )
