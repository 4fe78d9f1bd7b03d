"""`make bench-search`: measure, print tables of figures and verdicts, write JSON; exits with 1 if a target is missed."""

import argparse
import json
import sys
from pathlib import Path

from tests.bench_search import corpus, questions
from tests.bench_search.corpus import HOME, PACKAGES, shuffled
from tests.bench_search.filled import Filled, databases
from tests.bench_search.finding import Plain, Search, figure, measure
from tests.bench_search.questions import Question
from tests.bench_search.speed import hold_up, times_ms
from tests.bench_search.targets import LIKE, PASSAGES, WHOLE, Results, as_json, judge, table
from webapp.documents.formats import Format
from webapp.documents.plain import read_plain
from webapp.search.passages import split_passages

Passages = dict[str, list[tuple[int, str]]]


def main() -> int:
    """Run the benchmark and return the exit code."""
    asked = _arguments()
    folders = corpus.fetched()
    texts = corpus.load(folders)
    passages = {name: _split(name, text) for name, text in texts.items()}
    all_questions = questions.load()
    wrong = questions.faults(all_questions, passages, texts)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    results = Results(passages=sum(map(len, passages.values())), questions=len(all_questions))
    plain = Plain(passages)
    _find(results, LIKE, plain.like, all_questions, texts)
    _find(results, WHOLE, plain.whole_documents, all_questions, texts)
    with databases() as all_filled:
        for kind in asked.only:
            print(f"{kind}: real text", flush=True)
            filled = all_filled[kind]
            results.taken[kind] = filled.ingest(folders)
            with filled.opened() as opened:
                _find(results, kind, opened.search, all_questions, texts)
            if not asked.quality:
                print(f"{kind}: {PASSAGES:,} passages", flush=True)
                _fill_up(filled, texts)
                _measure_speed(filled, all_questions, results, asked.rounds)
    verdicts = judge(results, asked.only)
    print(f"\n{', '.join(f'{each.name} {each.version}' for each in PACKAGES)}; {len(texts)} documents\n")
    print(f"{table(results)}\n")
    for verdict in verdicts:
        print(f"{'met   ' if verdict.is_met else 'MISSED'}  {verdict.target}: {verdict.figure}")
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(as_json(results, verdicts), indent=1))
    print(f"\nresults in {asked.json}")
    return 0 if all(verdict.is_met for verdict in verdicts) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_search", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the times and of the streams (3)")
    parser.add_argument("--quality", action="store_true", help="only what is found")
    parser.add_argument("--only", nargs="+", choices=("SQLite", "Postgres"), default=["SQLite", "Postgres"])
    parser.add_argument("--json", type=Path, default=HOME / "search.json", help="where the figures go")
    return parser.parse_args()


def _find(results: Results, name: str, search: Search, asked: list[Question], texts: dict[str, str]) -> None:
    ranks = measure(search, asked, texts)
    results.found[name] = figure(ranks)
    results.found_later[name] = figure(
        [rank for rank, each in zip(ranks, asked, strict=True) if each.is_later]
    )


def _split(name: str, text: str) -> list[tuple[int, str]]:
    document = read_plain(name.rpartition("/")[2], text, Format.TEXT)
    return [(each.start, text[each.start : each.end]) for each in split_passages(document)]


def _fill_up(filled: Filled, texts: dict[str, str]) -> None:
    """Add texts of the same words in another order until there are enough passages."""
    seed = 0
    while True:
        with filled.opened() as opened:
            missing = PASSAGES - opened.count()
        if missing <= 0:
            return
        seed += 1
        folder = HOME / "shuffled"
        corpus.write(folder, dict(shuffled(texts, seed)))
        filled.ingest([folder])


def _measure_speed(filled: Filled, asked: list[Question], results: Results, rounds: int) -> None:
    with filled.opened() as opened:
        results.filled[filled.kind] = opened.count()
        times_ms(opened, asked)  # warms up
        results.times_ms[filled.kind] = [times_ms(opened, asked) for _ in range(rounds)]
    results.gaps[filled.kind] = hold_up(filled, asked, rounds)


if __name__ == "__main__":
    sys.exit(main())
