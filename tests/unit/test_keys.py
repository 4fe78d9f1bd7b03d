"""The keys as one worker sees them, while the database answers and while it does not."""

import pytest

from webapp.access.keys import Keys
from webapp.access.secret import Secret
from webapp.errors import Unavailable
from webapp.publishable_keys import KeyProfile, KeyValue, PublishableKey


class Table:
    """A table that may be away; counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[PublishableKey] = []
        self.is_away = False
        self.asked = 0

    def list_all(self) -> list[PublishableKey]:
        self.asked += 1
        if self.is_away:
            raise Unavailable("away")
        return list(self.keys)

    def add(self, owner: str, key: PublishableKey) -> None:
        del owner
        self.keys.append(key)

    def change(self, key: PublishableKey) -> None:
        raise NotImplementedError

    def add_value(self, key_id: str, value: KeyValue, older_expire_at: int) -> None:
        raise NotImplementedError

    def delete(self, key_id: str) -> None:
        raise NotImplementedError


def test_a_database_that_is_away_is_not_asked_by_every_request() -> None:
    table = Table()
    table.is_away = True
    keys = Keys(table, Secret("s", "/nonexistent"))
    for _ in range(20):
        with pytest.raises(Unavailable):
            keys.list_all()
    assert table.asked == 1


def test_what_was_known_serves_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    table, clock = Table(), [100.0]
    monkeypatch.setattr("webapp.access.keys.time.monotonic", lambda: clock[0])
    keys = Keys(table, Secret("s", "/nonexistent"))
    made = keys.create("user:owner", "Shop", ["https://shop.example"], KeyProfile()).key
    assert keys.list_all() == [made]
    table.is_away = True
    for clock[0] in (102.0, 102.5, 800.0):
        assert keys.find_by_id(made.id) == made
    assert table.asked == 3  # once while it answered, and not again within a second
    clock[0] = 1_100.0
    with pytest.raises(Unavailable):
        keys.list_all()
