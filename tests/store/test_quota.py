"""What one owner may keep, and how much of it in one conversation, so that its file can come back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from msgspec.structs import replace

from tests.store.people import Person, data_url, new_run, png
from tests.support.fake_provider import FakeProvider
from webapp.chat import TextPart
from webapp.conversation import MOST_IMAGES_KEPT, Message
from webapp.errors import Unavailable
from webapp.store import quota
from webapp.store.quota import StorageLimits
from webapp.store.rows import row_of

FULL = (413, "storage_full", "images")


def image(number: int, size: int = 100_000) -> str:
    return data_url(png(pad=size + number))


@pytest.fixture
def limits(parts: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner may keep 500 kB here, and a file may have 400 kB."""
    services = parts.extensions["freshet"]
    monkeypatch.setattr(services.store, "limits", StorageLimits(file_bytes=400_000))
    limiter = services.limiter
    small = replace(limiter._allowances["visitor"], stored_bytes=500_000)
    monkeypatch.setattr(limiter, "_share", 1_000)  # the address is everybody's here
    monkeypatch.setattr(limiter, "_allowances", limiter._allowances | {"visitor": small})


def asks(anna: Person, conversation: str, *images: str) -> tuple[int, str, str | None]:
    body = {"conversation": conversation, "query": "Look", "images": list(images)}
    return anna.refused("POST", "/stream", body)


@pytest.mark.usefixtures("limits")
def test_an_owner_keeps_so_much_and_is_told_what_to_do(
    anna: Person, ben: Person, provider: FakeProvider
) -> None:
    first, second, third = new_run(), new_run(), new_run()
    anna.ask(first, "Look", images=[image(1), image(2)])
    anna.ask(second, "Look", images=[image(3), image(4)])
    calls = len(provider.calls)
    assert asks(anna, third, image(5)) == FULL
    assert len(provider.calls) == calls
    assert len(anna.heads()) == 2, "nothing of it is kept"
    anna.ask(third, "Words go on while there is room for them")
    assert words(anna, third, 100_000) == (413, "storage_full", "query"), "a text counts as much as an image"
    ben.ask(new_run(), "Others have room", images=[image(5)])
    anna.do("DELETE", f"/conversations/{first}")
    anna.ask(third, "Look", images=[image(5)])
    assert anna.refused("POST", f"/conversations/{first}/restore")[0] == 404, "its room was needed"


def words(anna: Person, conversation: str, size: int) -> tuple[int, str, str | None]:
    return anna.refused("POST", "/stream", {"conversation": conversation, "query": "x" * size})


@pytest.mark.usefixtures("limits")
def test_texts_count_in_bytes_wherever_they_are(anna: Person) -> None:
    """A question, its answer, an instruction, a title; bytes, not characters."""
    name = new_run()
    for _ in range(3):
        anna.ask(name, "\u5317" * 33_000)
    anna.do("PATCH", f"/conversations/{name}", {"system": "s" * 90_000})
    assert words(anna, new_run(), 120_000) == (413, "storage_full", "query")
    refusal = anna.refused("PATCH", f"/conversations/{name}", {"system": "\u5317" * 40_000})
    assert refusal[:2] == (413, "storage_full")
    assert anna.refused(
        "POST", "/stream", {"conversation": new_run(), "query": "x", "system": "y" * 120_000}
    )[:2] == (413, "storage_full")
    anna.do("DELETE", f"/conversations/{name}")
    anna.ask(new_run(), "x" * 120_000)


@pytest.mark.usefixtures("limits")
def test_what_is_remembered_of_an_owner_is_no_way_around(anna: Person) -> None:
    for _ in range(4):
        anna.ask(new_run(), "x" * 110_000)
    assert words(anna, new_run(), 110_000) == (413, "storage_full", "query")


@pytest.mark.usefixtures("limits")
def test_while_there_is_room_a_deletion_can_be_taken_back(anna: Person) -> None:
    first, second = new_run(), new_run()
    anna.ask(first, "Look", images=[image(1)])
    anna.do("DELETE", f"/conversations/{first}")
    anna.ask(second, "Look", images=[image(2)])
    assert anna.do("POST", f"/conversations/{first}/restore").status_code == 200


@pytest.mark.usefixtures("limits")
def test_a_conversation_holds_no_more_than_its_file_may(anna: Person, ben: Person) -> None:
    name = new_run()
    anna.ask(name, "Look", images=[image(1), image(2)])
    assert asks(anna, name, image(3)) == (413, "conversation_full", "images")
    anna.ask(name, "The same again", images=[image(1), image(2)])
    away = anna.get(f"/conversations/{name}/export")
    assert ben.do("POST", "/conversations/import", away).status_code == 201


@pytest.mark.usefixtures("limits")
def test_an_import_needs_room_too(anna: Person) -> None:
    name = new_run()
    anna.ask(name, "Look", images=[image(1), image(2)])
    away = anna.get(f"/conversations/{name}/export")
    assert anna.do("POST", "/conversations/import", away).status_code == 201
    assert anna.refused("POST", "/conversations/import", away) == (413, "storage_full", "body")
    long = away | {"images": {}, "messages": [away["messages"][1] | {"parent": None}]}
    long["messages"][0]["content"] = [{"type": "text", "text": "x" * 200_000}]
    assert anna.refused("POST", "/conversations/import", long) == (413, "storage_full", "body")
    assert len(anna.heads()) == 2


def test_there_are_only_so_many_images(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_IMAGES_KEPT >= 100
    monkeypatch.setattr(quota, "MOST_IMAGES_KEPT", 3)
    name = new_run()
    anna.ask(name, "Look", images=[image(1, 10), image(2, 10)])
    assert asks(anna, name, image(3, 10), image(4, 10)) == (413, "conversation_full", "images")
    anna.ask(name, "Look", images=[image(3, 10)])


@pytest.mark.usefixtures("limits")
def test_where_nobody_can_tell_the_question_is_answered(
    anna: Person, parts: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("away")

    name = new_run()
    monkeypatch.setattr(parts.extensions["freshet"].store.database, "write", away)
    turn = anna.ask(name, "Look", parent=None, images=[image(number, 150_000) for number in range(4)])
    assert turn.text


def file_of(*messages: dict[str, object]) -> dict[str, object]:
    """A file with these messages, one after the other."""
    rest: dict[str, object] = {
        "role": "assistant",
        "content": [],
        "created_at": 1,
        "state": "done",
        "parent": None,
    }
    return {"freshet": 1, "messages": [rest | message | {"id": str(n)} for n, message in enumerate(messages)]}


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
def test_an_import_counts_all_of_it(anna: Person, message: dict[str, object]) -> None:
    """What stood in other columns than the text was not counted, nor were empty pieces and rows."""
    body = file_of(*[message] * 3_000)
    assert anna.refused("POST", "/conversations/import", body) == (413, "storage_full", "body")
    assert anna.heads() == []


@pytest.mark.usefixtures("limits")
def test_imports_at_once_have_the_room_of_one_owner(anna: Person, parts: Flask) -> None:
    """Each saw the room that there was before any of them."""
    body = file_of({"content": [{"type": "text", "text": "x" * 200_000}]})
    people = [Person(parts.test_client(use_cookies=False), "anna") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        statuses = list(
            pool.map(lambda one: one.do("POST", "/conversations/import", body).status_code, people)
        )
    assert sorted(statuses) == [201] * 2 + [413] * 4


def test_what_a_search_looks_into_counts_where_it_is_larger() -> None:
    """One letter can become eighteen."""

    def size(text: str) -> int:
        message = Message(id="m", parent=None, role="user", content=(TextPart(text),), created_at=1)
        found: int = row_of("c", message)["size"]
        return found

    assert size("x" * 10_000) < 11_000, "what is searched is as large as the text, and is not counted twice"
    assert size("\ufdfa" * 5_500) > 150_000
    assert size("\ufdfa" * 100_000) < 600_000, "and it has a bound"
