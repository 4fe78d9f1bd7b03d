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


def check_growth(samples: Sequence[Sample]) -> Iterator[tuple[str, Growth]]:
    """Yield how the memory of each worker has grown after the warm-up, and that of all."""
    kept = samples[round(len(samples) * WARM_UP) :]
    lives = [sample.lives for sample in kept]
    for number, sizes in enumerate(zip(*(sample.sizes for sample in kept), strict=True), 1):
        yield f"worker {number}", measure_growth(lives, sizes)
    yield "all workers", measure_growth(lives, [sum(sample.sizes) for sample in kept])
