"""Moving a visitor's conversations to the user after signing in."""

from collections.abc import Callable

import pytest

from tests.access.conftest import Start
from tests.access.device import PASSWORD, SECRET_KEY, Device
from tests.faults.answers import new_run
from tests.faults.conversations import Gated
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server

Settings = dict[str, str]


@pytest.fixture(autouse=True)
def hello(provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))


@pytest.fixture(params=["sqlite", "postgres"])
def storage(
    request: pytest.FixtureRequest,
    new_migrated_url: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """Return the storage settings that several servers share."""
    found = {"FRESHET_DATA_DIR": str(tmp_path_factory.mktemp("moving")), "SECRET_KEY": SECRET_KEY}
    return found | ({"DATABASE_URL": new_migrated_url()} if request.param == "postgres" else {})


def visitor_with_conversations(start: Start, storage: Settings) -> tuple[Device, list[str], str]:
    """Return a visitor with two conversations, their ids, and the share link of the first."""
    public = start(FRESHET_PUBLIC="true", **storage)
    visitor = Device(public.address)
    visitor.open()
    names = [visitor.create_conversation(), visitor.create_conversation()]
    link = visitor.json("POST", f"/conversations/{names[0]}/share", status=201)["path"]
    public.stop()
    return visitor, names, link


def sign_in_at(device: Device, server: Server) -> None:
    """Sign in at another server with the same data."""
    device.address = server.address
    assert device.sign_in() == 303


def test_the_count_is_offered_and_all_are_moved(start: Start, storage: Settings) -> None:
    device, names, link = visitor_with_conversations(start, storage)
    sign_in_at(device, start(FRESHET_ACCESS_PASSWORD=PASSWORD, **storage))
    assert device.conversation_ids() == set()
    assert b'"movable":true' in device.request("GET", "/")[2].replace(b" ", b"")
    assert device.json("GET", "/visitor") == {"conversations": 2}
    assert device.json("POST", "/visitor/move") == {"moved": 2}
    assert device.conversation_ids() == set(names)
    assert device.json("GET", f"/conversations/{names[0]}/share")["path"] == link
    assert Device(device.address).request("GET", link)[0] == 200
    assert "freshet-visitor" not in device.cookies
    assert device.json("GET", "/visitor") == {"conversations": 0}
    assert device.json("POST", "/visitor/move") == {"moved": 0}


def test_only_the_visitors_own_cookie_moves_them(start: Start, storage: Settings) -> None:
    device, names, _ = visitor_with_conversations(start, storage)
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, **storage)
    other = Device(server.address)
    other.cookies["freshet-visitor"] = device.cookies["freshet-visitor"][:-2] + "xx"
    assert other.sign_in() == 303
    assert other.json("POST", "/visitor/move") == {"moved": 0}
    nobody = Device(server.address)
    nobody.cookies = {"freshet-visitor": device.cookies["freshet-visitor"]}
    assert nobody.request("POST", "/visitor/move")[0] == 401
    assert nobody.request("GET", "/visitor")[0] == 401
    foreign = Device(server.address, {"Origin": "https://evil.example"})
    foreign.cookies = dict(device.cookies)
    assert foreign.request("POST", "/visitor/move")[0] == 403
    sign_in_at(device, server)
    assert device.json("POST", "/visitor/move") == {"moved": 2}
    assert device.conversation_ids() == set(names)


def test_a_visitor_cannot_move_anything(start: Start, storage: Settings) -> None:
    server = start(FRESHET_PUBLIC="true", **storage)
    visitor = Device(server.address)
    visitor.open()
    assert visitor.request("GET", "/visitor")[0] == 403
    assert visitor.request("POST", "/visitor/move")[0] == 403


def test_moving_works_in_local_mode(start: Start, storage: Settings) -> None:
    device, names, _ = visitor_with_conversations(start, storage)
    server = start(FRESHET_LOCAL="true", **storage)
    device.address = server.address
    assert device.json("GET", "/visitor") == {"conversations": 2}
    assert device.json("POST", "/visitor/move") == {"moved": 2}
    assert Device(server.address).conversation_ids() == set(names)


def test_an_answer_in_progress_moves_with_its_conversation(
    start: Start, storage: Settings, provider: FakeProvider
) -> None:
    """Another server with the same data moves it while the first one still answers."""
    public = start(FRESHET_PUBLIC="true", **storage)
    visitor = Device(public.address)
    visitor.open()
    conversation, run = new_run(), new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with visitor.start(conversation=conversation, run=run) as reader:
            gated.open(1)
            reader.read_text(1)
            person = Device(public.address)
            person.cookies = dict(visitor.cookies)
            sign_in_at(person, start(FRESHET_ACCESS_PASSWORD=PASSWORD, **storage))
            assert person.json("POST", "/visitor/move") == {"moved": 1}
            gated.open()
            reader.read_to_end()
    kept = person.messages(conversation)[-1]
    assert (kept["state"], kept["content"][0]["text"]) == ("done", "It goes on.")
