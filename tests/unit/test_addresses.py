"""The client's address: only trusted proxies can forward one."""

import pytest

from webapp.access.addresses import TrustedProxies, network_of


def client(proxies: TrustedProxies, peer: str, forwarded: str = "", **headers: str) -> str:
    return proxies.client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded, **headers})


@pytest.mark.parametrize("peer", ["198.51.100.9", "127.0.0.1", "10.0.0.1", "2001:db8::1", ""])
def test_headers_of_an_untrusted_peer_are_ignored(peer: str) -> None:
    proxies = TrustedProxies([])
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.5", "HTTP_X_FORWARDED_PROTO": "https"}
    assert proxies.client_address(dict(environ)) == peer
    assert not proxies.is_secure(dict(environ))


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "expected"),
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
def test_the_client_is_the_nearest_untrusted_hop(
    trusted: list[str], peer: str, forwarded: str, expected: str
) -> None:
    assert client(TrustedProxies(trusted), peer, forwarded) == expected


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
def test_the_router_of_a_platform_is_trusted(platform: str, headers: dict[str, str], expected: str) -> None:
    assert TrustedProxies([], platform).client_address({"REMOTE_ADDR": "10.1.2.3", **headers}) == expected
    assert TrustedProxies([], platform).client_address({"REMOTE_ADDR": "8.8.8.8", **headers}) == "8.8.8.8"
    assert (
        TrustedProxies(["192.0.2.1"], platform).client_address({"REMOTE_ADDR": "10.1.2.3", **headers})
        == "10.1.2.3"
    )


@pytest.mark.parametrize(
    ("forwarded", "secure"),
    [
        ("https", True),
        ("HTTPS", True),
        ("http, https", True),
        ("https, http", False),
        ("", False),
        ("x", False),
    ],
)
def test_tls_at_a_trusted_proxy_is_secure(forwarded: str, secure: bool) -> None:
    proxies = TrustedProxies(["127.0.0.1"])
    assert proxies.is_secure({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": forwarded}) is secure
    assert not proxies.is_secure({"REMOTE_ADDR": "127.0.0.2", "HTTP_X_FORWARDED_PROTO": forwarded})


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
def test_limits_apply_to_an_ipv4_address_or_ipv6_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_unlisted_proxy_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    proxies = TrustedProxies(["192.0.2.1"])
    client(proxies, "8.8.8.8", "198.51.100.1")
    assert caplog.text == "", "any client can send the header"
    for _ in range(3):
        client(proxies, "127.0.0.1", "198.51.100.1")
    assert caplog.text.count("FRESHET_TRUSTED_PROXIES") == 1
    assert "198.51.100.1" not in caplog.text


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        ("/chat", "/chat"),
        ("/chat/", "/chat"),
        ("/a/b", "/a/b"),
        ("/a, /b", "/a/b"),
        ("/", ""),
        ("", ""),
        ("chat", ""),
        ("//evil.example", ""),
        ("/a/../b", ""),
        ("/..", ""),
        ("/.well-known/..x", "/.well-known/..x"),
        ('/"><script>', ""),
        ("/a b", ""),
        ("/a;b", ""),
        ("/" + "x" * 300, ""),
        ("https://evil.example/", ""),
    ],
)
def test_n27_a_prefix_is_read_from_a_trusted_proxy(header: str, prefix: str) -> None:
    environ: dict[str, object] = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_PREFIX": header}
    assert TrustedProxies(["10.0.0.1"]).prefix(environ) == prefix
    assert TrustedProxies(["10.0.0.2"]).prefix(environ) == ""
