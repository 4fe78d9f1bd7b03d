"""Keys in the store: what was written is read again, a rotated value expires, and what a key keeps no longer is erased."""

import msgspec
import pytest
from sqlalchemy import insert, select

from webapp.errors import NotFound
from webapp.frames import new_run
from webapp.publishable_keys import KeyProfile, KeyValue, PublishableKey
from webapp.store.rows import now_ms
from webapp.store.schema import conversations
from webapp.store.store import Store

DAY_MS = 24 * 3_600 * 1_000


def key_of(name: str, **profile: object) -> PublishableKey:
    value = KeyValue(token=f"fpk_{new_run()}", sealed_secret="sealed", created_at=now_ms())
    return PublishableKey(
        id=new_run(),
        name=name,
        origins=("https://shop.example",),
        profile=msgspec.convert(profile, KeyProfile),
        values=(value,),
        created_at=now_ms(),
    )


@pytest.fixture(autouse=True)
def no_keys(store: Store) -> None:
    for key in store.keys.list_all():
        store.keys.delete(key.id)


def test_a_key_is_read_as_it_was_written_changed_and_deleted(store: Store) -> None:
    key = key_of("Shop", starts=5, suggestions=["Hi"])
    store.keys.add("user:owner", key)
    assert store.keys.list_all() == [key]
    changed = msgspec.structs.replace(key, name="Other", origins=())
    store.keys.change(changed)
    assert store.keys.list_all() == [changed]
    store.keys.delete(key.id)
    assert store.keys.list_all() == []
    for work in (lambda: store.keys.delete(key.id), lambda: store.keys.change(key)):
        with pytest.raises(NotFound):
            work()


def test_an_older_value_expires_when_a_newer_one_says(store: Store) -> None:
    key = key_of("Shop")
    store.keys.add("user:owner", key)
    newer = KeyValue(token=f"fpk_{new_run()}", sealed_secret="s", created_at=now_ms() + 1)
    store.keys.add_value(key.id, newer, older_expire_at=now_ms() + 1_000_000)
    (found,) = store.keys.list_all()
    assert found.values[0] == newer
    assert found.values[1].token == key.values[0].token
    assert found.values[1].expires_at is not None
    assert found.value(newer.token, now_ms()) == newer
    assert found.value(key.values[0].token, now_ms() + 2_000_000) is None
    with pytest.raises(NotFound):
        store.keys.add_value("absent", newer, 0)


def test_what_a_key_keeps_no_longer_is_erased(store: Store) -> None:
    short, long = key_of("Short", retention_days=2), key_of("Long")
    for key in (short, long):
        store.keys.add("user:owner", key)
    ages = {
        f"key:{short.id}.a.x": (1, 3),
        f"key:{long.id}.a.x": (3,),
        f"visitor:{short.id}.a.x": (3,),
        f"key:{short.id}x.a.x": (3,),
    }
    for owner, days in ages.items():
        for age in days:
            at = now_ms() - age * DAY_MS
            row = {
                "id": new_run(),
                "owner": owner,
                "title": "",
                "folded": "",
                "created_at": at,
                "updated_at": at,
            }
            store.database.write(lambda c, row=row: c.execute(insert(conversations).values(row)))
    assert store.purge() == 1
    left = store.database.read(lambda c: list(c.execute(select(conversations.c.owner)).scalars()))
    assert sorted(owner for owner in left if owner in ages) == sorted(ages)
    assert store.purge() == 0
