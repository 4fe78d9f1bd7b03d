"""What the tests of stored conversations share: a person who asks, an answer in steps, and what is stored."""

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from tests.faults.answers import Answered, answered, cookie_of
from tests.faults.workers import ask_each
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.script import Answer, Step
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader

SAVED_S = 20.0  # the longest pause between two tries is fifteen seconds
STEP_S = 60.0


class Gated:
    """An answer whose parts are sent when the test opens the gate."""

    def __init__(self, *parts: str) -> None:
        self._parts = parts
        self._gates = [threading.Event() for _ in parts]

    @property
    def answer(self) -> Answer:
        return Answer(steps=self._steps)

    def open(self, count: int | None = None) -> None:
        """Send the first `count` parts, or all of them with the end."""
        for gate in self._gates[:count]:
            gate.set()

    def _steps(self) -> Iterator[Step]:
        for part, gate in zip(self._parts, self._gates, strict=True):
            assert gate.wait(STEP_S)
            yield openai_delta(part)
        yield from openai_finish()
        yield DONE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.open()


class Person:
    """One owner, with a visitor's cookie."""

    def __init__(self, server: Server, headers: Mapping[str, str] | None = None) -> None:
        self._server = server
        self.headers = dict(headers or {"Cookie": cookie_of(server)})

    def start(self, conversation: str | None, query: str | None = "Well?", **more: Any) -> SseReader:
        """Ask; the caller reads the answer and closes the reader."""
        body = {"conversation": conversation, "query": query} | more
        body = {name: value for name, value in body.items() if value is not None or name == "parent"}
        reader = SseReader(self._server.address, body=body, headers=self.headers)
        assert reader.status == 200, reader.response.read_all()
        return reader

    def ask(self, conversation: str | None, query: str | None = "Well?", **more: Any) -> Answered:
        """Ask, read the answer to its end, and check what every answer promises."""
        with self.start(conversation, query, **more) as reader:
            return answered(reader, reader.read_to_end())

    def do(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, str], Any]:
        status, headers, raw = self._server.request(method, path, body, **self.headers)
        return status, headers, json.loads(raw)

    def conversation(self, name: str) -> dict[str, Any]:
        """Return a conversation, its messages by id."""
        status, _, body = self.do("GET", f"/conversations/{name}")
        assert status == 200, body
        body["messages"] = {message["id"]: message for message in body["messages"]}
        kept: dict[str, Any] = body
        return kept

    def texts(self, name: str) -> list[str]:
        """Return the texts of the current branch; none while it cannot be read."""
        status, _, body = self.do("GET", f"/conversations/{name}")
        if status != 200:
            return []
        messages = {message["id"]: message for message in body["messages"]}
        found, at = [], body["leaf"]
        while at is not None:
            found.append(text_of(messages[at]))
            at = messages[at]["parent"]
        return found[::-1]

    def wait_kept(self, name: str, *texts: str) -> None:
        """Wait until the current branch has these texts and all of it is stored."""
        wait_for(
            lambda: self.texts(name) == list(texts) and not state_of(self._server).get("waiting"),
            SAVED_S,
            f"{texts} in {name}, which holds {self.texts(name)}",
        )


def text_of(message: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in message["content"])


def notices(answer: Answered) -> list[int]:
    """Return the positions of the `not_saved` frames, counted from the end: -2 is right before the last."""
    kinds = [one.frame.get("notice", {}).get("code") for one in answer.received]
    return [place - len(kinds) for place, code in enumerate(kinds) if code == "not_saved"]


def state_of(server: Server) -> dict[str, Any]:
    """Return the store's state from /readyz: `away` if it is for one of the workers, and what waits in all of them."""
    told: list[dict[str, Any]] = [json.loads(body)["store"] for _, _, body in ask_each(server, "/readyz")]
    state = next((each for each in told if each["state"] != "ready"), told[0])
    waiting = sum(each.get("waiting", 0) for each in told)
    return state | ({"waiting": waiting} if waiting else {})


def warm(server: Server) -> None:
    """Use the store once, so that its threads and connections exist."""
    person = Person(server)
    person.ask(secrets.token_urlsafe(16))
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: person.do("GET", "/conversations?limit=1"), range(48)))


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(60) for future in [pool.submit(task) for task in tasks]]
