"""The parsing of a request into a `Visit`: proxy headers, the bearer token, cookies, addresses."""

from types import SimpleNamespace

import pytest
from flask import Flask

from webapp.access.addresses import TrustedProxies
from webapp.access.gate import Visit
from webapp.routes.current_principal import current_address, current_visit

APP = Flask(__name__)
APP.extensions["freshet"] = SimpleNamespace(proxies=TrustedProxies(["10.0.0.0/8"]))
LISTENING = {"REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "127.0.0.1"}


def parse_visit(headers: dict[str, str] | None = None, **environ: str) -> Visit:
    with APP.test_request_context("/", headers=headers or {}, environ_overrides=LISTENING | environ):
        return current_visit()


def test_a_plain_request_has_only_addresses_and_host() -> None:
    visit = parse_visit({"Host": "localhost:8000"})
    assert (visit.bound, visit.host, visit.forwarded) == ("127.0.0.1", "localhost:8000", False)
    assert (visit.origin, visit.bearer) == (None, None)
    assert (visit.session, visit.visitor, visit.browser, visit.legacy) == (None, None, None, None)
    assert (visit.fetch_site, visit.fetch_dest, visit.prefetch) == (None, None, False)
    assert (visit.client, visit.secure) == ("127.0.0.1", False)


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
@pytest.mark.parametrize("value", ["", "127.0.0.1"])
def test_any_proxy_header_marks_a_visit_as_forwarded_even_an_empty_one(name: str, value: str) -> None:
    assert parse_visit({name: value}).forwarded


@pytest.mark.parametrize("name", ["X-Requested-With", "Forwarded-For", "X-Real"])
def test_other_headers_do_not_mark_a_visit_as_forwarded(name: str) -> None:
    assert not parse_visit({name: "127.0.0.1"}).forwarded


def test_a_unix_socket_has_no_bound_address() -> None:
    """Its peer may be a proxy that forwards requests from anywhere."""
    assert parse_visit(REMOTE_ADDR="", SERVER_NAME="127.0.0.1").bound == ""


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
        ("Bearer " + "x" * 4_001, None),
        ("", None),
    ],
)
def test_a_bearer_token_is_parsed_from_the_authorization_header(header: str, bearer: str | None) -> None:
    assert parse_visit({"Authorization": header}).bearer == bearer


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
)
def test_each_browser_s_prefetch_header_is_recognised(headers: dict[str, str]) -> None:
    assert parse_visit(headers).prefetch


def test_the_fetch_metadata_and_origin_are_read() -> None:
    visit = parse_visit(
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image", "Origin": "https://blog.example"}
    )
    assert (visit.fetch_site, visit.fetch_dest, visit.origin) == (
        "cross-site",
        "image",
        "https://blog.example",
    )


@pytest.mark.parametrize(
    ("secure", "prefix", "path"), [(False, "", "/"), (True, "__Host-", "/"), (True, "__Secure-", "/chat")]
)
def test_cookies_are_read_only_by_their_prefixed_names(secure: bool, prefix: str, path: str) -> None:
    names = ("session", "visitor", "browser")
    others = [other for other in ("", "__Host-", "__Secure-") if other != prefix]
    sent = "; ".join(
        f"{other}freshet-{name}={other or 'plain'}" for other in ("", *others, prefix) for name in names
    )
    visit = parse_visit(
        {"Cookie": sent},
        **{"wsgi.url_scheme": "https" if secure else "http", "SCRIPT_NAME": path.rstrip("/")},
    )
    assert {visit.session, visit.visitor, visit.browser} == {prefix or "plain"}


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("93.184.216.34", "198.51.100.1", "93.184.216.34"),  # not a trusted proxy: its header is ignored
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "forged, 198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
        ("", "198.51.100.1", "unix"),
    ],
)
def test_the_current_address_is_the_client_s_behind_trusted_proxies(
    peer: str, forwarded_for: str, expected: str
) -> None:
    headers = {"X-Forwarded-For": forwarded_for}
    with APP.test_request_context("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer}):
        assert current_address() == expected
