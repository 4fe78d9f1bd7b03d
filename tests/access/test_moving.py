"""A visitor becomes the user: after a press of a button all that the visitor had is the user's."""

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

Place = dict[str, str]


@pytest.fixture(autouse=True)
def hello(provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))


@pytest.fixture(params=["sqlite", "postgres"])
def place(
    request: pytest.FixtureRequest, migrated: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Place:
    """Where the data is, for one server after the other."""
    found = {"FRESHET_DATA_DIR": str(tmp_path_factory.mktemp("moving")), "SECRET_KEY": SECRET_KEY}
    return found | ({"DATABASE_URL": migrated()} if request.param == "postgres" else {})


def visited(start: Start, place: Place) -> tuple[Device, list[str], str]:
    """A visitor of a public server with two conversations, one of them shared."""
    public = start(FRESHET_PUBLIC="true", **place)
    visitor = Device(public.address)
    visitor.open()
    names = [visitor.converse(), visitor.converse()]
    link = visitor.json("POST", f"/conversations/{names[0]}/share", status=201)["path"]
    public.stop()
    return visitor, names, link


def become(device: Device, server: Server) -> None:
    """Come to another server on the same data, and sign in there."""
    device.address = server.address
    assert device.sign_in() == 303


def test_it_is_offered_with_its_number_and_moved_in_one_step(start: Start, place: Place) -> None:
    device, names, link = visited(start, place)
    become(device, start(FRESHET_ACCESS_PASSWORD=PASSWORD, **place))
    assert device.listed() == set()
    assert b'"movable":true' in device.do("GET", "/")[2].replace(b" ", b"")
    assert device.json("GET", "/visitor") == {"conversations": 2}
    assert device.json("POST", "/visitor/move") == {"moved": 2}
    assert device.listed() == set(names)
    assert device.json("GET", f"/conversations/{names[0]}/share")["path"] == link
    assert Device(device.address).do("GET", link)[0] == 200
    assert "freshet-visitor" not in device.cookies
    assert device.json("GET", "/visitor") == {"conversations": 0}
    assert device.json("POST", "/visitor/move") == {"moved": 0}


def test_only_one_s_own_cookie_moves_anything(start: Start, place: Place) -> None:
    device, names, _ = visited(start, place)
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, **place)
    other = Device(server.address)
    other.cookies["freshet-visitor"] = device.cookies["freshet-visitor"][:-2] + "xx"
    assert other.sign_in() == 303
    assert other.json("POST", "/visitor/move") == {"moved": 0}
    nobody = Device(server.address)
    nobody.cookies = {"freshet-visitor": device.cookies["freshet-visitor"]}
    assert nobody.do("POST", "/visitor/move")[0] == 401
    assert nobody.do("GET", "/visitor")[0] == 401
    foreign = Device(server.address, {"Origin": "https://evil.example"})
    foreign.cookies = dict(device.cookies)
    assert foreign.do("POST", "/visitor/move")[0] == 403
    become(device, server)
    assert device.json("POST", "/visitor/move") == {"moved": 2}
    assert device.listed() == set(names)


def test_a_visitor_has_nothing_to_take_over(start: Start, place: Place) -> None:
    server = start(FRESHET_PUBLIC="true", **place)
    visitor = Device(server.address)
    visitor.open()
    assert visitor.do("GET", "/visitor")[0] == 403
    assert visitor.do("POST", "/visitor/move")[0] == 403


def test_in_local_mode_too(start: Start, place: Place) -> None:
    device, names, _ = visited(start, place)
    server = start(FRESHET_LOCAL="true", **place)
    device.address = server.address
    assert device.json("GET", "/visitor") == {"conversations": 2}
    assert device.json("POST", "/visitor/move") == {"moved": 2}
    assert Device(server.address).listed() == set(names)


def test_an_answer_in_progress_moves_with_its_conversation(
    start: Start, place: Place, provider: FakeProvider
) -> None:
    """The move is made by another server on the same data, while the first is still answering."""
    public = start(FRESHET_PUBLIC="true", **place)
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
            become(person, start(FRESHET_ACCESS_PASSWORD=PASSWORD, **place))
            assert person.json("POST", "/visitor/move") == {"moved": 1}
            gated.open()
            reader.read_to_end()
    kept = person.messages(conversation)[-1]
    assert (kept["state"], kept["content"][0]["text"]) == ("done", "It goes on.")
