"""What the gate is told of a request: the signs of a proxy, the bearer, the address that listens."""

from types import SimpleNamespace

import pytest
from flask import Flask

from webapp.access.addresses import Proxies
from webapp.access.gate import Visit
from webapp.routes.authentication import address, visit

APP = Flask(__name__)
APP.extensions["freshet"] = SimpleNamespace(proxies=Proxies(["10.0.0.0/8"]))
LISTENING = {"REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "127.0.0.1"}


def seen(headers: dict[str, str] | None = None, **environ: str) -> Visit:
    with APP.test_request_context("/", headers=headers or {}, environ_overrides=LISTENING | environ):
        return visit()


def test_a_plain_request() -> None:
    found = seen({"Host": "localhost:8000"})
    assert (found.bound, found.host, found.forwarded) == ("127.0.0.1", "localhost:8000", False)
    assert (found.origin, found.bearer) == (None, None)
    assert (found.session, found.visitor, found.browser, found.former) == (None, None, None, None)
    assert (found.fetch_site, found.fetch_dest, found.prefetch) == (None, None, False)
    assert (found.client, found.secure) == ("127.0.0.1", False)


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
        "X-Forwarded",
        "x-forwarded-for",
        "X-Real-IP",
        "CF-Connecting-IP",
        "True-Client-IP",
        "Fly-Client-IP",
    ],
)
@pytest.mark.parametrize("sign", ["", "127.0.0.1"])
def test_any_sign_of_a_proxy_counts_even_an_empty_one(name: str, sign: str) -> None:
    assert seen({name: sign}).forwarded


@pytest.mark.parametrize("name", ["X-Requested-With", "Forwarded-For", "X-Real"])
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


@pytest.mark.parametrize(
    ("secure", "prefix", "path"), [(False, "", "/"), (True, "__Host-", "/"), (True, "__Secure-", "/chat")]
)
def test_the_cookies_by_the_names_that_nobody_else_can_set(secure: bool, prefix: str, path: str) -> None:
    names = ("session", "visitor", "browser")
    others = [other for other in ("", "__Host-", "__Secure-") if other != prefix]
    sent = "; ".join(
        f"{mark}freshet-{name}={mark or 'plain'}" for mark in ("", *others, prefix) for name in names
    )
    found = seen(
        {"Cookie": sent},
        **{"wsgi.url_scheme": "https" if secure else "http", "SCRIPT_NAME": path.rstrip("/")},
    )
    assert {found.session, found.visitor, found.browser} == {prefix or "plain"}


@pytest.mark.parametrize(
    ("peer", "told", "expected"),
    [
        ("93.184.216.34", "198.51.100.1", "93.184.216.34"),  # nobody's proxy: its word counts for nothing
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "forged, 198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
        ("", "198.51.100.1", "unix"),
    ],
)
def test_the_address_that_is_counted(peer: str, told: str, expected: str) -> None:
    headers = {"X-Forwarded-For": told}
    with APP.test_request_context("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer}):
        assert address() == expected
