"""Who may read /metrics: the operator, in each mode; and that it has no secret."""

from collections.abc import Iterator

import pytest

from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server

KEY, PASSWORD = "operator-key-7f3a", "the-password-91"


@pytest.fixture(scope="module")
def public() -> Iterator[Server]:
    with FakeProvider(Answer(steps=openai(["Hello"]))) as provider:
        env = {
            "FRESHET_PUBLIC": "true",
            "FRESHET_VISITOR_MODELS": "all",
            "FRESHET_OPERATOR_KEY": KEY,
            "OPENAI_API_KEY": "provider-key-55",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "FRESHET_MODEL": "gpt-4.1",
        }
        with Server(env, secrets=(KEY, "provider-key-55")) as server:
            yield server


def get(server: Server, token: str | None = None, path: str = "/metrics") -> tuple[int, str]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    status, _, body = server.request("GET", path, **headers)
    return status, body.decode()


def test_in_public_mode_only_the_operators_key_reads_them(public: Server) -> None:
    assert get(public)[0] == 401
    assert get(public, "wrong")[0] == 401
    status, text = get(public, KEY)
    assert status == 200
    assert "# TYPE freshet_readers gauge" in text
    assert KEY not in text


def test_they_count_an_answer_and_what_its_readers_do(public: Server) -> None:
    run = "R" * 22
    status, _, body = public.request("POST", "/stream", {"query": "hi", "run": run})
    assert status == 200
    assert b'"done"' in body
    assert public.request("GET", f"/stream/{run}")[0] == 200
    text = get(public, KEY)[1]
    assert 'freshet_runs_total{provider="openai",state="done"} 1.0' in text
    assert 'freshet_resumes_total{kind="joined"} 1.0' in text
    assert 'freshet_first_delta_seconds_count{provider="openai"} 1.0' in text
    assert list((public.folder / "data" / "metrics").glob("server-*/counter_*.db")), "not shared by workers"


def test_the_operators_key_opens_nothing_else() -> None:
    env = {"FRESHET_ACCESS_PASSWORD": PASSWORD, "FRESHET_OPERATOR_KEY": KEY}
    with Server(env, secrets=(KEY, PASSWORD)) as server:
        assert get(server, KEY, "/conversations")[0] == 401
        assert get(server)[0] == 401
        assert get(server, KEY)[0] == 200
        assert get(server, PASSWORD)[0] == 200
        for number in range(20):
            get(server, f"guess-{number}")
        assert get(server, "guess-again")[0] == 429


def test_in_local_mode_everybody_on_this_computer_reads_them_and_a_proxys_clients_do_not() -> None:
    with Server({"FRESHET_LOCAL": "true"}) as server:
        assert get(server)[0] == 200
        assert server.request("GET", "/metrics", X_Forwarded_For="192.0.2.1")[0] == 503


def test_a_data_folder_that_cannot_be_written_costs_no_metrics() -> None:
    env = {"FRESHET_PUBLIC": "true", "FRESHET_OPERATOR_KEY": KEY, "FRESHET_DATA_DIR": "/proc/none"}
    with Server(env, dirty_log=True) as server:
        assert get(server, KEY)[0] == 200
