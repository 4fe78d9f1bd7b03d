"""Storage quotas: per owner, and per conversation, so that its export can be imported again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from msgspec.structs import replace

from tests.store.people import Person, data_url, new_run, png
from tests.support.fake_provider import FakeProvider
from webapp.chat import TextPart
from webapp.conversation import MAX_STORED_IMAGES, Message
from webapp.errors import Unavailable
from webapp.store import quota
from webapp.store.quota import StorageLimits
from webapp.store.rows import message_to_row

FULL = (413, "storage_full", "images")


def image(number: int, size: int = 100_000) -> str:
    return data_url(png(pad=size + number))


@pytest.fixture
def limits(parts: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit owners to 500 kB and export files to 400 kB."""
    services = parts.extensions["freshet"]
    monkeypatch.setattr(services.store, "limits", StorageLimits(file_bytes=400_000))
    limiter = services.limiter
    small = replace(limiter._allowances["visitor"], stored_bytes=500_000)
    monkeypatch.setattr(limiter, "_share", 1_000)  # all people of these tests have one address
    monkeypatch.setattr(limiter, "_allowances", limiter._allowances | {"visitor": small})


def refused_images(anna: Person, conversation: str, *images: str) -> tuple[int, str, str | None]:
    body = {"conversation": conversation, "query": "Look", "images": list(images)}
    return anna.refused("POST", "/stream", body)


@pytest.mark.usefixtures("limits")
def test_an_owner_s_quota_is_enforced(anna: Person, ben: Person, provider: FakeProvider) -> None:
    first, second, third = new_run(), new_run(), new_run()
    anna.ask(first, "Look", images=[image(1), image(2)])
    anna.ask(second, "Look", images=[image(3), image(4)])
    calls = len(provider.calls)
    assert refused_images(anna, third, image(5)) == FULL
    assert len(provider.calls) == calls
    assert len(anna.titles()) == 2, "nothing of it is stored"
    anna.ask(third, "Text still fits")
    assert refused_text(anna, third, 100_000) == (413, "storage_full", "query"), (
        "a text counts as much as an image"
    )
    ben.ask(new_run(), "Other owners have their own quota", images=[image(5)])
    anna.do("DELETE", f"/conversations/{first}")
    anna.ask(third, "Look", images=[image(5)])
    assert anna.refused("POST", f"/conversations/{first}/restore")[0] == 404, "it was erased for the quota"


def refused_text(anna: Person, conversation: str, size: int) -> tuple[int, str, str | None]:
    return anna.refused("POST", "/stream", {"conversation": conversation, "query": "x" * size})


@pytest.mark.usefixtures("limits")
def test_all_texts_count_in_bytes(anna: Person) -> None:
    """Question, answer, system prompt and title count, in bytes instead of characters."""
    name = new_run()
    for _ in range(3):
        anna.ask(name, "\u5317" * 33_000)
    anna.do("PATCH", f"/conversations/{name}", {"system": "s" * 90_000})
    assert refused_text(anna, new_run(), 120_000) == (413, "storage_full", "query")
    refusal = anna.refused("PATCH", f"/conversations/{name}", {"system": "\u5317" * 40_000})
    assert refusal[:2] == (413, "storage_full")
    assert anna.refused(
        "POST", "/stream", {"conversation": new_run(), "query": "x", "system": "y" * 120_000}
    )[:2] == (413, "storage_full")
    anna.do("DELETE", f"/conversations/{name}")
    anna.ask(new_run(), "x" * 120_000)


@pytest.mark.usefixtures("limits")
def test_the_cached_count_of_an_owner_grows(anna: Person) -> None:
    for _ in range(4):
        anna.ask(new_run(), "x" * 110_000)
    assert refused_text(anna, new_run(), 110_000) == (413, "storage_full", "query")


@pytest.mark.usefixtures("limits")
def test_a_deleted_conversation_within_the_quota_can_be_restored(anna: Person) -> None:
    first, second = new_run(), new_run()
    anna.ask(first, "Look", images=[image(1)])
    anna.do("DELETE", f"/conversations/{first}")
    anna.ask(second, "Look", images=[image(2)])
    assert anna.do("POST", f"/conversations/{first}/restore").status_code == 200


@pytest.mark.usefixtures("limits")
def test_a_conversation_s_images_fit_its_export_file(anna: Person, ben: Person) -> None:
    name = new_run()
    anna.ask(name, "Look", images=[image(1), image(2)])
    assert refused_images(anna, name, image(3)) == (413, "conversation_full", "images")
    anna.ask(name, "The same again", images=[image(1), image(2)])
    exported = anna.get(f"/conversations/{name}/export")
    assert ben.do("POST", "/conversations/import", exported).status_code == 201


@pytest.mark.usefixtures("limits")
def test_an_import_counts_against_the_quota(anna: Person) -> None:
    name = new_run()
    anna.ask(name, "Look", images=[image(1), image(2)])
    exported = anna.get(f"/conversations/{name}/export")
    assert anna.do("POST", "/conversations/import", exported).status_code == 201
    assert anna.refused("POST", "/conversations/import", exported) == (413, "storage_full", "body")
    long = exported | {"images": {}, "messages": [exported["messages"][1] | {"parent": None}]}
    long["messages"][0]["content"] = [{"type": "text", "text": "x" * 200_000}]
    assert anna.refused("POST", "/conversations/import", long) == (413, "storage_full", "body")
    assert len(anna.titles()) == 2


def test_the_number_of_images_is_limited(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_STORED_IMAGES >= 100
    monkeypatch.setattr(quota, "MAX_STORED_IMAGES", 3)
    name = new_run()
    anna.ask(name, "Look", images=[image(1, 10), image(2, 10)])
    assert refused_images(anna, name, image(3, 10), image(4, 10)) == (413, "conversation_full", "images")
    anna.ask(name, "Look", images=[image(3, 10)])


@pytest.mark.usefixtures("limits")
def test_without_the_database_a_question_passes_the_quota(
    anna: Person, parts: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Unavailable("away")

    name = new_run()
    monkeypatch.setattr(parts.extensions["freshet"].store.database, "write", fail)
    turn = anna.ask(name, "Look", parent=None, images=[image(number, 150_000) for number in range(4)])
    assert turn.text


def file_of(*messages: dict[str, object]) -> dict[str, object]:
    """An export file with these messages."""
    defaults: dict[str, object] = {
        "role": "assistant",
        "content": [],
        "created_at": 1,
        "state": "done",
        "parent": None,
    }
    return {
        "freshet": 1,
        "messages": [defaults | message | {"id": str(n)} for n, message in enumerate(messages)],
    }


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize(
    "message",
    [
        {"error": "\U0001f600" * 200, "model": "\U0001f600" * 200, "provider": "\U0001f600" * 200},
        {"content": [{"type": "text", "text": ""}] * 30},
        {"reasoning": "r" * 2_000},
        {},
    ],
)
def test_all_of_an_import_counts(anna: Person, message: dict[str, object]) -> None:
    """Columns other than the text, empty parts and rows used not to be counted."""
    body = file_of(*[message] * 3_000)
    assert anna.refused("POST", "/conversations/import", body) == (413, "storage_full", "body")
    assert anna.titles() == []


@pytest.mark.usefixtures("limits")
def test_concurrent_imports_share_one_quota(anna: Person, parts: Flask) -> None:
    """Each of them used to see the quota as it was before the others."""
    body = file_of({"content": [{"type": "text", "text": "x" * 200_000}]})
    people = [Person(parts.test_client(use_cookies=False), "anna") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        statuses = list(
            pool.map(lambda one: one.do("POST", "/conversations/import", body).status_code, people)
        )
    assert sorted(statuses) == [201] * 2 + [413] * 4


def test_the_folded_text_counts_if_it_is_larger() -> None:
    """Folding can turn one letter into eighteen."""

    def size(text: str) -> int:
        message = Message(id="m", parent=None, role="user", content=(TextPart(text),), created_at=1)
        found: int = message_to_row("c", message)["size"]
        return found

    assert size("x" * 10_000) < 11_000, "a folded text as large as the text is not counted twice"
    assert size("\ufdfa" * 5_500) > 150_000
    assert size("\ufdfa" * 100_000) < 600_000, "the folded text is bounded"
