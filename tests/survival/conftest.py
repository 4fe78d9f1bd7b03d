"""Fixtures of the tests with several workers."""

from collections.abc import Iterator

import pytest

from tests.support.postgres import Postgres
from tests.support.redis import Redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One Postgres for all tests; each has a database of its own."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """One Redis for all tests; each has a database of its own."""
    with Redis() as server:
        yield server
