"""Deployment as on a host: requirements.txt alone, the Procfile's line with PORT set, a provider behind TLS."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import Installed
from tests.deploy.installation import Hosted, pip
from tests.support.certs import Certificates
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.sse import SseReader

pytestmark = pytest.mark.timeout(300)

KEY, PASSWORD = "sk-canary-of-the-provider", "canary-of-the-visitor"
TEXT = ["Hel", "lo, ", "naïve ", "你好 ", "👩‍🚀"]
ANSWER = Answer(steps=[step for event in openai(TEXT) for step in (0.02, event)])


@pytest.fixture
def provider(certificates: Certificates) -> Iterator[FakeProvider]:
    with FakeProvider(ANSWER, tls=certificates.good) as fake:
        yield fake
    assert not fake.failures


def environment(provider: FakeProvider, certificates: Certificates, **more: str) -> dict[str, str]:
    """Return the variables that app.json and the operator set."""
    return {
        "SECRET_KEY": "canary-of-the-cookies",
        "FRESHET_ACCESS_PASSWORD": PASSWORD,
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "SSL_CERT_FILE": str(certificates.ca_file),
    } | more


def ask(server: Hosted, path: str, body: object = None) -> SseReader:
    """Ask and read to the end; the answer must be complete."""
    reader = SseReader(server.address, path, body, headers={"Authorization": f"Bearer {PASSWORD}"})
    with reader:
        received = reader.read_to_end()
    assert reader.text == "".join(TEXT)
    last = received[-1].frame
    assert last["finish_reason"] == "stop"
    assert last["sha256"] == hashlib.sha256(reader.text.encode()).hexdigest()
    return reader


def judge(server: Hosted) -> str:
    """Return the log so far, which must contain no secret."""
    for secret in (KEY, PASSWORD, "canary"):
        assert secret not in server.log
    return server.log


def test_the_pins_are_what_a_host_installs_and_they_agree(from_pins: Installed, checkout: Path) -> None:
    pip(from_pins.bin, "check", cwd=checkout)
    listed = json.loads(pip(from_pins.bin, "list", "--format=json", cwd=checkout))
    installed = {f"{one['name']}=={one['version']}".lower() for one in listed}
    pinned = {line.lower() for line in (checkout / "requirements.txt").read_text().split() if "==" in line}
    own = {one for one in installed if one.startswith(("pip==", "setuptools==", "freshet=="))}
    assert {plain(one) for one in installed - own} == {plain(one) for one in pinned}


def plain(pin: str) -> str:
    return pin.replace("_", "-").replace(".", "-")


def test_a_stream_over_tls_as_heroku_runs_it(
    from_pins: Installed, checkout: Path, tmp_path: Path, provider: FakeProvider, certificates: Certificates
) -> None:
    env = environment(
        provider, certificates, GUNICORN_CMD_ARGS="--access-logfile -", WEB_CONCURRENCY="2", DYNO="web.1"
    )
    with Hosted(from_pins.bin, checkout, tmp_path, env) as server:
        reader = ask(server, "/stream", {"query": "CANARY of the question"})
        assert sum("text" in one.frame for one in reader.received) > 1, "it came in one piece"
        ask(server, "/stream?query=CANARY")
        server.request("GET", "/nowhere?token=CANARY")
        server.wait_log('"GET /stream" 200', '"POST /stream" 200', '"GET /nowhere" 401')
        log = judge(server)
        assert "CANARY" not in log
        assert "add a Postgres" in log
        assert len(server.workers) == 2
    assert [call.headers["authorization"] for call in provider.calls] == [f"Bearer {KEY}"] * 2


def test_preloading_is_undone_with_several_workers(
    from_pins: Installed, checkout: Path, tmp_path: Path, provider: FakeProvider, certificates: Certificates
) -> None:
    env = environment(provider, certificates, GUNICORN_CMD_ARGS="--workers 4 --preload")
    with Hosted(from_pins.bin, checkout, tmp_path, env) as server:
        ask(server, "/stream", {"query": "Hi"})
        log = judge(server)
        assert "add a Postgres" not in log
        assert "preload_app is switched off" in log
        assert len(server.workers) == 4


def test_a_certificate_that_nobody_vouches_for_is_refused(
    from_pins: Installed, checkout: Path, tmp_path: Path, certificates: Certificates
) -> None:
    with FakeProvider(ANSWER, tls=certificates.untrusted) as fake:
        env = environment(fake, certificates)
        with Hosted(from_pins.bin, checkout, tmp_path, env) as server:
            reader = SseReader(
                server.address, "/stream", {"query": "Hi"}, headers={"Authorization": f"Bearer {PASSWORD}"}
            )
            with reader:
                last = reader.read_to_end()[-1].frame
            assert (last["code"], last["retryable"]) == ("upstream_tls", False)
            judge(server)
        assert fake.calls == []


def test_without_a_password_it_starts_and_is_locked(
    from_pins: Installed, checkout: Path, tmp_path: Path
) -> None:
    with Hosted(from_pins.bin, checkout, tmp_path, {"OPENAI_API_KEY": KEY}) as server:
        status, body = server.request("POST", "/stream", {"query": "Hi"})
        assert (status, json.loads(body)["error"]["code"]) == (503, "locked")
        assert b"FRESHET_ACCESS_PASSWORD" in body
        assert server.request("GET", "/")[0] == 503
        judge(server)
