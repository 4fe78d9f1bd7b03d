"""SQLite locked, full, read-only; the process stopped or killed (docs/faults.md, S1, S2, S12)."""

import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.faults.answers import KEY, SECRET_KEY, answered, new_run
from tests.faults.conversations import Gated, Person, at_once, notices, state_of, text_of, warm
from tests.support.combination import remembers, sqlite_store
from tests.support.companion import Companion
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server, wait_for
from tests.support.ws import WsClient

pytestmark = sqlite_store

TIMELY_S = 1.6  # the promised second, and a margin for a busy machine


@pytest.fixture(scope="module")
def server(server: Server, provider: FakeProvider) -> Server:
    provider.play(Answer(steps=openai(["warm"])))
    warm(server)
    return server


@pytest.fixture
def anna(server: Server) -> Person:
    return Person(server)


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the file's write lock, as another process would."""
    connection = sqlite3.connect(server.folder / "data" / "freshet.db", isolation_level=None, timeout=5)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def full(server: Server) -> Iterator[None]:
    """Limit the size of the workers' files, as on a full disk."""
    _, hard = resource.prlimit(server.workers[0], resource.RLIMIT_FSIZE)
    limit = len(server.log) + 50_000
    for worker in server.workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        for worker in server.workers:
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (hard, hard))


def test_s12_locked_when_a_question_arrives_and_free_when_its_answer_ends(
    server: Server, provider: FakeProvider, anna: Person
) -> None:
    name = new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with locked(server):
            watch = server.stopwatch()
            reader = anna.start(name, "Still there?")
            reader.read_frames(1)
            assert watch.busy_s < TIMELY_S, "the start frame waits for no database"
            gated.open(1)
            reader.read_text(2)
            assert watch.busy_s < 2 * TIMELY_S
            assert [list(frame) for frame in reader.frames][1] == ["notice"], reader.frames
        wait_for(lambda: not state_of(server).get("waiting"), 5.0, "the question, stored")
        gated.open()
        answer = answered(reader, reader.read_to_end())
        reader.drop()
    assert notices(answer) != []
    assert -2 not in notices(answer), "by then all of it is stored"
    anna.wait_kept(name, "Still there?", "It goes on.")


def test_s12_locked_for_two_seconds_during_and_after_an_answer(
    server: Server, provider: FakeProvider, anna: Person
) -> None:
    name = new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with anna.start(name, "Still there?") as reader:
            gated.open(1)
            reader.read_text(1)
            with locked(server):
                until = time.monotonic() + 2.0
                gated.open()
                watch = server.stopwatch()
                answer = answered(reader, reader.read_to_end())
                assert watch.busy_s < TIMELY_S, "the end waits half a second at most"
                assert notices(answer) == [-2]
                time.sleep(max(0.0, until - time.monotonic()))
    anna.wait_kept(name, "Still there?", "It goes on.")
    kept = anna.conversation(name)["messages"][answer.run]
    assert kept["usage"]["output_tokens"] == answer.terminal["usage"]["output_tokens"]


@remembers
def test_s12_the_next_question_includes_unsaved_messages(
    server: Server, provider: FakeProvider, anna: Person
) -> None:
    name = new_run()
    provider.play(Answer(steps=openai(["One."])))
    anna.ask(name, "First?")
    with locked(server):
        provider.play(Answer(steps=openai(["Two."])))
        second = anna.ask(name, "Second?")
        assert notices(second)
        provider.play(Answer(steps=openai(["Three."])))
        anna.ask(name, "Third?")
        told = [message["content"] for message in provider.calls[0].json["messages"]]
        assert told == ["First?", "One.", "Second?", "Two.", "Third?"]
    anna.wait_kept(name, "First?", "One.", "Second?", "Two.", "Third?", "Three.")


def test_s12_endpoints_name_the_fault_and_streams_continue(
    server: Server, provider: FakeProvider, anna: Person
) -> None:
    name = new_run()
    provider.play(Answer(steps=openai(["One."])))
    anna.ask(name, "First?")
    with locked(server):
        assert anna.texts(name) == ["First?", "One."]
        watch = server.stopwatch()
        status, headers, body = anna.do("PATCH", f"/conversations/{name}", {"title": "Late"})
        assert (status, body["error"]["code"]) == (503, "store_away")
        assert int(headers["retry-after"]) > 0
        assert watch.busy_s < 2 * TIMELY_S
        assert state_of(server)["state"] == "away"
    assert anna.do("PATCH", f"/conversations/{name}", {"title": "Late"})[0] == 200
    assert state_of(server)["state"] == "ready"


def test_s12_a_turn_on_a_websocket_delays_no_other_run_there(
    server: Server, provider: FakeProvider, anna: Person
) -> None:
    steady, turn, name = new_run(), new_run(), new_run()
    provider.play(Answer(steps=openai(["x"])))
    anna.ask(name)
    with ExitStack() as stack:
        gated = stack.enter_context(Gated(*(f"{number} " for number in range(40))))
        pool = stack.enter_context(ThreadPoolExecutor(2))
        stack.enter_context(locked(server))
        provider.play(
            lambda call: gated.answer if "steady" in str(call.json) else Answer(steps=openai(["x"]))
        )
        with WsClient(server.address, headers=anna.headers) as client:
            client.send_json(type="start", ref="1", run=steady, query="steady")
            client.read_until(lambda: len(client.received(steady)) > 0)
            for _ in range(2):  # each keeps the database's one thread for a second
                pool.submit(anna.do, "PATCH", f"/conversations/{name}", {"title": "Late"})
            wait_for(lambda: server.request("GET", "/healthz")[0] == 200, 5.0, "the changes, on their way")
            client.send_json(type="start", ref="2", run=turn, query="Well?", conversation=new_run())
            gaps = []
            for number in range(1, 41):
                gated.open(number)
                before, watch = len(client.received(steady)), server.stopwatch()
                client.read_until(lambda before=before: len(client.received(steady)) > before)
                gaps.append(watch.busy_s)
                time.sleep(0.01)
            client.read_to_end(turn)
            client.read_to_end(steady)
    assert max(gaps) < 0.5, gaps


def test_s12_a_full_disk(server: Server, provider: FakeProvider, anna: Person) -> None:
    name = new_run()
    provider.play(Answer(steps=openai(["One."])))
    anna.ask(name, "First?")
    with full(server):
        provider.play(Answer(steps=openai(["Two. " * 20_000])))
        second = anna.ask(name, "Second? " + "y" * 300_000, parent=None)
        assert -2 in notices(second)
        status, _, body = anna.do("PATCH", f"/conversations/{name}", {"system": "z" * 90_000})
        assert (status, body["error"]["code"]) == (503, "store_away")
        assert state_of(server)["waiting"] == 2
        server.wait_log("the sqlite database is unavailable")
    anna.wait_kept(name, "Second? " + "y" * 300_000, "Two. " * 20_000)
    server.wait_log("the sqlite database is available again")


def test_many_turns_at_once_are_all_stored(server: Server, provider: FakeProvider, anna: Person) -> None:
    name = new_run()
    provider.play(lambda call: Answer(steps=openai(["Re: ", call.json["messages"][-1]["content"]])))
    anna.ask(name, "root")
    asked = [f"question {number}" for number in range(30)]
    answers = at_once([lambda query=query: anna.ask(name, query, parent=None) for query in asked])
    wait_for(lambda: not state_of(server).get("waiting"), 10.0, "the last write")
    messages = anna.conversation(name)["messages"]
    assert {text_of(messages[answer.run]) for answer in answers} == {f"Re: {query}" for query in asked}
    assert len(messages) == 62
    for answer in answers:
        assert text_of(messages[messages[answer.run]["parent"]]) == answer.text.removeprefix("Re: ")


def test_two_tabs_that_edit_the_same_message_both_succeed(
    server: Server, provider: FakeProvider, anna: Person
) -> None:
    name = new_run()
    provider.play(lambda call: Answer(steps=openai([f"Re: {call.json['messages'][-1]['content']}"])))
    first = anna.ask(name, "First?")
    at_once([lambda word=word: anna.ask(name, word, parent=first.run) for word in ("this", "that")])
    messages = anna.conversation(name)["messages"]
    below = {text_of(message) for message in messages.values() if message["parent"] == first.run}
    assert below == {"this", "that"}
    assert anna.texts(name)[-1] in ("Re: this", "Re: that")


def test_another_owner_s_conversation_is_not_found_on_a_websocket(
    server: Server, provider: FakeProvider, anna: Person
) -> None:
    name, ben = new_run(), Person(server)
    provider.play(Answer(steps=openai(["My secret."])))
    mine = anna.ask(name, "Say it.")
    with WsClient(server.address, headers=ben.headers) as client:
        for number, body in enumerate(
            (
                {"type": "start", "conversation": name, "query": "What was said?"},
                {"type": "start", "conversation": name, "parent": mine.run, "query": "What?"},
                {"type": "start", "continue": mine.run},
                {"type": "resume", "run": mine.run},
                {"type": "stop", "run": mine.run},
            )
        ):
            client.send_json(ref=str(number), **body)
            client.read_until(
                lambda ref=str(number): client.jsons[-1:] and client.jsons[-1][1].get("ref") == ref
            )
            refused = client.jsons[-1][1]
            assert (refused["status"], "refused" in refused) == (404, True)
            assert "secret" not in str(refused)
    assert len(provider.calls) == 1


# Tests that start their own servers.


def environment(provider: FakeProvider, companion: Companion, **more: str) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "OLLAMA_HOST": companion.url,
        "SECRET_KEY": SECRET_KEY,
    } | more


@remembers
def test_s12_a_folder_that_cannot_be_written(provider: FakeProvider, companion: Companion) -> None:
    provider.play(Answer(steps=openai(["One."])))
    with Server(environment(provider, companion, FRESHET_DATA_DIR="/proc/nowhere")) as server:
        anna, name = Person(server), new_run()
        answer = anna.ask(name, "First?", parent=None)
        assert answer.text == "One."
        assert -2 in notices(answer)
        anna.ask(name, "Second?")
        told = [message["content"] for message in provider.calls[-1].json["messages"]]
        assert told == ["First?", "One.", "Second?"], "it remembers for as long as it lives"
        status, _, body = anna.do("GET", "/conversations")
        assert (status, body["error"]["code"]) == (503, "store_away")
        assert state_of(server)["state"] == "away"
        server.wait_log("the sqlite database is unavailable")


def test_s1_a_killed_server_s_answer_is_shown_as_interrupted(
    provider: FakeProvider, companion: Companion
) -> None:
    with (
        Gated("Begun", "never said") as gated,
        Server(
            environment(provider, companion, FRESHET_TAKEOVER="off", FRESHET_LEASE_S="1"), dirty_log=True
        ) as server,
    ):
        provider.play(gated.answer)
        anna, name = Person(server), new_run()
        with anna.start(name, "First?") as reader:
            gated.open(1)
            reader.read_text(5)
            run = reader.run
            wait_for(lambda: anna.texts(name) == ["First?", "Begun"], 10.0, "what was said so far, stored")
            for pid in (server.pid, *server.workers):
                os.kill(pid, signal.SIGKILL)
        server.stop()
        server.start()
        anna = again(server, anna)
        wait_for(lambda: anna.conversation(name)["run"] is None, 15.0, "the end of the answer")
        kept = anna.conversation(name)
        assert kept["messages"][run]["state"] == "interrupted"
        assert anna.texts(name) == ["First?", "Begun"]
        provider.play(Answer(steps=openai(["Done."])))
        question = kept["messages"][run]["parent"]
        assert anna.ask(name, None, parent=question).text == "Done."
        with anna.start(name, "First?", run=run) as reader:
            assert reader.read_to_end()[-1].frame["code"] == "interrupted"
        assert len(provider.calls) == 1


def test_s2_an_answer_cut_by_a_restart_keeps_its_text(provider: FakeProvider, companion: Companion) -> None:
    env = environment(
        provider,
        companion,
        GUNICORN_CMD_ARGS="--graceful-timeout 6",
        SECRET_KEY="",
        FRESHET_TAKEOVER="off",
    )
    with Gated("Begun ", "and never ended") as gated, Server(env) as server:
        provider.play(gated.answer)
        anna, name = Person(server), new_run()
        with anna.start(name, "First?") as reader:
            gated.open(1)
            reader.read_text(5)
            run = reader.run
            server.stop()
        gated.open()
        server.start()
        anna = again(server, anna)
        kept = anna.conversation(name)["messages"][run]
        assert (kept["state"], text_of(kept)) == ("interrupted", "Begun ")


def again(server: Server, person: Person) -> Person:
    """Return the same person at a restarted server."""
    return Person(server, person.headers)


@pytest.mark.parametrize("removed", ["freshet.db*", "freshet.db", "freshet.db-wal", "*"])
def test_n30_what_is_stored_after_the_file_was_removed_is_there_after_a_restart(
    provider: FakeProvider, companion: Companion, removed: str
) -> None:
    provider.play(Answer(steps=openai(["One."])))
    with Server(environment(provider, companion)) as server:
        anna = Person(server)
        anna.ask(new_run(), "Before?", parent=None)
        for path in (server.folder / "data").glob(removed):
            if path.is_file():
                path.unlink()
        name = new_run()
        answer = anna.ask(name, "After?", parent=None)
        assert (answer.text, notices(answer)) == ("One.", [])
        server.wait_log("freshet.db was removed or replaced")
        assert state_of(server)["state"] == "ready"
        anna.ask(name, "And on?")
        server.stop()
        server.start()
        found = again(server, anna).do("GET", f"/conversations/{name}")[2]
        assert [text_of(message) for message in found["messages"]][::2] == ["After?", "And on?"]


def test_n30_a_conversation_whose_file_was_removed_is_named_as_gone(
    provider: FakeProvider, companion: Companion
) -> None:
    provider.play(Answer(steps=openai(["One."])))
    with Server(environment(provider, companion)) as server:
        anna, name = Person(server), new_run()
        anna.ask(name, "Before?", parent=None)
        for path in (server.folder / "data").glob("freshet.db*"):
            path.unlink()
        assert anna.do("GET", f"/conversations/{name}")[0] == 404
        assert anna.do("GET", "/conversations")[2]["conversations"] == []
