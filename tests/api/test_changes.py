"""The feed of changes on real servers: SSE and WebSocket, resumed, and across two servers on one database."""

import json
import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import jsonschema
import pytest

from tests.access.conftest import make_server
from tests.access.device import PASSWORD, SECRET_KEY, Device, error_of
from tests.faults.answers import new_run
from tests.faults.conversations import Gated
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from tests.support.ws import WsClient
from webapp.api.openapi.document import build_document
from webapp.store.database import Database

SOON_S = 2.0
DOCUMENT = build_document("0", "")
EVENT = jsonschema.Draft202012Validator(
    {"$ref": "#/components/schemas/ChangeEvent", "components": DOCUMENT["components"]}
)


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Answer(steps=openai(["Hello"]))) as fake:
        yield fake


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def pair(request: pytest.FixtureRequest, provider: FakeProvider) -> Iterator[tuple[Server, Server]]:
    """Two servers on one database, with one user."""
    with ExitStack() as stack:
        env = {"FRESHET_ACCESS_PASSWORD": PASSWORD, "SECRET_KEY": SECRET_KEY, "FRESHET_USER_STARTS": "100000"}
        if request.param == "postgres":
            env["DATABASE_URL"] = stack.enter_context(Postgres()).new_url()
            Database(env["DATABASE_URL"], "unused").migrate()
        first = stack.enter_context(make_server(provider, **env))
        env["FRESHET_DATA_DIR"] = str(first.folder / "data")
        yield first, stack.enter_context(make_server(provider, **env))


@pytest.fixture
def server(pair: tuple[Server, Server]) -> Server:
    return pair[0]


@pytest.fixture
def user(server: Server) -> Device:
    return sign_in(server)


def sign_in(server: Server) -> Device:
    device = Device(server.address)
    assert device.sign_in() == 303
    return device


def follow(device: Device, after: str | None = None) -> SseReader:
    """Open a feed over SSE."""
    path = "/changes" if after is None else f"/changes?after={after}"
    reader = SseReader(device.address, path, headers=device.all_headers)
    assert reader.status == 200, reader.response.read_all()
    return reader


def cursor_of(device: Device) -> str:
    """Return the cursor of the list, from which a feed can follow."""
    found: str = device.json("GET", "/conversations?limit=1")["cursor"]
    return found


def changes(reader: SseReader) -> list[dict[str, Any]]:
    for frame in reader.frames:
        assert [error.message for error in EVENT.iter_errors(frame)] == []
    return [frame["change"] for frame in reader.frames if "change" in frame]


def read_change(reader: SseReader, conversation: str, timeout_s: float = SOON_S, **fields: Any) -> None:
    """Read until there is a change of a conversation with these fields."""

    def is_there() -> bool:
        return any(c["id"] == conversation and fields.items() <= c.items() for c in changes(reader))

    assert reader.read_until(is_there, timeout_s), changes(reader)


def test_all_that_the_list_shows_of_a_turn_comes_in_order(user: Device, provider: FakeProvider) -> None:
    name, run = new_run(), new_run()
    with follow(user, cursor_of(user)) as reader, Gated("Hello") as gated:
        provider.play(gated.answer)
        with user.start("What is new?", conversation=name, run=run) as answer:
            answer.read_frames(1)
            read_change(reader, name, title="What is new?", leaf=run, run=run)
            gated.open()
            answer.read_to_end()
        read_change(reader, name, run=None)
        assert [change["run"] for change in changes(reader)] == [run, None]
        user.json("PATCH", f"/conversations/{name}", {"title": "Renamed"})
        read_change(reader, name, title="Renamed")
        user.json("DELETE", f"/conversations/{name}")
        read_change(reader, name, deleted=True)
        user.json("POST", f"/conversations/{name}/restore")
        read_change(reader, name, title="Renamed", leaf=run)
        ids = [record.id for record in reader.records if record.frame is not None]
        assert None not in ids
        assert len(set(ids)) == len(ids)


def test_a_change_at_the_other_server_comes_within_two_seconds(
    pair: tuple[Server, Server], user: Device
) -> None:
    """The figures are of a change of the title, from its response to the event."""
    other = sign_in(pair[1])
    name = user.create_conversation("Two servers")
    for place, writer in (("same server", user), ("other server", other)):
        delays = []
        with follow(user, cursor_of(user)) as reader, user.socket() as client:
            client.send_json(type="changes", after=cursor_of(user))
            client.read_reply("following")
            for number in range(8):
                title = f"{place} {number}"
                writer.json("PATCH", f"/conversations/{name}", {"title": title})
                began = time.monotonic()
                read_change(reader, name, title=title)
                delays.append(reader.received[-1].at - began)
                assert client.read_until(
                    lambda title=title: any(
                        body.get("change", {}).get("title") == title for _, body in client.jsons
                    ),
                    SOON_S,
                )
        print(f"{place}: median {statistics.median(delays) * 1e3:.0f} ms, longest {max(delays) * 1e3:.0f} ms")
        assert max(delays) < SOON_S
        if place == "same server":  # it does not wait for the next poll
            assert statistics.median(delays) < 0.5


def test_a_feed_resumes_where_it_was_cut(user: Device) -> None:
    first = user.create_conversation("First")
    with follow(user, cursor_of(user)) as reader:
        user.json("PATCH", f"/conversations/{first}", {"title": "Seen"})
        read_change(reader, first, title="Seen")
        last_id = reader.last_id
    assert last_id is not None
    user.json("PATCH", f"/conversations/{first}", {"title": "Missed"})
    second = user.create_conversation("Second")
    resumed = user.all_headers | {"Last-Event-ID": last_id}
    with SseReader(user.address, "/changes", headers=resumed) as reader:
        read_change(reader, second)
        assert [change["title"] for change in changes(reader)] == ["Missed", "Second"]


def test_without_a_usable_cursor_the_first_event_is_a_resync(user: Device) -> None:
    user.create_conversation("Old")
    for headers in ({}, {"Last-Event-ID": "no cursor"}, {"Last-Event-ID": "beef-1"}):
        with SseReader(user.address, "/changes", headers=user.all_headers | headers) as reader:
            reader.read_frames(1)
            assert reader.frames == [{"resync": True}]
            assert reader.last_id == cursor_of(user)


def test_a_response_with_a_deadline_ends(user: Device) -> None:
    cursor = cursor_of(user)
    name = user.create_conversation("Polled")
    for wait_s, path in ((0, f"/changes?wait_s=0&after={cursor}"), (1, f"/changes?wait_s=1&after={cursor}")):
        began = time.monotonic()
        with SseReader(user.address, path, headers=user.all_headers) as reader:
            reader.read_to_end()
        assert wait_s <= time.monotonic() - began < wait_s + SOON_S
        assert [change["id"] for change in changes(reader)] == [name]
        assert reader.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("query", "param"),
    [("after=x", "after"), ("after=", "after"), ("wait_s=-1", "wait_s"), ("wait_s=1e9", "wait_s")],
)
def test_bad_parameters_are_named(user: Device, query: str, param: str) -> None:
    status, _, raw = user.request("GET", f"/changes?{query}")
    assert (status, error_of(raw)["param"]) == (400, param)


def test_a_socket_carries_a_feed_beside_its_runs(user: Device) -> None:
    name, run = new_run(), new_run()
    with user.socket() as client:
        client.send_json(type="changes", ref="f", after="nothing like a cursor")
        assert client.read_reply("refused")["code"] == "bad_cursor"
        client.send_json(type="changes", ref="g")
        assert client.read_reply("following") == {"following": "changes", "ref": "g"}
        assert client.read_reply("resync")["id"] == cursor_of(user)
        client.send_json(type="start", run=run, conversation=name, query="Here?", model="gpt-4.1")
        client.read_to_end(run)
        client.read_until(lambda: any("change" in body for _, body in client.jsons), SOON_S)
        assert client.read_reply("change")["change"]["id"] == name


def test_a_feed_ends_with_its_session(user: Device) -> None:
    with user.socket() as client, follow(user) as reader:
        client.send_json(type="changes")
        client.read_reply("resync")
        reader.read_frames(1)
        user.sign_out()
        reader.read_to_end(5)
        assert client.read_close(5) == 4401


def test_a_feed_that_is_left_holds_nothing(server: Server, user: Device) -> None:
    user.create_conversation()
    before = server.probe()["greenlets"]
    readers = [follow(user) for _ in range(5)]
    for reader in readers:
        reader.read_frames(1)
        reader.drop()
    wait_for(lambda: server.probe()["greenlets"] <= before, 10.0, "the feeds, released")


def test_feeds_leave_room_for_answers(provider: FakeProvider) -> None:
    """A caller may have fifty readers; half of them may be feeds."""
    env = {"FRESHET_ACCESS_PASSWORD": PASSWORD, "SECRET_KEY": SECRET_KEY, "FRESHET_USER_ANSWERS": "2"}
    with make_server(provider, **env) as running, ExitStack() as stack:
        user = sign_in(running)
        for _ in range(25):
            stack.enter_context(follow(user)).read_frames(1)
        status, _, raw = user.request("GET", "/changes")
        assert (status, error_of(raw)["code"]) == (429, "too_many_readers")
        client = stack.enter_context(user.socket())
        client.send_json(type="changes")
        assert client.read_close() == 1013
        assert user.ask("Still there?") == "Hello"


def test_a_server_that_shuts_down_sends_its_feeds_away(provider: FakeProvider) -> None:
    with make_server(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, SECRET_KEY=SECRET_KEY) as running:
        user = sign_in(running)
        client = WsClient(running.address, headers=user.all_headers)
        with client, follow(user) as reader:
            client.send_json(type="changes")
            client.read_reply("resync")
            reader.read_frames(1)
            began = time.monotonic()
            os.kill(running.pid, signal.SIGTERM)
            reader.read_to_end(5)
            assert client.read_close(5) == 1012
            assert time.monotonic() - began < 5


def test_a_question_at_the_leaf_does_not_fork(user: Device, provider: FakeProvider) -> None:
    """Two clients that both know only the first answer ask one after the other."""
    provider.play(lambda _: Answer(steps=openai(["Hello"])))
    name, first = new_run(), new_run()
    user.ask("One", conversation=name, run=first)
    for query in ("Two", "Three"):
        user.ask(query, conversation=name, parent=first, at_leaf=True)
    user.ask("Fork", conversation=name, parent=first)
    messages = user.messages(name)
    texts = {message["id"]: message["content"][0]["text"] for message in messages}
    parents = {texts[message["id"]]: message["parent"] for message in messages if message["role"] == "user"}
    assert parents["Two"] == parents["Fork"] == first
    assert texts[parents["Three"]] == "Hello"
    assert parents["Three"] != first


@pytest.mark.parametrize("body", [{"query": "x"}, {"parent": "p"}, {"query": "x", "parent": None}])
def test_at_leaf_needs_a_query_and_a_parent(user: Device, body: dict[str, Any]) -> None:
    status, _, raw = user.request("POST", "/stream", {"conversation": new_run(), "at_leaf": True} | body)
    assert (status, json.loads(raw)["error"]["param"]) == (400, "at_leaf")
