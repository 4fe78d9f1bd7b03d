"""A thousand answers, each cut at random and resumed over either transport: the text is always whole."""

import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.faults.answers import KEY, new_run, query_of
from tests.support.certs import Certificates
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import Reading, check_digest, digest
from tests.support.rawhttp import Cut
from tests.support.script import RESET, Answer, Call, Step
from tests.support.server import Server
from tests.support.sse import SseReader
from tests.support.ws import WsClient

TALES, READERS_AT_ONCE, TRIES = 1000, 24, 60
ALPHABET = 'abcdefghijklmnopqrstuvwxyz      \n"\\é漢😀👩‍👩‍👧\u2028'


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_LOG_MAX_BYTES": str(400 * 2**20), "FRESHET_HEARTBEAT_S": "1"}


def tale_of(seed: int) -> list[str]:
    """Return the deltas of an answer, by its seed."""
    dice = random.Random(seed)
    return ["".join(dice.choices(ALPHABET, k=dice.randint(1, 60))) for _ in range(dice.randint(1, 50))]


def tell(call: Call) -> Answer:
    """Return the answer for the seed in the question, at an uneven pace."""
    seed = int(query_of(call).split()[-1])

    def steps() -> Iterator[Step]:
        dice = random.Random(seed + 1)
        for piece in tale_of(seed):
            yield openai_delta(piece)
            yield dice.choice((0.0, 0.0, 0.005, 0.02, 0.05))
        yield from openai_finish()
        yield DONE

    return Answer(steps=steps, head_after_s=random.Random(seed + 2).choice((0.0, 0.0, 0.1)))


@dataclass(slots=True)
class Listener:
    """A client that resumes until it has its whole answer."""

    server: Server
    seed: int
    ways: Counter[str]

    def listen(self) -> Reading:
        """Read until the terminal frame; every connection but the last is cut somewhere."""
        dice, reading, run = random.Random(self.seed + 3), Reading(), new_run()
        for tries in range(TRIES):
            way = dice.choice(("post", "get", "join", "socket"))
            if tries == 0 and way == "join":
                way = "post"
            cut = None if tries > 12 or dice.random() < 0.1 else dice.randint(0, 1200)
            self.ways[way] += 1
            if way == "socket":
                self._by_socket(reading, run, cut, with_reset=dice.random() < 0.5)
            else:
                self._by_sse(reading, run, way, cut, with_reset=dice.random() < 0.5)
            if reading.terminal is not None:
                return reading
        raise AssertionError(f"seed {self.seed}: no end in {TRIES} connections, {reading.cursor}")

    def _by_sse(self, reading: Reading, run: str, way: str, cut: int | None, *, with_reset: bool) -> None:
        question = f"tell tale {self.seed}"
        headers = {"Last-Event-ID": reading.cursor} if reading.cursor else {}
        path, body = "/stream", None
        if way == "post":
            body = {"query": question, "run": run}
        elif way == "get":
            path = f"/stream?query={question.replace(' ', '+')}&run={run}"
        elif reading.cursor:
            path, headers = f"/stream/{run}?after={reading.cursor}", {}
        else:
            path = f"/stream/{run}"
        with SseReader(self.server.address, path, body, headers=headers, timeout_s=30) as reader:
            if reader.status == 404 and way == "join":
                return  # the first request never arrived
            assert reader.status == 200, (reader.status, way, reader.response.read_all())
            if cut is None:
                reader.read_to_end(30)
            else:
                reader.read_bytes(cut, 30)
            reader.drop(with_reset=with_reset)
        for one in reader.received:
            reading.feed(one)

    def _by_socket(self, reading: Reading, run: str, cut: int | None, *, with_reset: bool) -> None:
        with WsClient(self.server.address, timeout_s=30) as client:
            if reading.cursor:
                client.send_json(type="resume", ref="r", run=run, after=reading.cursor)
            else:
                client.send_json(type="start", ref="s", run=run, query=f"tell tale {self.seed}")
            with contextlib.suppress(Cut):
                self._read_socket(client, run, cut)
            client.drop(with_reset=with_reset)
        for one in client.received(run):
            reading.feed(one)

    def _read_socket(self, client: WsClient, run: str, cut: int | None) -> None:
        if cut is None:
            client.read_to_end(run, 30)
            return
        deadline, heard = time.monotonic() + 30, 0
        while heard < cut and not any(one.terminal for one in client.received(run)[-2:]):
            message = client.receive(deadline - time.monotonic())
            assert message is not None, f"closed with {client.closed}"
            heard += len(message.payload)


def tell_and_reset(call: Call) -> Answer:
    """Return the same answer, which ends in a reset, half of the time before its last event."""
    told = tell(call)
    seed = int(query_of(call).split()[-1])

    def steps() -> Iterator[Step]:
        yield from (step for step in told.iterate() if step != DONE or seed % 2)
        yield 0.05  # a reset drops what the kernel has not sent yet
        yield RESET

    return Answer(steps=steps, head_after_s=told.head_after_s)


@pytest.mark.timeout(300)
def test_a_thousand_cuts_end_in_the_same_text(
    server: Server, provider: FakeProvider, dice: random.Random
) -> None:
    provider.play(tell)
    cut_a_thousand_times(server, provider, dice)


@pytest.mark.timeout(300)
def test_n9_a_thousand_cuts_of_answers_that_end_in_a_reset_over_tls(
    settings: dict[str, str], certificates: Certificates, dice: random.Random
) -> None:
    with FakeProvider(tell_and_reset, tls=certificates.good) as provider:
        env = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "SSL_CERT_FILE": str(certificates.ca_file),
        }
        with Server(env | settings, secrets=(KEY,)) as server:
            cut_a_thousand_times(server, provider, dice)


def cut_a_thousand_times(server: Server, provider: FakeProvider, dice: random.Random) -> None:
    """Ask a thousand questions, each read in pieces, and check every answer."""
    ways: Counter[str] = Counter()
    seeds = [dice.randrange(2**31) for _ in range(TALES)]
    began = time.monotonic()
    with ThreadPoolExecutor(READERS_AT_ONCE) as pool:
        readings = list(pool.map(lambda seed: Listener(server, seed, ways).listen(), seeds))
    print(f"{sum(ways.values())} connections in {time.monotonic() - began:.1f} s: {dict(ways)}")
    for seed, reading in zip(seeds, readings, strict=True):
        assert reading.faults == [], (seed, reading.faults)
        assert reading.terminal is not None
        assert reading.terminal.get("done"), (seed, reading.terminal)
        check_digest(reading)
        assert digest(reading.text) == digest("".join(tale_of(seed))), seed
    asked = Counter(query_of(call) for call in provider.calls)
    assert asked == Counter(f"tell tale {seed}" for seed in seeds)
