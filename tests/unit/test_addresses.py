"""Where a request comes from: only a trusted proxy's word counts."""

import pytest

from webapp.access.addresses import Proxies, network_of


def client(proxies: Proxies, peer: str, told: str = "", **headers: str) -> str:
    return proxies.client({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told, **headers})


@pytest.mark.parametrize("peer", ["198.51.100.9", "127.0.0.1", "10.0.0.1", "2001:db8::1", ""])
def test_without_a_trusted_proxy_no_header_counts(peer: str) -> None:
    proxies = Proxies([])
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.5", "HTTP_X_FORWARDED_PROTO": "https"}
    assert proxies.client(dict(environ)) == peer
    assert not proxies.is_secure(dict(environ))


@pytest.mark.parametrize(
    ("trusted", "peer", "told", "expected"),
    [
        (["127.0.0.1"], "127.0.0.1", "203.0.113.5", "203.0.113.5"),
        (["127.0.0.1"], "127.0.0.1", "forged, 198.51.100.7, 203.0.113.5", "203.0.113.5"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", "203.0.113.5, 10.1.1.1", "203.0.113.5"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", "10.2.2.2, 10.1.1.1", "127.0.0.1"),
        (
            ["127.0.0.1"],
            "127.0.0.1",
            "198.51.100.7, 127.0.0.1",
            "127.0.0.1",
        ),  # a client on the proxy's machine
        (["127.0.0.1"], "127.0.0.1", "203.0.113.5:1234", "203.0.113.5"),
        (["127.0.0.1"], "127.0.0.1", "[2001:db9::1]:1234", "2001:db9::1"),
        (["127.0.0.1"], "127.0.0.1", "[2001:db9::1]", "2001:db9::1"),
        (["127.0.0.1"], "127.0.0.1", "", "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", "not an address", "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", "203.0.113.5, evil", "127.0.0.1"),
        (["127.0.0.1"], "::ffff:127.0.0.1", "203.0.113.5", "203.0.113.5"),
        (["2001:db8::/32"], "2001:db8::9", "2001:db9::1", "2001:db9::1"),
        (["unix"], "", "203.0.113.5", "203.0.113.5"),
        (["127.0.0.1"], "", "203.0.113.5", ""),
        (["10.0.0.0/8"], "192.168.0.1", "203.0.113.5", "192.168.0.1"),
    ],
)
def test_the_nearest_hop_that_is_no_trusted_proxy(
    trusted: list[str], peer: str, told: str, expected: str
) -> None:
    assert client(Proxies(trusted), peer, told) == expected


@pytest.mark.parametrize(
    ("platform", "headers", "expected"),
    [
        ("heroku", {"HTTP_X_FORWARDED_FOR": "forged, 203.0.113.5"}, "203.0.113.5"),
        (
            "fly",
            {"HTTP_X_FORWARDED_FOR": "203.0.113.5, 66.241.0.1", "HTTP_FLY_CLIENT_IP": "203.0.113.5"},
            "203.0.113.5",
        ),
        (
            "render",
            {"HTTP_X_FORWARDED_FOR": "203.0.113.5, 104.22.0.1", "HTTP_CF_CONNECTING_IP": "203.0.113.5"},
            "203.0.113.5",
        ),
    ],
)
def test_the_router_of_a_platform(platform: str, headers: dict[str, str], expected: str) -> None:
    assert Proxies([], platform).client({"REMOTE_ADDR": "10.1.2.3", **headers}) == expected
    assert Proxies([], platform).client({"REMOTE_ADDR": "8.8.8.8", **headers}) == "8.8.8.8"
    assert Proxies(["192.0.2.1"], platform).client({"REMOTE_ADDR": "10.1.2.3", **headers}) == "10.1.2.3"


@pytest.mark.parametrize(
    ("told", "secure"),
    [
        ("https", True),
        ("HTTPS", True),
        ("http, https", True),
        ("https, http", False),
        ("", False),
        ("x", False),
    ],
)
def test_tls_as_a_trusted_proxy_tells_it(told: str, secure: bool) -> None:
    proxies = Proxies(["127.0.0.1"])
    assert proxies.is_secure({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": told}) is secure
    assert not proxies.is_secure({"REMOTE_ADDR": "127.0.0.2", "HTTP_X_FORWARDED_PROTO": told})


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", "unix"),
        ("garbage", "unix"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_operator_who_forgot_to_name_the_proxy_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    proxies = Proxies(["192.0.2.1"])
    client(proxies, "8.8.8.8", "198.51.100.1")
    assert caplog.text == "", "anybody can send a header"
    for _ in range(3):
        client(proxies, "127.0.0.1", "198.51.100.1")
    assert caplog.text.count("FRESHET_TRUSTED_PROXIES") == 1
    assert "198.51.100.1" not in caplog.text
