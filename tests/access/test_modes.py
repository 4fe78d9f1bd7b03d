"""The modes: password, local, public and locked, on loopback and behind proxies."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.access.conftest import Start, make_server
from tests.access.device import KEY, PASSWORD, Device, error_of
from tests.support.fake_provider import FakeProvider
from tests.support.nginx import Nginx
from tests.support.server import ROOT, Server, free_port, wait_for

BARE_PROXY = "location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; }}"
FORWARDING_PROXY = """location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; }}"""


@pytest.fixture(scope="module")
def password_server(provider: FakeProvider) -> Iterator[Server]:
    with make_server(provider, FRESHET_ACCESS_PASSWORD=PASSWORD) as running:
        yield running


@pytest.fixture(scope="module")
def locked(provider: FakeProvider) -> Iterator[Server]:
    """Yield a server on loopback without any access setting."""
    with make_server(provider, FRESHET_LOCAL="false") as running:
        yield running


QUESTION = {"messages": [{"role": "user", "content": "Hi"}]}


def test_the_password_is_required_on_loopback_too(password_server: Server, provider: FakeProvider) -> None:
    calls = len(provider.calls)
    status, _, raw = password_server.request("POST", "/v1/chat/completions", QUESTION)
    assert (status, error_of(raw)["code"]) == (401, "not_signed_in")
    assert len(provider.calls) == calls
    assert (
        password_server.request("POST", "/v1/chat/completions", QUESTION, Authorization=f"Bearer {PASSWORD}")[
            0
        ]
        == 200
    )


def test_a_bare_proxy_admits_nobody(password_server: Server, locked: Server, provider: FakeProvider) -> None:
    """Behind a bare `proxy_pass`, every request seems to come from a local program."""
    calls = len(provider.calls)
    for server, status in ((password_server, 401), (locked, 503)):
        with Nginx(BARE_PROXY.format(port=server.port)) as nginx:
            anonymous = Device(nginx.address)
            for method, path, body in (
                ("POST", "/v1/chat/completions", QUESTION),
                ("POST", "/stream", {"query": "Hi"}),
                ("GET", "/stream?query=Hi", None),
                ("GET", "/conversations", None),
                ("GET", "/", None),
            ):
                assert anonymous.request(method, path, body)[0] == status, (path, status)
            assert anonymous.request("GET", "/healthz")[0] == 200
    assert len(provider.calls) == calls


def test_signing_in_and_chatting_through_nginx(password_server: Server) -> None:
    with Nginx(BARE_PROXY.format(port=password_server.port)) as nginx:
        person = Device(nginx.address)
        assert person.sign_in() == 303
        assert person.ask() == "Hello"
        assert person.conversation_ids() == set()


def test_without_a_setting_loopback_is_locked(locked: Server, provider: FakeProvider) -> None:
    calls = len(provider.calls)
    for method, path, body in (
        ("POST", "/stream", {"query": "Hi"}),
        ("GET", "/readyz", None),
        ("GET", "/", None),
    ):
        status, headers, raw = locked.request(method, path, body)
        assert status == 503
        assert "retry-after" in headers
        assert b"FRESHET_ACCESS_PASSWORD" in raw
    assert locked.request("GET", "/healthz")[0] == 200
    assert "locked: set FRESHET_ACCESS_PASSWORD" in locked.log
    assert len(provider.calls) == calls


def test_a_server_with_only_mock_is_public() -> None:
    with Server({"FRESHET_LOCAL": "false"}) as demo:
        visitor = Device(demo.address)
        assert visitor.open() == 200
        name = visitor.create_conversation()
        assert visitor.conversation_ids() == {name}
        assert Device(demo.address).request("GET", "/conversations")[0] == 401


def test_local_mode_has_one_user_for_all_clients(start: Start) -> None:
    server = start(FRESHET_LOCAL="true")
    first = Device(server.address)
    assert first.open() == 200
    assert first.cookies == {}
    name = first.create_conversation()
    assert Device(server.address).conversation_ids() == {name}
    assert Device(server.address, {"Authorization": "Bearer anything"}).conversation_ids() == {name}


def test_conversations_survive_setting_and_changing_a_password(start: Start) -> None:
    server = start(FRESHET_LOCAL="true")
    name = Device(server.address).create_conversation()
    folder = str(server.folder / "data")
    with_password = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_DATA_DIR=folder)
    person = Device(with_password.address)
    assert person.request("GET", "/conversations")[0] == 401
    assert person.sign_in() == 303
    assert person.conversation_ids() == {name}
    other = start(FRESHET_ACCESS_PASSWORD="another password", FRESHET_DATA_DIR=folder)
    again = Device(other.address)
    again.cookies = dict(person.cookies)
    assert again.request("GET", "/conversations")[0] == 401, "a changed password ends earlier sessions"
    assert again.sign_in("another password") == 303
    assert again.conversation_ids() == {name}, "the conversations remain"


def test_the_limits_are_logged_in_one_line(start: Start) -> None:
    server = start(FRESHET_PUBLIC="true", FRESHET_VISITOR_STARTS="7")
    lines = [line for line in server.log.splitlines() if "limits:" in line]
    assert len(lines) == 1
    for text in ("visitor: 2 concurrent answers, 7 starts/min", "user: 8 concurrent", "key: 16 concurrent"):
        assert text in lines[0]


# Starting.


def run_to_exit(*arguments: str, **env: str) -> tuple[int, str]:
    """Start a server that must fail; return its exit code and output."""
    minimal = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PORT": str(free_port()),
        "FRESHET_HOST": "127.0.0.1",
    }
    command = arguments or ("-m", "gunicorn", "-c", "python:webapp.server", "webapp:create_app()")
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=minimal | env, capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"FRESHET_LOCAL": "true", "FRESHET_PUBLIC": "true"}, "FRESHET_LOCAL"),
        ({"FRESHET_LOCAL": "true", "FRESHET_HOST": "0.0.0.0"}, "FRESHET_LOCAL"),
        ({"FRESHET_LOCAL": "true", "GUNICORN_CMD_ARGS": "--bind 0.0.0.0:0"}, "FRESHET_LOCAL"),
        (
            {"FRESHET_LOCAL": "true", "GUNICORN_CMD_ARGS": "--bind unix:/tmp/freshet-test.sock"},
            "FRESHET_LOCAL",
        ),
        ({"FRESHET_TRUSTED_PROXIES": "my-proxy"}, "FRESHET_TRUSTED_PROXIES"),
        ({"FRESHET_TRUSTED_PROXIES": "10.0.0.0/8; 127.0.0.1"}, "FRESHET_TRUSTED_PROXIES"),
        ({"FRESHET_VISITOR_ANSWERS": "0"}, "FRESHET_VISITOR_ANSWERS"),
    ],
)
def test_contradicting_settings_end_the_start_with_one_line(env: dict[str, str], variable: str) -> None:
    code, output = run_to_exit(**env)
    lines = [line for line in output.strip().splitlines() if "freshet:" in line]
    assert code != 0
    assert len(lines) == 1, output
    assert variable in lines[0]
    assert "Traceback" not in output


def test_serve_on_a_public_address_names_the_settings() -> None:
    code, output = run_to_exit("-m", "webapp", "serve", "--host", "0.0.0.0", OPENAI_API_KEY=KEY)
    assert code == 2
    assert "FRESHET_ACCESS_PASSWORD" in output
    assert len(output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("env", "status"),
    [({}, 200), ({"FRESHET_ACCESS_PASSWORD": PASSWORD}, 401), ({"FRESHET_PUBLIC": "true"}, 401)],
)
def test_serve_is_local_unless_a_password_or_public_is_set(
    env: dict[str, str], status: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    minimal = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "OPENAI_API_KEY": KEY, "PORT": str(port)}
    minimal["FRESHET_DATA_DIR"] = str(tmp_path_factory.mktemp("serve"))
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "serve"],
        cwd=ROOT,
        env=minimal | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    device = Device(("127.0.0.1", port))

    def is_up() -> bool:
        try:
            return device.request("GET", "/healthz")[0] == 200
        except OSError:
            return False

    try:
        wait_for(is_up, 20.0, "the server")
        assert device.request("GET", "/conversations")[0] == status
    finally:
        process.terminate()
        process.wait(20)


# Trusted proxies.


def test_a_trusted_proxys_tls_is_recognized(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1")
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Host": "chat.example"}
    person = Device(server.address, forwarded)
    assert person.sign_in() == 303
    assert set(person.cookies) == {"__Host-freshet-session", "__Host-freshet-browser"}
    status, headers, _ = person.request("GET", "/conversations", Origin="https://chat.example")
    assert status == 200
    assert headers["strict-transport-security"].startswith("max-age=")
    assert person.request("GET", "/conversations", Origin="http://chat.example")[0] == 403
    plain = Device(server.address, {"Host": "chat.example"})
    plain.cookies = {name.removeprefix("__Host-"): value for name, value in person.cookies.items()}
    assert plain.request("GET", "/conversations")[0] == 200
    stripped = Device(server.address, forwarded)
    stripped.cookies = plain.cookies
    assert stripped.request("GET", "/conversations")[0] == 401, (
        "over TLS a cookie without a prefix is ignored: other hosts can set it"
    )


def test_headers_of_an_untrusted_proxy_are_ignored(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="10.0.0.0/8")
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Host": "chat.example"}
    status, headers, raw = Device(server.address, forged).request(
        "GET", "/conversations", Origin="https://chat.example"
    )
    assert status == 403
    assert "strict-transport-security" not in headers
    assert "FRESHET_TRUSTED_PROXIES" in json.loads(raw)["error"]["message"]


def test_gunicorn_believes_no_header_by_itself(start: Start) -> None:
    """It would take X-Forwarded-Proto and SCRIPT_NAME from anybody on loopback."""
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD)
    person = Device(server.address, {"X-Forwarded-Proto": "https", "Host": "chat.example"})
    assert person.sign_in() == 303
    assert set(person.cookies) == {"freshet-session", "freshet-browser"}
    assert person.request("GET", "/conversations", SCRIPT_NAME="/conversations")[0] in (200, 400)
    assert person.request("GET", "/nowhere/conversations", SCRIPT_NAME="/nowhere")[0] in (400, 404)


def test_below_a_path_the_cookie_has_the_other_prefix(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1", SCRIPT_NAME="/chat")
    person = Device(server.address, {"X-Forwarded-Proto": "https"})
    form = f"password={PASSWORD}".encode()
    status, _, _ = person.request(
        "POST", "/chat/signin", form, Content_Type="application/x-www-form-urlencoded"
    )
    assert status == 303
    assert set(person.cookies) == {"__Secure-freshet-session", "__Secure-freshet-browser"}
    assert person.request("GET", "/chat/conversations")[0] == 200


def test_through_a_real_nginx_that_is_trusted_each_address_is_its_own(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1")
    with Nginx(FORWARDING_PROXY.format(port=server.port)) as nginx:
        for number in range(12):
            guesser = Device(nginx.address, {"X-Forwarded-For": f"203.0.113.{number}"})
            status = guesser.sign_in(f"guess {number}")
        assert status == 429, "what a client says of itself in front of the proxy counts for nothing"
