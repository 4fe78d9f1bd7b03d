"""Writes the report as text and JSON: a table of figures, a table of verdicts, and warnings."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.plan import CONTENDERS, Contender
from tests.bench.rounds import Results
from tests.bench.targets import Verdict

Columns = Sequence[tuple[str, str, str]]
"""Of a table: title, figure, and format of the figure."""

COLUMNS: Columns = (
    ("CPU µs/delta", "cpu_us", "{:.1f}"),
    ("core", "server_share", "{:.0%}"),
    ("p50 ms", "p50_ms", "{:.1f}"),
    ("p99 ms", "p99_ms", "{:.1f}"),
    ("first text ms", "first_text_ms", "{:.1f}"),
    ("bytes/delta", "bytes_per_delta", "{:.0f}"),
    ("KB/stream", "kb_per_stream", "{:.0f}"),
    ("lost", "lost", "{:.0f}"),
    ("failed", "failed", "{:.0f}"),
)
_SUMMED = ("lost", "repeated", "failed")
_BUSY_HELPERS = 0.8
_FOREIGN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Return the lines that say on which machine and how it was measured."""

    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    seconds: float
    pinned: bool


def figures_table(
    results: Results, contenders: Sequence[Contender] = CONTENDERS, columns: Columns = COLUMNS
) -> str:
    """Return the table of medians, a row for each workload and contender."""
    rows = [["work", "server", *(title for title, _, _ in columns)]]
    for work in _works(results):
        for contender in contenders:
            if (work, contender.name) in results.cells:
                figures = _row(results, work, contender.name, columns)
                rows.append([_work_title(results, work), contender.label, *figures])
    return aligned(rows)


def verdicts_table(verdicts: Sequence[Verdict]) -> str:
    """Return the table of targets."""
    rows = [["work", "target", "limit", "value", "verdict", ""]]
    for verdict in verdicts:
        value = "-" if verdict.value is None else f"{verdict.value:.2f}"
        rows.append([verdict.work, verdict.asks, f"≤ {verdict.limit:g}", value, verdict.word, verdict.note])
    return aligned(rows)


def cautions(results: Results, pinned: bool) -> list[str]:
    """Return warnings about the figures: a missing peer, a busy load or provider, other work on the core."""
    said = [f"{server} is missing: {reason}" for server, reason in results.missing.items()]
    if not pinned:
        said.append("this machine has one core: nothing is pinned, and load and provider disturb the server")
    for work, contender in results.cells:
        provider = results.median(work, contender, "provider_share")
        load = results.median(work, contender, "load_share")
        if provider is not None and load is not None and provider + load > _BUSY_HELPERS:
            said.append(
                f"{contender} at {work}: load ({load:.0%}) and provider ({provider:.0%}) fill their own core"
            )
        foreign = results.median(work, contender, "foreign_share")
        if foreign is not None and foreign > _FOREIGN:
            said.append(f"{contender} at {work}: others took {foreign:.0%} of the server's core")
    counted = Counter(failure[:160] for failure in results.failures)
    return said + [f"failure: {failure} ({count} times)" for failure, count in counted.most_common(12)]


def as_json(results: Results, verdicts: Sequence[Verdict], setting: Setting) -> str:
    """Write all results as JSON, with the figures of each round."""
    cells = [
        {
            "work": work,
            "contender": contender,
            "median": {name: _value(results, work, contender, name) for name in _names(measured[0])},
            "rounds": measured,
        }
        for (work, contender), measured in results.cells.items()
    ]
    return json.dumps(
        {
            "setting": asdict(setting),
            "works": {name: asdict(work) for name, work in results.works.items()},
            "cells": cells,
            "targets": [asdict(verdict) | {"verdict": verdict.word} for verdict in verdicts],
            "missing": results.missing,
            "failures": results.failures,
        },
        indent=1,
        ensure_ascii=False,
    )


def write(path: Path, text: str) -> None:
    """Write a file, creating its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _works(results: Results) -> list[str]:
    return list(dict.fromkeys(work for work, _ in results.cells))


def _work_title(results: Results, name: str) -> str:
    work = results.works.get(name)
    return f"{work.streams:,} × {work.rate}/s" if work else name


def _row(results: Results, work: str, contender: str, columns: Columns) -> list[str]:
    row = []
    for _, figure, form in columns:
        value = _value(results, work, contender, figure)
        row.append("" if value is None else form.format(value))
    return row


def _value(results: Results, work: str, contender: str, figure: str) -> float | None:
    if figure in _SUMMED:
        values = results.all(work, contender, figure)
        return sum(values) if values else None
    return results.median(work, contender, figure)


def _names(measured: dict[str, float]) -> list[str]:
    return [name for name, value in measured.items() if isinstance(value, int | float)]


def aligned(rows: list[list[str]]) -> str:
    """Return aligned rows: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() or cell in ("-", "") else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)
