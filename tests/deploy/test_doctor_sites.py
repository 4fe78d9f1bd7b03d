"""`freshet doctor --key fpk_…` says which of a key's three checks refuses a site."""

import json
from collections.abc import Iterator

import pytest

from tests.access.device import Device
from tests.support.server import Server
from webapp.cli import main

OPERATOR = "operator-canary-91"
SITE, OTHER = "https://shop.example", "https://evil.example"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    env = {"FRESHET_PUBLIC": "true", "FRESHET_OPERATOR_KEY": OPERATOR, "FRESHET_PROVIDER": "mock"}
    with Server(env) as running:
        yield running


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    operator = Device(server.address, {"Authorization": f"Bearer {OPERATOR}"})
    made = operator.json("POST", "/keys", {"name": "x", "origins": [SITE]}, status=201)
    return str(made["values"][0]["key"])


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[bool]]:
    code = main(["doctor", *arguments, "--json"])
    return code, [check["is_admitted"] for check in json.loads(capsys.readouterr().out)]


def test_a_listed_site_is_admitted_by_all_three(
    server: Server, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(capsys, server.url, "--key", key, "--site", SITE) == (0, [True, True, True])


def test_another_site_is_refused_by_all_three(
    server: Server, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(capsys, server.url, "--key", key, "--site", OTHER) == (1, [False, False, False])
    assert main(["doctor", server.url, "--key", key, "--site", OTHER]) == 1
    assert capsys.readouterr().out.count(OTHER) == 3


def test_a_revoked_key_has_no_frame(server: Server, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = "fpk_" + 22 * "x"
    assert checked(capsys, server.url, "--key", unknown, "--site", SITE) == (1, [True, False, True])


def test_both_are_needed(server: Server, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("--key", key), ("--site", SITE), ("--key", key, "--site", "shop.example")):
        assert main(["doctor", server.url, *arguments]) == 2
    assert "--site" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_said(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = checked(capsys, "http://127.0.0.1:9", "--key", key, "--site", SITE)
    assert (code, found) == (1, [False, False, False])
