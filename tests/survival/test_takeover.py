"""A worker is killed in the middle of an answer (docs/faults.md, S1): the answer goes on elsewhere, or ends with its text."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tests.faults.answers import new_run
from tests.faults.conversations import Gated, Person, state_of, text_of
from tests.support.dialects import openai
from tests.support.postgres import Postgres
from tests.support.processes import worker_that_serves, workers_of
from tests.support.promises import Reading
from tests.support.rawhttp import request
from tests.support.script import Answer, Call
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from tests.survival.workers import Workers
from webapp.frames import Start
from webapp.journal.database import DatabaseJournal
from webapp.journal_records import JournalCursor
from webapp.runs.log import RunLog
from webapp.seams import Journal
from webapp.store.database import Database

PROMISED_S = 15.0
LEASE = {"FRESHET_LEASE_S": "1"}
OTHER_PROVIDER = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "FRESHET_PROVIDER": "mock"}


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(LEASE) as running:
        yield running


def kill(server: Server) -> None:
    """Kill a server's processes, as a crash of its machine does."""
    worker = server.worker
    os.kill(server.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    server.wait_ended(5.0)


def kill_all(server: Server) -> None:
    """Kill a server with several workers."""
    pids = [server.pid, *workers_of(server)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    server.wait_ended(5.0)


def kill_worker(server: Server) -> None:
    """Kill a server's worker; gunicorn then starts another one."""
    worker = server.worker
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: worker_of(server) not in (None, worker), 10.0, "another worker")
    wait_for(server.is_ready, 10.0, "the other worker's answer")


def worker_of(server: Server) -> int | None:
    try:
        return server.worker
    except AssertionError:  # none, or two for a moment
        return None


def in_turn(*answers: Answer) -> Callable[[Call], Answer]:
    """Return the answers of the provider's calls, one after the other."""
    return lambda call: answers[call.number]


def whole(*pieces: str) -> Answer:
    return Answer(steps=openai(pieces))


def read_as(person: Person, server: Server, run: str, last_id: str | None) -> SseReader:
    """Come back to a run, on any server."""
    headers = person.headers | ({} if last_id is None else {"Last-Event-ID": last_id})
    reader = SseReader(server.address, f"/stream/{run}", headers=headers, timeout_s=PROMISED_S)
    assert reader.status == 200, reader.response.read_all()
    return reader


def wait_stored(workers: Workers, run: str, text: str) -> None:
    """Wait until the journal has the text so far."""
    with closing(DatabaseJournal(workers.database_url, str(workers.folder))) as journal:
        wait_for(lambda: stored_text(journal, run) == text, 5.0, f"{text!r} in the journal")


def stored_text(journal: Journal, run: str) -> str | None:
    """Return the text that the journal has of a run; None while it does not have the run."""
    update = journal.read({run: JournalCursor()}, 10**9).get(run)
    if update is None:
        return None
    log = RunLog(Start(run=run, provider="", model=""), reset=[*update.reset, *update.frames])
    return log.text_of("text")


def reading_of(*readers: SseReader) -> Reading:
    """Return what a correct reader has of these connections."""
    reading = Reading()
    for reader in readers:
        for received in reader.received:
            reading.feed(received)
    return reading


def read_rest(first: SseReader, second: SseReader) -> Reading:
    """Read on to the end, and return what a correct reader has of both connections."""
    second.read_to_end(PROMISED_S)
    reading = reading_of(first, second)
    assert not reading.faults
    assert sum(received.terminal for received in second.received) == 1
    assert reading.terminal is not None
    assert reading.terminal["sha256"] == hashlib.sha256(reading.text.encode()).hexdigest()
    return reading


def message_of(person: Person, conversation: str, run: str) -> dict[str, Any]:
    found: dict[str, Any] = person.conversation(conversation)["messages"][run]
    return found


def go_on(person: Person, server: Server, workers: Workers, conversation: str) -> None:
    """Ask the next question of a conversation."""
    workers.provider.play(whole("The end."))
    assert Person(server, person.headers).ask(conversation, "And then?").text == "The end."


def test_an_answer_goes_on_on_another_worker(workers: Workers) -> None:
    first, second, provider = workers.first, workers.second, workers.provider
    anna, name = Person(first, workers.cookie()), new_run()
    with Gated("Once upon ", "lost") as gated:
        provider.play(in_turn(gated.answer, whole("a time.")))
        gated.open(1)
        reader = anna.start(name, "Tell me.")
        reader.read_text(10)
        run, last_id = reader.run, reader.last_id
        wait_stored(workers, run, "Once upon ")
        kill(first)
        killed_at = time.monotonic()
        with read_as(anna, second, run, last_id) as again:
            reading = read_rest(reader, again)
        assert time.monotonic() - killed_at < PROMISED_S
        reader.drop()
    assert reading.text == "Once upon a time."
    assert reading.terminal is not None
    assert (reading.terminal["done"], reading.terminal["finish_reason"]) == (True, "stop")
    assert reading.terminal["usage"]["estimated"] is True
    assert reading.resets == 1
    assert len(provider.calls) == 2
    asked = [message["role"] for message in provider.calls[1].json["messages"]]
    assert asked == ["user", "assistant", "user"]
    kept = message_of(Person(second, anna.headers), name, run)
    assert (text_of(kept), kept.get("state", "done")) == ("Once upon a time.", "done")
    assert kept["usage"]["output_tokens"] == reading.terminal["usage"]["output_tokens"]
    go_on(anna, second, workers, name)


def test_a_reader_on_another_worker_reads_on(workers: Workers) -> None:
    first, second, provider = workers.first, workers.second, workers.provider
    anna, name = Person(first, workers.cookie()), new_run()
    with Gated("Once upon ", "lost") as gated, Gated("a ", "time.") as rest:
        provider.play(in_turn(gated.answer, rest.answer))
        gated.open(1)
        reader = anna.start(name, "Tell me.")
        reader.read_text(10)
        with read_as(anna, second, reader.run, None) as elsewhere:
            assert elsewhere.read_until(lambda: reading_of(elsewhere).text == "Once upon ")
            kill(first)
            rest.open(1)
            assert elsewhere.read_until(lambda: reading_of(elsewhere).text == "Once upon a ", PROMISED_S)
            late = read_as(anna, second, reader.run, None)
            rest.open()
            elsewhere.read_to_end(PROMISED_S)
            late.read_to_end(PROMISED_S)
        for one in (elsewhere, late):
            reading = reading_of(one)
            assert not reading.faults
            assert reading.text == "Once upon a time."
            assert [received.terminal for received in one.received].count(True) == 1
        late.drop()
        reader.drop()


def test_an_answer_that_cannot_go_on_ends_with_its_text(workers: Workers) -> None:
    first, provider = workers.first, workers.provider
    anna, name = Person(first, workers.cookie()), new_run()
    with Gated("Once upon ", "lost") as gated, workers.server(OTHER_PROVIDER) as other:
        provider.play(gated.answer)
        gated.open(1)
        reader = anna.start(name, "Tell me.")
        reader.read_text(10)
        wait_stored(workers, reader.run, "Once upon ")
        kill(workers.second)
        kill(first)
        with read_as(anna, other, reader.run, reader.last_id) as again:
            reading = read_rest(reader, again)
        assert reading.text == "Once upon "
        assert reading.terminal is not None
        assert (reading.terminal["code"], reading.terminal["partial"]) == ("interrupted", True)
        assert len(provider.calls) == 1
        kept = message_of(Person(other, anna.headers), name, reader.run)
        assert (text_of(kept), kept["state"], kept["error"]) == ("Once upon ", "interrupted", "interrupted")
        reader.drop()


def test_an_answer_whose_workers_die_twice_ends(workers: Workers) -> None:
    first, second, provider = workers.first, workers.second, workers.provider
    anna, name = Person(first, workers.cookie()), new_run()
    with Gated("Once upon ", "lost") as gated, Gated("a ", "lost") as rest:
        provider.play(in_turn(gated.answer, rest.answer))
        gated.open(1)
        rest.open(1)
        reader = anna.start(name, "Tell me.")
        reader.read_text(10)
        run = reader.run
        wait_stored(workers, run, "Once upon ")
        kill(first)
        with read_as(anna, second, run, reader.last_id) as again:
            assert again.read_until(lambda: reading_of(again).text == "Once upon a ", PROMISED_S)
            with workers.server() as third:
                wait_stored(workers, run, "Once upon a ")
                kill(second)
                with read_as(anna, third, run, again.last_id) as last:
                    reading = read_rest(again, last)
                kept = message_of(Person(third, anna.headers), name, run)
                assert (text_of(kept), kept["state"]) == ("Once upon a ", "interrupted")
                go_on(anna, third, workers, name)
        assert reading.text == "Once upon a "
        assert reading.terminal is not None
        assert reading.terminal["code"] == "interrupted"
        reader.drop()


def test_without_a_conversation_an_answer_goes_on_too(workers: Workers) -> None:
    first, second, provider = workers.first, workers.second, workers.provider
    anna = Person(first, workers.cookie())
    with Gated("Once upon ", "lost") as gated:
        provider.play(in_turn(gated.answer, whole("a time.")))
        gated.open(1)
        reader = anna.start(None, "Tell me.", max_tokens=100)
        reader.read_text(10)
        wait_stored(workers, reader.run, "Once upon ")
        kill(first)
        with read_as(anna, second, reader.run, reader.last_id) as again:
            assert read_rest(reader, again).text == "Once upon a time."
        assert 0 < provider.calls[1].json["max_tokens"] < 100
        reader.drop()


def test_nothing_is_kept_of_a_caller_without_a_name(workers: Workers) -> None:
    first, second, provider = workers.first, workers.second, workers.provider
    nobody = Person(first, {"X": "y"})
    with Gated("Once upon ", "lost") as gated:
        provider.play(gated.answer)
        gated.open(1)
        reader = nobody.start(None, "Tell me.")
        reader.read_text(10)
        kill(first)
        wait_for(lambda: status_of(second, reader.run) == 200, PROMISED_S, "the end of the answer")
        with read_as(nobody, second, reader.run, None) as again:
            again.read_to_end()
        assert (again.frames[-1]["code"], again.text) == ("interrupted", "")
        reader.drop()


def status_of(server: Server, run: str) -> int:
    with SseReader(server.address, f"/stream/{run}") as reader:
        return reader.status


def test_a_run_that_was_stopped_while_its_worker_was_dead_ends_as_stopped() -> None:
    with Workers({"FRESHET_LEASE_S": "3"}) as workers:
        first, second, provider = workers.first, workers.second, workers.provider
        anna, name = Person(first, workers.cookie()), new_run()
        with Gated("Once upon ", "lost") as gated:
            provider.play(gated.answer)
            gated.open(1)
            reader = anna.start(name, "Tell me.")
            reader.read_text(10)
            wait_stored(workers, reader.run, "Once upon ")
            kill(first)
            person = Person(second, anna.headers)
            assert person.do("POST", f"/stream/{reader.run}/stop")[0] == 200
            with read_as(anna, second, reader.run, reader.last_id) as again:
                reading = read_rest(reader, again)
            assert reading.terminal is not None
            assert (reading.terminal["finish_reason"], reading.terminal["by"]) == ("cancelled", "user")
            assert len(provider.calls) == 1
            reader.drop()


def test_where_takeovers_are_off_an_answer_ends_with_its_text() -> None:
    with Workers(LEASE | {"FRESHET_TAKEOVER": "off"}) as workers:
        first, second, provider = workers.first, workers.second, workers.provider
        anna, name = Person(first, workers.cookie()), new_run()
        with Gated("Once upon ", "lost") as gated:
            provider.play(gated.answer)
            gated.open(1)
            reader = anna.start(name, "Tell me.")
            reader.read_text(10)
            wait_stored(workers, reader.run, "Once upon ")
            kill(first)
            with read_as(anna, second, reader.run, reader.last_id) as again:
                reading = read_rest(reader, again)
            assert (reading.text, len(provider.calls)) == ("Once upon ", 1)
            go_on(anna, second, workers, name)
            reader.drop()


@pytest.mark.parametrize("lease", [LEASE, {}], ids=["a second's lease", "the usual lease"])
def test_a_worker_that_gunicorn_starts_again_goes_on(lease: dict[str, str]) -> None:
    with Workers(lease) as workers:
        first, provider = workers.first, workers.provider
        kill(workers.second)
        anna, name = Person(first, workers.cookie()), new_run()
        with Gated("Once upon ", "lost") as gated:
            provider.play(in_turn(gated.answer, whole("a time.")))
            gated.open(1)
            reader = anna.start(name, "Tell me.")
            reader.read_text(10)
            wait_stored(workers, reader.run, "Once upon ")
            killed_at = time.monotonic()
            kill_worker(first)
            with read_as(anna, first, reader.run, reader.last_id) as again:
                reading = read_rest(reader, again)
            assert time.monotonic() - killed_at < PROMISED_S
            assert reading.text == "Once upon a time."
            assert text_of(message_of(anna, name, reader.run)) == "Once upon a time."
            reader.drop()


def test_s17_a_worker_that_was_frozen_leaves_its_run(workers: Workers) -> None:
    first, second, provider = workers.first, workers.second, workers.provider
    anna, name = Person(first, workers.cookie()), new_run()
    with Gated("Once upon ", "lost") as gated:
        provider.play(in_turn(gated.answer, whole("a time.")))
        gated.open(1)
        reader = anna.start(name, "Tell me.")
        reader.read_text(10)
        wait_stored(workers, reader.run, "Once upon ")
        worker = first.worker
        os.kill(worker, signal.SIGSTOP)
        try:
            with read_as(anna, second, reader.run, reader.last_id) as again:
                assert read_rest(reader, again).text == "Once upon a time."
            gated.open()
        finally:
            os.kill(worker, signal.SIGCONT)
        reader.read_to_end(PROMISED_S)
        reading = reading_of(reader)
        assert not reading.faults
        assert (reading.text, reading.terminal is not None) == ("Once upon a time.", True)
        reader.drop()
    wait_for(lambda: not state_of(first).get("waiting"), 10.0, "all writes of the frozen worker")
    for server in (first, second):
        person = Person(server, anna.headers)
        assert text_of(message_of(person, name, reader.run)) == "Once upon a time."


def test_a_restart_leaves_an_answer_to_the_next_server(workers: Workers) -> None:
    first, provider = workers.first, workers.provider
    anna, name = Person(first, workers.cookie()), new_run()
    kill(workers.second)
    with Gated("Once upon ", "lost") as gated:
        provider.play(in_turn(gated.answer, whole("a time.")))
        gated.open(1)
        reader = anna.start(name, "Tell me.")
        reader.read_text(10)
        os.kill(first.pid, signal.SIGQUIT)  # which waits for nothing
        first.wait_ended(20.0)
        first.start()
        with read_as(anna, first, reader.run, reader.last_id) as again:
            reading = read_rest(reader, again)
        assert reading.text == "Once upon a time."
        assert reading.resets == 1
        assert text_of(message_of(anna, name, reader.run)) == "Once upon a time."
        reader.drop()


@pytest.mark.parametrize("stream", [True, False])
def test_a_completion_that_outlasts_a_restart_ends_with_an_error_and_can_be_asked_for_again(
    stream: bool,
) -> None:
    with Workers(LEASE | {"GUNICORN_CMD_ARGS": "--graceful-timeout 6"}) as workers:
        first, second, provider = workers.first, workers.second, workers.provider
        headers = workers.cookie() | {"Idempotency-Key": new_run()}
        body = {"messages": [{"role": "user", "content": "Tell me."}], "stream": stream}

        def complete(server: Server) -> str:
            return request(server.address, "POST", "/v1/chat/completions", body, headers, 30.0)[2].decode()

        with Gated("Once upon ", "lost") as gated, ThreadPoolExecutor(1) as pool:
            provider.play(in_turn(gated.answer, whole("a time.")))
            gated.open(1)
            cut = pool.submit(complete, first)
            provider.wait_calls(1)
            os.kill(first.pid, signal.SIGTERM)
            text = cut.result(30)
            assert '"code":"interrupted"' in text, text
            assert "[DONE]" not in text
            again = complete(second)
            assert "Once upon " in again, again
            assert "a time." in again, again
            provider.wait_calls(2)  # a call is noted in another thread than it is answered
            assert len(provider.calls) == 2


def test_one_of_two_workers_is_killed() -> None:
    with Workers(LEASE | {"WEB_CONCURRENCY": "2"}) as workers:
        first, provider = workers.first, workers.provider
        kill_all(workers.second)
        anna, name = Person(first, workers.cookie()), new_run()
        with Gated("Once upon ", "lost") as gated:
            provider.play(in_turn(gated.answer, whole("a time.")))
            gated.open(1)
            reader = anna.start(name, "Tell me.")
            reader.read_text(10)
            wait_stored(workers, reader.run, "Once upon ")
            os.kill(worker_that_serves(first, reader.port), signal.SIGKILL)
            with read_as(anna, first, reader.run, reader.last_id) as again:
                assert read_rest(reader, again).text == "Once upon a time."
            assert text_of(message_of(anna, name, reader.run)) == "Once upon a time."
            assert len(provider.calls) == 2
            reader.drop()


def test_on_postgres_an_answer_goes_on_too(postgres: Postgres) -> None:
    url = postgres.new_url()
    Database(url, "unused").migrate()
    with Workers(LEASE, database_url=url) as workers:
        test_an_answer_goes_on_on_another_worker(workers)


TRAVEL = b"# Trains\n\nTrains are paid for in second class.\n"


@pytest.mark.parametrize("said", ["", "It says "], ids=["before its first text", "in the middle"])
def test_an_answer_from_documents_goes_on_with_the_same_passages(workers: Workers, said: str) -> None:
    first, second, provider = workers.first, workers.second, workers.provider
    anna, name = Person(first, workers.cookie()), new_run()
    path = f"/documents?name=travel.md&conversation={name}"
    status, _, added = anna.do("POST", path, TRAVEL)
    assert status == 201
    with Gated("It says ", "lost") as gated:
        provider.play(in_turn(gated.answer, whole("It says so [1]." if not said else "so [1].")))
        if said:
            gated.open(1)
        reader = anna.start(name, "Which class?")
        assert reader.read_until(lambda: any("sources" in frame for frame in reader.frames), 5.0)
        if said:
            reader.read_text(len(said))
        provider.wait_calls(1, 5.0)
        run, last_id = reader.run, reader.last_id
        wait_stored(workers, run, said)
        kill(first)
        with read_as(anna, second, run, last_id) as again:
            assert read_rest(reader, again).text == "It says so [1]."
        reader.drop()
    told = [call.json["messages"] for call in provider.calls]
    assert all("Trains are paid for in second class." in json.dumps(messages) for messages in told)
    assert told[0][0] == told[1][0], "the question with its passages"
    message = message_of(Person(second, anna.headers), name, run)
    assert [source["document"] for source in message["sources"]] == [added["id"]]
