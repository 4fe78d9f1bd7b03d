"""What a soak must have found, and its report. Pure."""

from collections.abc import Iterator, Sequence

from tests.soak.growth import Growth, measure_growth
from tests.soak.held import RECORDS
from tests.soak.soak import Findings, Sample

MAX_GROWTH = 20 * 1024  # bytes per 1,000 runs
WARM_UP = 0.3  # of the samples: caches fill up to their limits


def check(findings: Findings) -> list[str]:
    """Return what is wrong, one sentence each."""
    wrong = list(findings.faults)
    if findings.before.has_records:
        wrong.append(f"before the soak something was left of the first answers: {findings.before.describe()}")
    wrong += findings.after.excess_over(findings.before)
    wrong += findings.after_collection.excess_over(findings.before)
    if findings.rows_left:
        wrong.append(f"{findings.rows_left} rows are left in the journal")
    if not findings.most_rows:
        wrong.append("no rows were ever seen in the journal")
    wrong += [f"no {name} was ever seen" for name in RECORDS if not findings.most.records.get(name)]
    return wrong


def check_growth(samples: Sequence[Sample]) -> Iterator[tuple[str, Growth, bool]]:
    """Yield how memory has grown after the warm-up, of each worker and of all, and whether that is judged.

    What is allocated is judged. Anonymous memory also has the gaps between, which vary by half a megabyte from sample to sample.
    """
    kept = samples[round(len(samples) * WARM_UP) :]
    lives = [sample.lives for sample in kept]
    for kind in ("allocated", "anonymous"):
        sizes = [[getattr(each, kind) for each in sample.workers] for sample in kept]
        for number, of_one in enumerate(zip(*sizes, strict=True), 1):
            yield f"{kind}, worker {number}", measure_growth(lives, of_one), kind == "allocated"
        yield f"{kind}, all workers", measure_growth(lives, list(map(sum, sizes))), kind == "allocated"
