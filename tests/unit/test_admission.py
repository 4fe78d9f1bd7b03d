"""What the gate is told of a request: the signs of a proxy, the bearer, the address that listens."""

import pytest
from flask import Flask

from webapp.access.gate import Visit
from webapp.routes.admission import address, visit

APP = Flask(__name__)
APP.secret_key = "secret"
LISTENING = {"REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "127.0.0.1"}


def seen(headers: dict[str, str] | None = None, **environ: str) -> Visit:
    with APP.test_request_context("/", headers=headers or {}, environ_overrides=LISTENING | environ):
        return visit()


def test_a_plain_request() -> None:
    found = seen({"Host": "localhost:8000"})
    assert (found.bound, found.host, found.forwarded) == ("127.0.0.1", "localhost:8000", False)
    assert (found.origin, found.bearer, found.visitor, found.pass_) == (None, None, None, None)
    assert (found.fetch_site, found.fetch_dest, found.prefetch) == (None, None, False)


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Anything",
        "x-forwarded-for",
    ],
)
@pytest.mark.parametrize("sign", ["", "127.0.0.1"])
def test_any_sign_of_a_proxy_counts_even_an_empty_one(name: str, sign: str) -> None:
    assert seen({name: sign}).forwarded


@pytest.mark.parametrize("name", ["X-Real-IP", "X-Requested-With", "Forwarded-For"])
def test_other_headers_are_no_sign(name: str) -> None:
    assert not seen({name: "127.0.0.1"}).forwarded


def test_a_unix_socket_is_bound_to_no_address() -> None:
    """Whoever speaks through it may be a proxy for the whole world."""
    assert seen(REMOTE_ADDR="", SERVER_NAME="127.0.0.1").bound == ""


@pytest.mark.parametrize(
    ("header", "bearer"),
    [
        ("Bearer secret", "secret"),
        ("bearer  secret ", "secret"),
        ("BEARER s3cr3t-._~+/=", "s3cr3t-._~+/="),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearer a pass phrase ", "a pass phrase"),
        ("Bearer \u20ac in utf-8".encode().decode("latin-1"), "\u20ac in utf-8"),
        ("Bearer p\xe4sswort", "p\xe4sswort"),
        ("Basic dXNlcg==", None),
        ("secret", None),
        ("Bearer " + "x" * 501, None),
        ("", None),
    ],
)
def test_a_bearer_token(header: str, bearer: str | None) -> None:
    assert seen({"Authorization": header}).bearer == bearer


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
)
def test_a_prefetch_by_each_browser_s_word(headers: dict[str, str]) -> None:
    assert seen(headers).prefetch


def test_where_a_browser_says_it_comes_from() -> None:
    found = seen(
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image", "Origin": "https://blog.example"}
    )
    assert (found.fetch_site, found.fetch_dest, found.origin) == (
        "cross-site",
        "image",
        "https://blog.example",
    )


def test_any_sec_fetch_header_is_noticed() -> None:
    assert seen({"Sec-Fetch-Mode": "cors"}).fetched
    assert not seen().fetched


@pytest.mark.parametrize(
    ("peer", "told", "expected"),
    [
        ("93.184.216.34", "198.51.100.1", "93.184.216.34"),  # nobody's proxy: its word counts for nothing
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "forged, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_address_that_is_throttled(peer: str, told: str, expected: str) -> None:
    headers = {"X-Forwarded-For": told} if told else {}
    with APP.test_request_context("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer}):
        assert address() == expected
