"""A worker dies after the end of an answer was sent and before it was saved in its conversation, which then gets it from the journal."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.answers import new_run
from tests.faults.conversations import Person, text_of
from tests.support.dialects import openai
from tests.support.probe.killing import KillFile
from tests.support.script import Answer
from tests.support.server import wait_for
from tests.survival.workers import Workers
from webapp.journal.database import DatabaseJournal

EXPIRY_S = 5.0
SETTINGS = {"FRESHET_LEASE_S": "1", "FRESHET_EXPIRY_S": str(EXPIRY_S)}


@pytest.fixture
def file(tmp_path: Path) -> KillFile:
    return KillFile(tmp_path / "kill")


@pytest.fixture
def workers(file: KillFile) -> Iterator[Workers]:
    with Workers(SETTINGS | {"KILL_FILE": str(file.path)}) as running:
        yield running


def message_of(person: Person, conversation: str, run: str) -> dict[str, Any]:
    return {"state": "done"} | person.conversation(conversation)["messages"][run]


@pytest.mark.parametrize("is_opened", [True, False], ids=["opened", "not opened"])
def test_an_answer_that_was_not_saved_outlives_its_run(
    workers: Workers, file: KillFile, is_opened: bool
) -> None:
    workers.provider.play(Answer(steps=openai(["Once upon ", "a time."])))
    anna, name, run = Person(workers.first, workers.cookie()), new_run(), new_run()
    file.arm("terminal frame sent, answer not saved", run)
    with anna.start(name, "Tell me.", run=run) as reader:
        assert reader.read_until(lambda: any(one.terminal for one in reader.received))
        reader.drop()
    wait_for(lambda: file.find_struck() is not None, 10.0, "the kill")
    second = Person(workers.second, anna.headers)
    if is_opened:
        message_of(second, name, run)
    second.ask(new_run(), "And then?")  # a worker with a run deletes those that have expired
    with closing(DatabaseJournal(None, str(workers.folder))) as journal:
        wait_for(lambda: journal.find(run) is None, EXPIRY_S + 20.0, "the end of the run's time")
    for server in (workers.first, workers.second):
        shown = message_of(Person(server, anna.headers), name, run)
        assert (text_of(shown), shown["state"]) == ("Once upon a time.", "done")
        assert shown["usage"]["output_tokens"] == reader.frames[-1]["usage"]["output_tokens"]
    assert len(workers.provider.calls) == 2
