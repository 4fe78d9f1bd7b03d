"""A small part of `make soak`: a few hundred answers of all kinds, of which nothing may be left."""

import random

import pytest

from tests.soak.lives import KINDS
from tests.soak.soak import running_soak
from tests.soak.verdict import check

LIVES = 300


@pytest.mark.timeout(300)  # it takes less than twenty seconds, but many more beside other tests
def test_nothing_is_left_of_answers_of_all_kinds() -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"\npython -m tests.soak --seed {seed} --runs {LIVES}")
    with running_soak("sqlite", seed, print) as soak:
        findings = soak.run(LIVES, every=0)
    assert check(findings) == []
    assert set(findings.kinds) == set(KINDS)
