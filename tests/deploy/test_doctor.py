"""`freshet doctor` behind a real nginx that is set right, and wrong in each way that it looks for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.nginx import Nginx
from tests.support.script import Answer
from tests.support.server import Server
from webapp.cli import main

KEY = "operator-key-31ac"
SILENCE = "4"
FORWARD = """
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
"""
HOST = "proxy_set_header Host $http_host;"
UPGRADE = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
)
# By HTTP/1.0, as is nginx's default before 1.29.7: what comes in chunks nginx passes on at once, whatever it is told.
BUFFERED = "proxy_ignore_headers X-Accel-Buffering;"
STREAMS = "proxy_buffering off; proxy_read_timeout 1h;"


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Answer(steps=openai(["Hello"]))) as fake:
        yield fake


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {
        "FRESHET_PUBLIC": "true",
        "FRESHET_OPERATOR_KEY": KEY,
        "FRESHET_TRUSTED_PROXIES": "127.0.0.1",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
    }
    with Server(env, secrets=(KEY,)) as running:
        yield running


def location(server: Server, *lines: str, path: str = "/", strip: str = "") -> str:
    return (
        f"location {path} {{ proxy_pass http://127.0.0.1:{server.port}{strip}; {FORWARD} {' '.join(lines)} }}"
    )


def examine(
    capsys: pytest.CaptureFixture[str], nginx: Nginx, path: str = "/", key: str = KEY
) -> tuple[int, list[dict[str, Any]]]:
    """Run the command; return its exit code and its findings."""
    url = f"http://127.0.0.1:{nginx.port}{path}"
    code = main(["doctor", url, "--key", key, "--silence", SILENCE, "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["proxy"] == "nginx"
    return code, report["findings"]


def codes(findings: list[dict[str, Any]], severity: str = "problem") -> list[str]:
    return [finding["code"] for finding in findings if finding["severity"] == severity]


def test_nothing_is_wrong_behind_a_proxy_that_is_set_right_and_no_provider_is_called(
    server: Server, provider: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(provider.calls)
    with Nginx(location(server, HOST, UPGRADE, STREAMS)) as nginx:
        assert examine(capsys, nginx) == (0, [])
    assert len(provider.calls) == before


@pytest.mark.parametrize(
    ("lines", "found", "change"),
    [
        pytest.param(
            (HOST, BUFFERED),
            ["buffered"],
            "proxy_buffering off;",
            id="buffers",
        ),
        pytest.param(
            (
                HOST,
                UPGRADE,
                STREAMS,
                "gzip on; gzip_types text/event-stream; gzip_min_length 0; gzip_proxied any;",
            ),
            ["compressed"],
            "gzip off;",
            id="compresses",
        ),
        pytest.param(
            (HOST, UPGRADE, "proxy_buffering off; proxy_read_timeout 2s;"),
            ["cut"],
            "proxy_read_timeout 1h;",
            id="cuts a silence",
        ),
        pytest.param(
            (HOST, STREAMS), ["upgrade"], "proxy_set_header Upgrade $http_upgrade;", id="drops upgrades"
        ),
        pytest.param((UPGRADE, STREAMS), ["host"], "proxy_set_header Host $http_host;", id="another host"),
        pytest.param(
            (HOST, UPGRADE, STREAMS, 'proxy_set_header Last-Event-ID "";'),
            ["header"],
            "proxy_set_header Last-Event-ID $http_last_event_id;",
            id="strips Last-Event-ID",
        ),
        pytest.param(
            (HOST, UPGRADE, STREAMS, 'proxy_set_header Origin "";'),
            ["header"],
            "proxy_set_header Origin $http_origin;",
            id="strips Origin",
        ),
        pytest.param(
            (HOST, UPGRADE, STREAMS, 'proxy_set_header Authorization "";'),
            ["header"],
            "proxy_set_header Authorization $http_authorization;",
            id="strips Authorization",
        ),
        pytest.param(
            (HOST, UPGRADE, STREAMS, 'proxy_set_header Accept "";'),
            ["header"],
            "proxy_set_header Accept $http_accept;",
            id="strips Accept",
        ),
    ],
)
def test_what_is_set_wrong_is_found_alone_and_the_line_is_named(
    server: Server, capsys: pytest.CaptureFixture[str], lines: tuple[str, ...], found: list[str], change: str
) -> None:
    apart = sockets(server) if BUFFERED in lines else ""
    with Nginx(location(server, *lines) + apart) as nginx:
        code, findings = examine(capsys, nginx)
    assert codes(findings) == found
    assert code == 1
    assert change in findings[0]["change"]["nginx"]
    assert all(findings[0]["change"][name] for name in ("Caddy", "Traefik", "Cloudflare", "Heroku"))


def test_a_path_that_is_not_stripped_is_found(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with Nginx(location(server, HOST, UPGRADE, STREAMS, path="/chat/") + health(server)) as nginx:
        code, findings = examine(capsys, nginx, "/chat/")
    assert (code, codes(findings)) == (1, ["prefix_kept"])
    assert "location /chat/" in findings[0]["change"]["nginx"]


def test_a_path_that_the_server_is_not_told_is_a_note_and_one_that_it_is_told_is_nothing(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    stripped = location(server, HOST, UPGRADE, STREAMS, path="/chat/", strip="/")
    with Nginx(stripped + health(server)) as nginx:
        code, findings = examine(capsys, nginx, "/chat")
        assert (code, codes(findings), codes(findings, "note")) == (0, [], ["prefix_untold"])
    prefix = "proxy_set_header X-Forwarded-Prefix /chat;"
    told = location(server, HOST, UPGRADE, STREAMS, prefix, path="/chat/", strip="/")
    with Nginx(told + health(server)) as nginx:
        assert examine(capsys, nginx, "/chat/") == (0, [])


def test_a_wrong_key_is_exit_code_2(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with Nginx(location(server, HOST, UPGRADE, STREAMS)) as nginx:
        code, findings = examine(capsys, nginx, key="wrong")
    assert (code, codes(findings)) == (2, ["wrong_key"])


def test_a_server_without_a_proxy_and_with_a_password_is_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Server({"FRESHET_ACCESS_PASSWORD": KEY}, secrets=(KEY,)) as protected:
        code = main(["doctor", protected.url, "--key", KEY, "--silence", "1"])
        assert code == 0, capsys.readouterr().out
        assert protected.request("GET", "/doctor/stream")[0] == 401
        assert protected.request("GET", "/doctor?url=http://x/")[0] == 401


def test_an_address_of_another_program_and_one_of_none(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with Nginx('location / { return 200 "hello"; }') as nginx:
        code, findings = examine(capsys, nginx)
        assert (code, codes(findings)) == (1, ["not_freshet"])
        url = f"http://127.0.0.1:{nginx.port}"
    assert main(["doctor", url, "--key", KEY]) == 1
    assert "does not answer" in capsys.readouterr().out
    assert main(["doctor", "ftp://example.org"]) == 2


def sockets(server: Server) -> str:
    """WebSockets, by themselves."""
    return f" location = /ws {{ proxy_pass http://127.0.0.1:{server.port}; {FORWARD} {HOST} {UPGRADE} }}"


def health(server: Server) -> str:
    """Where `Nginx` looks whether it has started."""
    return f" location = /healthz {{ proxy_pass http://127.0.0.1:{server.port}; }}"
