"""Readers that return, with a good cursor or a bad one (docs/faults.md, C5, C6, C8, C12)."""

import json
from collections.abc import Iterator

import pytest

from tests.faults.answers import KEY, Answered, ask, ask_all, at_once, cookie_of, new_run, refusal_of
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import check_contiguous, check_digest, check_promises, read_frames
from tests.support.script import Answer, Step
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from tests.support.ws import WsClient

WORDS = [f"word{number} é😀 " for number in range(24)]


def slowly() -> Iterator[Step]:
    for word in WORDS:
        yield openai_delta(word)
        yield 0.04
    yield from openai_finish()
    yield DONE


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_EXPIRY_S": "600"}


@pytest.fixture
def ended(server: Server, provider: FakeProvider) -> Answered:
    """A run that has ended."""
    provider.play(Answer(steps=slowly))
    return ask(server)


def ways_back(run: str, after: str) -> list[tuple[str, dict[str, str]]]:
    return [
        (f"/stream/{run}", {"Last-Event-ID": after}),
        (f"/stream/{run}?after={after}", {}),
        (f"/stream/{run}?after=nonsense", {"Last-Event-ID": after}),
        ("/stream", {"Last-Event-ID": after}),
    ]


def test_c5_every_cursor_after_the_end(server: Server, provider: FakeProvider, ended: Answered) -> None:
    last = ended.received[-1]
    for number, one in enumerate(ended.received):
        if one.id is None or one is last:
            continue
        path, headers = ways_back(ended.run, one.id)[number % 4]
        with SseReader(server.address, path, headers=headers) as again:
            rest = again.read_to_end()
        assert again.status == 200
        assert not any("reset" in each.frame for each in rest), one.id
        reading = check_promises(ended.received[: number + 1] + rest)
        assert (reading.text, reading.terminal) == (ended.text, ended.terminal)
        assert one.cursor is not None
        check_contiguous([each for each in rest if each.id], one.cursor[2] + 1)
    assert len(provider.calls) == 1


def test_c5_every_cursor_during_the_run(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=slowly))
    run = new_run()

    def return_after(frames: int) -> str:
        with SseReader(server.address, body={"query": "hello", "run": run}) as reader:
            reader.read_frames(frames)
            seen, after = list(reader.received), reader.last_id
            reader.drop(with_reset=bool(frames % 2))
        assert after is not None
        path, headers = ways_back(run, after)[frames % 4]
        with SseReader(server.address, path, headers=headers) as again:
            return check_promises(seen + again.read_to_end()).text

    texts = at_once(*(lambda n=number: return_after(n) for number in range(1, 17)))
    assert set(texts) == {"".join(WORDS)}
    assert len(provider.calls) == 1


def test_c5_the_last_cursor_gets_204(server: Server, ended: Answered) -> None:
    after = ended.received[-1].id
    assert after is not None
    for path, headers in ways_back(ended.run, after):
        if "nonsense" in path:
            continue
        with SseReader(server.address, path, headers=headers) as again:
            assert again.status == 204, path
            assert again.response.read_all() == b""


BAD_SEQS = [
    "1:9999",
    "2:1",
    "1:-1",
    "1:x",
    "1:1e9",
    "1:" + "9" * 400,
    "1:",
    "",
    "0:0",
    "1:1.5",
    "1:999999999999999",
]


@pytest.mark.parametrize("tail", BAD_SEQS)
@pytest.mark.parametrize("living", [False, True])
def test_c6_a_bad_cursor(server: Server, provider: FakeProvider, tail: str, living: bool) -> None:
    provider.play(Answer(steps=slowly))
    with SseReader(server.address, body={"query": "hello"}) as reader:
        reader.read_text(10)
        if not living:
            reader.read_to_end()
        for path, headers in ways_back(reader.run, f"{reader.run}:{tail}"):
            watch = server.stopwatch()
            with SseReader(server.address, path, headers=headers) as again:
                assert watch.busy_s < 1
                check_bad_cursor(again, "".join(WORDS))
        whole = check_promises(reader.received if not living else reader.read_to_end())
    assert whole.text == "".join(WORDS)
    assert len(provider.calls) == 1


def check_bad_cursor(again: SseReader, text: str) -> None:
    """Check that a cursor that proves nothing yields the whole text, or nothing."""
    if again.status != 200:
        assert again.status in (204, 400, 404)
        body = again.response.read_all()
        assert body == b"" if again.status == 204 else refusal_of(again.status, body)
        return
    received = again.read_to_end()
    assert "reset" in received[0].frame or received[0].cursor is None or received[0].cursor[2] == 1
    reading = read_frames(received)
    check_digest(reading)
    assert reading.text == text


def test_c6_a_malformed_after_is_refused_with_its_name(server: Server, ended: Answered) -> None:
    for after in ("nonsense", "1:2", f"{ended.run}:x:y", "%00", "9" * 3000):
        status, _, body = server.request("GET", f"/stream/{ended.run}?after={after}")
        assert status == 400, after
        assert refusal_of(status, body)["param"] == "after"


def test_c6_a_long_reset_comes_in_parts_and_may_be_cut_in_any(server: Server, provider: FakeProvider) -> None:
    text, thought = "漢字 é 😀 and so on. " * 9000, "hm " * 50_000
    events = [openai_delta(None, reasoning=thought), openai_delta(text), *openai_finish(), DONE]
    provider.play(Answer(steps=events))
    whole = ask(server)
    assert (whole.text, whole.reasoning) == (text, thought)
    path = f"/stream/{whole.run}"
    with SseReader(server.address, path, headers={"Last-Event-ID": f"{whole.run}:7:1"}) as again:
        parts = again.read_to_end()
    assert len(parts) > 5
    assert "reset" in parts[0].frame
    assert [part.id is None for part in parts] == [True] * (len(parts) - 2) + [False, False]
    assert max(len(json.dumps(part.frame, ensure_ascii=False).encode()) for part in parts) < 66 * 1024
    reading = check_promises(parts)
    assert (reading.text, reading.reasoning, reading.terminal) == (text, thought, whole.terminal)
    for cut in (1, 3, len(parts) - 2):
        reading = read_frames(parts[:cut])
        assert reading.cursor is None
        for one in parts:
            reading.feed(one)
        assert (reading.text, reading.faults) == (text, [])


def test_c6_a_cursor_of_another_run_never_yields_its_text(server: Server, provider: FakeProvider) -> None:
    provider.play(
        lambda call: Answer(
            steps=[openai_delta(call.json["messages"][-1]["content"]), *openai_finish(), DONE]
        )
    )
    mine, other = ask(server, "mine"), ask(server, "other")
    for path, headers in ways_back(mine.run, f"{other.run}:1:1")[:3]:
        with SseReader(server.address, path, headers=headers) as again:
            if again.status == 200:
                assert read_frames(again.read_to_end()).text == "mine"
            else:
                assert again.status in (204, 400, 404)


def test_c6_an_unknown_run(server: Server, provider: FakeProvider) -> None:
    calls = len(provider.calls)
    run = new_run()
    for name in (run, "short", "x" * 300, "a%2Fb", "..", "%ff" * 22):
        status, _, body = server.request("GET", f"/stream/{name}")
        assert status in (400, 404), name
        refusal_of(status, body)
    status, _, body = server.request("GET", "/stream", Last_Event_ID=f"{run}:1:3")
    assert (status, body) == (204, b"")
    status, _, body = server.request("POST", "/stream", {"query": "x"}, Last_Event_ID=f"{run}:1:3")
    assert (status, body) == (204, b"")
    status, _, body = server.request("POST", f"/stream/{run}/stop")
    assert status == 404
    assert len(provider.calls) == calls


def test_c6_somebody_elses_run_is_not_found(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[openai_delta("private"), *openai_finish(), DONE]))
    mine, theirs = cookie_of(server), cookie_of(server)
    assert mine != theirs
    with SseReader(server.address, body={"query": "hello"}, headers={"Cookie": mine}) as reader:
        run = check_promises(reader.read_to_end()) and reader.run
    for cookie in ({"Cookie": theirs}, {}):
        for path, headers in ways_back(run, f"{run}:1:1")[:3]:
            with SseReader(server.address, path, headers={**headers, **cookie}) as again:
                assert again.status == 404, (path, cookie)
                assert b"private" not in again.response.read_all()
        status, _, body = server.request("GET", "/stream", Last_Event_ID=f"{run}:1:1", **cookie)
        assert (status, body) == (204, b"")
        assert server.request("POST", f"/stream/{run}/stop", **cookie)[0] == 404
        with WsClient(server.address, headers=cookie) as client:
            client.send_json(type="resume", ref="1", run=run, after=f"{run}:1:0")
            assert client.read_reply("refused")["status"] == 404
            assert "private" not in json.dumps(client.jsons)
    status, _, _ = server.request("GET", f"/stream/{run}", Cookie=mine)
    assert status == 200


def test_c8_a_run_expires(provider: FakeProvider) -> None:
    provider.play(Answer(steps=slowly))
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_EXPIRY_S": "1.5"}
    with Server(env, secrets=(KEY,)) as short:
        runs = [answer.run for answer in ask_all(short, ["a", "b", "c"])]
        assert short.request("GET", f"/stream/{runs[0]}")[0] == 200
        wait_for(lambda: short.request("GET", f"/stream/{runs[0]}")[0] == 404, 6, "404 for an expired run")
        for run in runs[1:]:
            wait_for(lambda name=run: short.request("GET", f"/stream/{name}")[0] == 404, 3, "the others' 404")
        status, _, body = short.request("GET", "/stream", Last_Event_ID=f"{runs[0]}:1:3")
        assert (status, body) == (204, b"")
        assert short.request("POST", f"/stream/{runs[0]}/stop")[0] == 404
        wait_for(lambda: short.probe().get("Run", 0) == 0, 6, "no run is kept")


def test_c12_two_tabs_one_late(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=slowly))
    with SseReader(server.address, body={"query": "hello"}) as first:
        first.read_text(80)
        with SseReader(server.address, f"/stream/{first.run}") as late, WsClient(server.address) as tab:
            tab.send_json(type="resume", ref="1", run=first.run, after=f"{first.run}:1:0")
            received = [first.read_to_end(), late.read_to_end(), tab.read_to_end(first.run)]
    readings = [check_promises(one) for one in received]
    assert {reading.text for reading in readings} == {"".join(WORDS)}
    assert len({json.dumps(reading.terminal, sort_keys=True) for reading in readings[:2]}) == 1
    assert len(provider.calls) == 1
