"""A small part of a storm (`make storm`): nothing that a reader has seen is lost, whatever happens to the workers."""

import random

import pytest

from tests.survival.storm import report, running_storm

SECONDS, CONVERSATIONS = 4.0, 4
FIXED = 11


@pytest.mark.parametrize("seed", [FIXED, None], ids=["a fixed seed", "a random seed"])
def test_all_answers_are_the_same_everywhere_after_a_storm(seed: int | None) -> None:
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    print(
        f"\npython -m tests.survival.storm --seed {seed} --seconds {SECONDS:g} --conversations {CONVERSATIONS}"
    )
    with running_storm("sqlite", seed=seed, seconds=SECONDS, conversations=CONVERSATIONS) as (storm, journal):
        findings = storm.run(journal)
        print(*report(storm, findings), sep="\n")
    assert not findings.faults
    assert findings.counts["runs"] >= CONVERSATIONS
