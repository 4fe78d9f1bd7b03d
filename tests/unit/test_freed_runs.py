"""An expired run is freed at once: what refers to it in a circle would wait for the garbage collector, which seldom runs."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from tests.support.dialects import openai, openai_delta, sse
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.script import RESET, STALL, Answer, refusal
from tests.unit.engine import TIMEOUT_S, RunsWithoutPulse, finish, start
from webapp.providers.base import BaseProvider
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits
from webapp.settings import Settings
from webapp.wiring import create_provider

DELTA = openai_delta("Hello")
ANSWERS = {
    "whole": Answer(steps=openai(["Hello"])),
    "reset": Answer(steps=[DELTA, RESET]),
    "reset after a burst": Answer(steps=[100 * DELTA, RESET]),
    "cut off": Answer(steps=[DELTA]),
    "error after text": Answer(steps=[DELTA, sse({"error": {"message": "no"}})]),
    "error with text": Answer(steps=[DELTA + sse({"error": {"message": "no"}})]),
    "refused": refusal(401),
    "overloaded": refusal(503, retry_after_ms="10"),
    "no stream": Answer(steps=[b"<html>"]),
}


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def make_provider(port: int) -> BaseProvider:
    environ = {
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "FRESHET_RETRIES": "1",
        "FRESHET_RETRY_MAX_S": "1",
    }
    return create_provider("openai", "gpt-4.1", settings=Settings.read(environ))


def expire(runs: RunsWithoutPulse, run: Run) -> None:
    assert run.ended_at is not None
    runs.run_pulse(run.ended_at + runs.limits.expiry_s + 1)


def answer_and_expire(
    provider: BaseProvider, limits: RunLimits | None = None
) -> tuple["weakref.ref[Run]", "weakref.ref[object]"]:
    """Generate an answer to its end and let it expire; return references to its run and its log."""
    runs = RunsWithoutPulse(limits)
    run = start(runs, provider)
    finish(runs, run)
    expire(runs, run)
    return weakref.ref(run), weakref.ref(run.log)


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_freed_however_it_ends(kind: str) -> None:
    with FakeProvider(ANSWERS[kind]) as fake:
        references = answer_and_expire(make_provider(int(fake.url.rpartition(":")[2])))
    assert [reference() for reference in references] == [None, None]


@pytest.mark.parametrize("kind", ["reset after a burst", "error with text"])
def test_an_answer_is_freed_whose_error_is_never_raised(kind: str) -> None:
    with FakeProvider(ANSWERS[kind]) as fake:
        provider = make_provider(int(fake.url.rpartition(":")[2]))
        references = answer_and_expire(provider, RunLimits(run_max_bytes=1))
    assert [reference() for reference in references] == [None, None]


def test_an_answer_without_a_connection_is_freed() -> None:
    references = answer_and_expire(make_provider(closed_port()))
    assert [reference() for reference in references] == [None, None]


def test_a_stopped_answer_is_freed() -> None:
    with FakeProvider(Answer(steps=[DELTA, STALL])) as fake:
        runs = RunsWithoutPulse()
        run = start(runs, make_provider(int(fake.url.rpartition(":")[2])))
        fake.wait_calls(1)
        stopping = threading.Thread(target=runs.stop, args=(run.id, None))
        stopping.start()
        finish(runs, run)
        stopping.join(TIMEOUT_S)
        expire(runs, run)
        references = weakref.ref(run), weakref.ref(run.log)
        del run, stopping
        assert [reference() for reference in references] == [None, None]
