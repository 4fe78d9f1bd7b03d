"""Who comes in: on loopback with a password, in local mode, behind a proxy that says nothing of itself."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.access.conftest import Start, made
from tests.access.device import KEY, PASSWORD, Device, error_of
from tests.support.fake_provider import FakeProvider
from tests.support.nginx import Nginx
from tests.support.server import ROOT, Server, free_port, wait_for

PLAIN = "location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; }}"
TOLD = """location / {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; }}"""


@pytest.fixture(scope="module")
def guarded(provider: FakeProvider) -> Iterator[Server]:
    with made(provider, FRESHET_ACCESS_PASSWORD=PASSWORD) as running:
        yield running


@pytest.fixture(scope="module")
def locked(provider: FakeProvider) -> Iterator[Server]:
    """A server with a provider, on loopback, of which nobody said who may come in."""
    with made(provider, FRESHET_LOCAL="false") as running:
        yield running


QUESTION = {"messages": [{"role": "user", "content": "Hi"}]}


def test_with_a_password_loopback_asks_for_it_too(guarded: Server, provider: FakeProvider) -> None:
    calls = len(provider.calls)
    status, _, raw = guarded.request("POST", "/v1/chat/completions", QUESTION)
    assert (status, error_of(raw)["code"]) == (401, "not_signed_in")
    assert len(provider.calls) == calls
    assert (
        guarded.request("POST", "/v1/chat/completions", QUESTION, Authorization=f"Bearer {PASSWORD}")[0]
        == 200
    )


def test_behind_a_real_nginx_that_adds_nothing(
    guarded: Server, locked: Server, provider: FakeProvider
) -> None:
    """The bare `proxy_pass` that let everybody in."""
    calls = len(provider.calls)
    for server, status in ((guarded, 401), (locked, 503)):
        with Nginx(PLAIN.format(port=server.port)) as nginx:
            stranger = Device(nginx.address)
            for method, path, body in (
                ("POST", "/v1/chat/completions", QUESTION),
                ("POST", "/stream", {"query": "Hi"}),
                ("GET", "/stream?query=Hi", None),
                ("GET", "/conversations", None),
                ("GET", "/", None),
            ):
                assert stranger.do(method, path, body)[0] == status, (path, status)
            assert stranger.do("GET", "/healthz")[0] == 200
    assert len(provider.calls) == calls


def test_through_nginx_one_signs_in_and_chats(guarded: Server) -> None:
    with Nginx(PLAIN.format(port=guarded.port)) as nginx:
        person = Device(nginx.address)
        assert person.sign_in() == 303
        assert person.ask() == "Hello"
        assert person.listed() == set()


def test_without_a_setting_loopback_is_locked_too(locked: Server, provider: FakeProvider) -> None:
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


def test_nothing_but_mock_is_public() -> None:
    with Server({"FRESHET_LOCAL": "false"}) as demo:
        visitor = Device(demo.address)
        assert visitor.open() == 200
        name = visitor.converse()
        assert visitor.listed() == {name}
        assert Device(demo.address).do("GET", "/conversations")[0] == 401


def test_local_mode_is_one_user_whatever_the_cookies(start: Start) -> None:
    server = start(FRESHET_LOCAL="true")
    first = Device(server.address)
    assert first.open() == 200
    assert first.cookies == {}
    name = first.converse()
    assert Device(server.address).listed() == {name}
    assert Device(server.address, {"Authorization": "Bearer anything"}).listed() == {name}


def test_setting_a_password_later_hides_nothing(start: Start) -> None:
    server = start(FRESHET_LOCAL="true")
    name = Device(server.address).converse()
    folder = str(server.folder / "data")
    guarded = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_DATA_DIR=folder)
    person = Device(guarded.address)
    assert person.do("GET", "/conversations")[0] == 401
    assert person.sign_in() == 303
    assert person.listed() == {name}
    other = start(FRESHET_ACCESS_PASSWORD="another password", FRESHET_DATA_DIR=folder)
    again = Device(other.address)
    again.cookies = dict(person.cookies)
    assert again.do("GET", "/conversations")[0] == 401, "another password ends the sessions of before"
    assert again.sign_in("another password") == 303
    assert again.listed() == {name}, "and hides nothing"


def test_the_limits_are_told_in_one_line(start: Start) -> None:
    server = start(FRESHET_PUBLIC="true", FRESHET_VISITOR_STARTS="7")
    lines = [line for line in server.log.splitlines() if "limits:" in line]
    assert len(lines) == 1
    for told in ("visitor: 2 answers at once, 7 starts/min", "user: 8 answers", "key: 16 answers"):
        assert told in lines[0]


# At the start.


def begin(*arguments: str, **env: str) -> tuple[int, str]:
    """Start a server that must refuse to, and return its exit code and what it said."""
    bare = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PORT": str(free_port()),
        "FRESHET_HOST": "127.0.0.1",
    }
    command = arguments or ("-m", "gunicorn", "-c", "python:webapp.server", "webapp:create_app()")
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=bare | env, capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("env", "named"),
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
def test_what_cannot_be_stops_the_start_with_one_line(env: dict[str, str], named: str) -> None:
    code, said = begin(**env)
    lines = [line for line in said.strip().splitlines() if "freshet:" in line]
    assert code != 0
    assert len(lines) == 1, said
    assert named in lines[0]
    assert "Traceback" not in said


def test_serve_on_an_address_of_others_says_what_to_set() -> None:
    code, said = begin("-m", "webapp", "serve", "--host", "0.0.0.0", OPENAI_API_KEY=KEY)
    assert code == 2
    assert "FRESHET_ACCESS_PASSWORD" in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("env", "status"),
    [({}, 200), ({"FRESHET_ACCESS_PASSWORD": PASSWORD}, 401), ({"FRESHET_PUBLIC": "true"}, 401)],
)
def test_serve_is_local_unless_a_password_or_public_is_set(
    env: dict[str, str], status: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "OPENAI_API_KEY": KEY, "PORT": str(port)}
    bare["FRESHET_DATA_DIR"] = str(tmp_path_factory.mktemp("serve"))
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "serve"],
        cwd=ROOT,
        env=bare | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    device = Device(("127.0.0.1", port))

    def answers() -> bool:
        try:
            return device.do("GET", "/healthz")[0] == 200
        except OSError:
            return False

    try:
        wait_for(answers, 20.0, "the server")
        assert device.do("GET", "/conversations")[0] == status
    finally:
        process.terminate()
        process.wait(20)


# Proxies whose word counts.


def test_behind_a_trusted_proxy_tls_is_known(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1")
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Host": "chat.example"}
    person = Device(server.address, told)
    assert person.sign_in() == 303
    assert set(person.cookies) == {"__Host-freshet-session", "__Host-freshet-browser"}
    status, headers, _ = person.do("GET", "/conversations", Origin="https://chat.example")
    assert status == 200
    assert headers["strict-transport-security"].startswith("max-age=")
    assert person.do("GET", "/conversations", Origin="http://chat.example")[0] == 403
    plain = Device(server.address, {"Host": "chat.example"})
    plain.cookies = {name.removeprefix("__Host-"): value for name, value in person.cookies.items()}
    assert plain.do("GET", "/conversations")[0] == 200
    stripped = Device(server.address, told)
    stripped.cookies = plain.cookies
    assert stripped.do("GET", "/conversations")[0] == 401, (
        "over TLS only a cookie that nobody else can set counts"
    )


def test_from_anybody_else_no_header_counts(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="10.0.0.0/8")
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Host": "chat.example"}
    status, headers, raw = Device(server.address, forged).do(
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
    assert person.do("GET", "/conversations", SCRIPT_NAME="/conversations")[0] in (200, 400)
    assert person.do("GET", "/nowhere/conversations", SCRIPT_NAME="/nowhere")[0] in (400, 404)


def test_below_a_path_the_cookie_has_the_other_prefix(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1", SCRIPT_NAME="/chat")
    person = Device(server.address, {"X-Forwarded-Proto": "https"})
    form = f"password={PASSWORD}".encode()
    status, _, _ = person.do("POST", "/chat/signin", form, Content_Type="application/x-www-form-urlencoded")
    assert status == 303
    assert set(person.cookies) == {"__Secure-freshet-session", "__Secure-freshet-browser"}
    assert person.do("GET", "/chat/conversations")[0] == 200


def test_through_a_real_nginx_that_is_trusted_each_address_is_its_own(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1")
    with Nginx(TOLD.format(port=server.port)) as nginx:
        for number in range(12):
            guesser = Device(nginx.address, {"X-Forwarded-For": f"203.0.113.{number}"})
            status = guesser.sign_in(f"guess {number}")
        assert status == 429, "what a client says of itself in front of the proxy counts for nothing"
