"""Who may come in: the whole truth table, before any work."""

import itertools
from typing import Any

import pytest

from webapp.access.gate import Gate, Mode, Visit
from webapp.errors import Forbidden, Unavailable

BOUNDS = ["127.0.0.1", "0.0.0.0", ""]  # the last is a Unix socket, whose peer can be anybody's proxy
PASSWORD = "correct horse battery staple"


def gate(
    *,
    password: str | None = None,
    public: bool = False,
    local: bool = False,
    only_mock: bool = False,
    origins: tuple[str, ...] = (),
) -> Gate:
    return Gate(password=password, public=public, local=local, only_mock=only_mock, origins=origins)


def visit(bound: str = "0.0.0.0", host: str = "chat.example", port: str = "8000", **more: Any) -> Visit:
    return Visit(bound=bound, host=host, port=port, **more)


def expected(*, here: bool, password: bool, public: bool, local: bool, only_mock: bool) -> Mode:
    if password:
        return "password"
    if local:
        return "local" if here else "locked"
    return "public" if public or only_mock else "locked"


@pytest.mark.parametrize(
    ("bound", "host", "forwarded", "password", "public", "local", "only_mock"),
    list(itertools.product(BOUNDS, ["localhost:8000", "chat.example"], *[[False, True]] * 5)),
)
def test_the_whole_truth_table(
    bound: str, host: str, forwarded: bool, password: bool, public: bool, local: bool, only_mock: bool
) -> None:
    stands = gate(password=PASSWORD if password else None, public=public, local=local, only_mock=only_mock)
    here = bound == "127.0.0.1" and host == "localhost:8000" and not forwarded
    wanted = expected(here=here, password=password, public=public, local=local, only_mock=only_mock)
    assert stands.mode(visit(bound, host, forwarded=forwarded)) == wanted


@pytest.mark.parametrize("bound", ["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("localhost", "80"),
        ("localhost:8000", "8000"),
        ("LocalHost:80", "80"),
        ("127.0.0.1", "80"),
        ("127.0.0.1:1", "1"),
        ("[::1]", "80"),
        ("[::1]:8000", "8000"),
    ],
)
def test_loopback_names_and_the_server_s_own_port_are_local(bound: str, host: str, port: str) -> None:
    assert gate(local=True).mode(visit(bound, host, port)) == "local"


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "localhost:8001", "127.0.0.1:443"])
def test_another_port_is_another_server_s_name(host: str) -> None:
    """A proxy on this machine passes on the name by which it was asked."""
    assert gate(local=True).mode(visit("127.0.0.1", host, "8000")) == "locked"


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8000",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "localhost.evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.",
        "localhost.:8000",
        "localhost:8000:8000",
        "::1",
        "[::1",
        "[::1]evil",
        "[::2]:8000",
        "[::1]:8000:8000",
        "127.0.0.2:8000",
        "127.1:8000",
        "0.0.0.0:8000",
        "2130706433:8000",
        "evil@localhost:8000",
        "127.0.0.1:8000@evil",
        "127.0.0.1:8000@evil:8000",
        "localhost:8000, evil.example",
        "localhost:+8000",
        "localhost:8000 ",
        "localhost:\u0668\u0660\u0660\u0660",
    ],
)
def test_another_name_for_a_loopback_address_is_not_local(host: str) -> None:
    """A page elsewhere can make its own name mean 127.0.0.1; the Host header tells."""
    assert gate(local=True).mode(visit("127.0.0.1", host)) == "locked"


@pytest.mark.parametrize("bound", ["", "0.0.0.0", "::", "10.0.0.1", "192.168.0.2", "::ffff:127.0.0.1"])
def test_what_is_not_bound_to_loopback_is_not_local(bound: str) -> None:
    assert gate(local=True).mode(visit(bound, "localhost:8000")) == "locked"


def test_a_proxy_s_sign_closes_what_was_local() -> None:
    assert gate(local=True).mode(visit("127.0.0.1", "localhost:8000", forwarded=True)) == "locked"


def test_loopback_alone_opens_nothing() -> None:
    """A bare proxy on the same machine looks like a local program."""
    assert gate().mode(visit("127.0.0.1", "localhost:8000")) == "locked"
    assert gate(password=PASSWORD).mode(visit("127.0.0.1", "localhost:8000")) == "password"


# Coming in.


@pytest.mark.parametrize("local", [False, True])
def test_locked_is_503_and_says_which_setting(local: bool) -> None:
    with pytest.raises(Unavailable, match="FRESHET_ACCESS_PASSWORD") as refused:
        gate(local=local).check_unlocked(visit())
    assert (refused.value.status, refused.value.code) == (503, "locked")
    assert refused.value.retry_after_s
    assert ("FRESHET_LOCAL" in refused.value.message) is local


@pytest.mark.parametrize("opened", [{"password": PASSWORD}, {"public": True}, {"only_mock": True}])
def test_what_unlocks(opened: dict[str, Any]) -> None:
    gate(**opened).check_unlocked(visit())


@pytest.mark.parametrize("word", ["", "wrong", PASSWORD + " ", PASSWORD.upper(), "é\ufffd", "\ud800"])
def test_a_wrong_password(word: str) -> None:
    assert not gate(password=PASSWORD).is_password(word)
    assert gate(password=PASSWORD).is_password(PASSWORD)


@pytest.mark.parametrize("word", ["", None])
def test_no_password_is_never_the_right_one(word: str | None) -> None:
    assert not gate(password=None).is_password(word or "")
    assert not gate(password="").is_password(word or "")


# Other sites.


@pytest.mark.parametrize(
    ("origin", "host", "secure"),
    [
        (None, "chat.example", False),
        ("https://chat.example", "chat.example", True),
        ("http://chat.example", "chat.example", False),
        ("https://chat.example:443", "chat.example", True),
        ("https://chat.example", "chat.example:443", True),
        ("http://chat.example:80", "chat.example", False),
        ("http://localhost:8000", "localhost:8000", False),
        ("http://[::1]:8000", "[::1]:8000", False),
        ("http://[::1]", "[::1]", False),
        ("HTTPS://Chat.Example", "CHAT.example", True),
    ],
)
def test_our_own_page_is_no_other_site(origin: str | None, host: str, secure: bool) -> None:
    assert gate().cross_origin(visit(host=host, origin=origin, secure=secure)) is None


@pytest.mark.parametrize(
    ("origin", "secure"), [("https://chat.example", False), ("http://chat.example", True)]
)
def test_another_scheme_is_another_site(origin: str, secure: bool) -> None:
    with pytest.raises(Forbidden) as refused:
        gate().cross_origin(visit(origin=origin, secure=secure))
    assert ("FRESHET_TRUSTED_PROXIES" in refused.value.message) is not secure, "what to do is said"


FOREIGN = [
    "null",
    "NULL",
    "",
    "https://evil.example",
    "https://chat.example:8443",
    "http://chat.example:443",
    "https://chat.example.evil.example",
    "https://evil.example/chat.example",
    "https://sub.chat.example",
    "https://user@chat.example",
    "chat.example",
    "http://[",
    "http://[::1]:8000",
    "file://",
    "chrome-extension://abcdef",
    "https://other.example",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_site_is_refused(origin: str) -> None:
    with pytest.raises(Forbidden) as refused:
        gate(public=True, origins=("https://blog.example",)).cross_origin(visit(origin=origin))
    assert (refused.value.status, refused.value.code) == (403, "origin")


@pytest.mark.parametrize("origin", ["https://blog.example", "https://BLOG.example"])
def test_an_allowed_site_is_named_as_it_named_itself(origin: str) -> None:
    assert gate(origins=("https://blog.example",)).cross_origin(visit(origin=origin)) == origin


@pytest.mark.parametrize("origin", ["http://blog.example", "https://blog.example:8443", "null"])
def test_an_allowed_site_is_allowed_exactly(origin: str) -> None:
    with pytest.raises(Forbidden):
        gate(origins=("https://blog.example",)).cross_origin(visit(origin=origin))


def test_a_star_allows_every_site_but_null() -> None:
    stands = gate(origins=("*",))
    assert stands.cross_origin(visit(origin="https://any.example")) == "https://any.example"
    with pytest.raises(Forbidden):
        stands.cross_origin(visit(origin="null"))


# A GET that starts.

EVENTS, ANYTHING = "text/event-stream", "*/*"
STARTS = [
    (None, None, None, ""),
    (None, None, None, ANYTHING),
    (None, None, None, EVENTS),
    (None, "empty", None, ANYTHING),
    ("same-origin", "empty", None, EVENTS),
    ("same-origin", None, None, ANYTHING),
    ("cross-site", "empty", "https://blog.example", EVENTS),
    ("same-site", "empty", "https://blog.example", ANYTHING),
]
STARTS_NOT = [
    ("cross-site", "empty", None, ANYTHING),
    ("same-site", "empty", None, ANYTHING),
    ("none", "empty", None, ANYTHING),
    ("none", "document", None, ANYTHING),
    ("same-origin", "document", None, ANYTHING),
    *[
        ("same-origin", dest, None, ANYTHING)
        for dest in ("image", "script", "style", "iframe", "video", "embed", "track")
    ],
    ("cross-site", "image", "https://blog.example", ANYTHING),
    (None, "image", None, ANYTHING),
    ("nonsense", "empty", None, ANYTHING),
    # Plain http, where browsers send no Sec-Fetch-* headers: an <img>, a link, a style sheet, a video.
    (None, None, None, "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"),
    (None, None, None, "IMAGE/*"),
    (None, None, None, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (None, None, None, "text/css,*/*;q=0.1"),
    (None, None, None, "video/webm,video/ogg,video/*;q=0.9"),
]


@pytest.mark.parametrize(("site", "dest", "allowed", "accept"), STARTS)
def test_a_get_starts(site: str | None, dest: str | None, allowed: str | None, accept: str) -> None:
    gate().check_get_start(visit(fetch_site=site, fetch_dest=dest, accept=accept), allowed)


@pytest.mark.parametrize(("site", "dest", "allowed", "accept"), STARTS_NOT)
def test_a_get_starts_not(site: str | None, dest: str | None, allowed: str | None, accept: str) -> None:
    with pytest.raises(Forbidden) as refused:
        gate().check_get_start(visit(fetch_site=site, fetch_dest=dest, accept=accept), allowed)
    assert refused.value.code == "fetch"


@pytest.mark.parametrize(("site", "dest", "allowed", "accept"), STARTS)
def test_a_prefetch_never_starts(
    site: str | None, dest: str | None, allowed: str | None, accept: str
) -> None:
    with pytest.raises(Forbidden):
        gate().check_get_start(visit(fetch_site=site, fetch_dest=dest, accept=accept, prefetch=True), allowed)


BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@pytest.mark.parametrize(
    ("agent", "accept", "referer", "starts"),
    [
        (BROWSER, ANYTHING, None, False),  # <script src> over plain http, where no Sec-Fetch-* comes
        (BROWSER, ANYTHING, "http://evil.example/", False),
        (BROWSER, EVENTS, "http://evil.example/page", False),
        (BROWSER, EVENTS, "http://chat.example.evil.example/", False),
        (BROWSER, EVENTS, "http://chat.example@evil.example/", False),
        (BROWSER, EVENTS, "http://[", False),
        (BROWSER, EVENTS, "http://chat.example/", True),
        (BROWSER, EVENTS, None, True),
        ("curl/8.0", ANYTHING, None, True),
        ("python-requests/2.32", ANYTHING, "http://elsewhere.example/", True),
        ("node", ANYTHING, None, True),
        ("", "", None, True),
    ],
)
def test_a_get_of_a_browser_without_its_usual_headers(
    agent: str, accept: str, referer: str | None, starts: bool
) -> None:
    seen = visit(agent=agent, accept=accept, referer=referer)
    if starts:
        gate().check_get_start(seen, None)
    else:
        with pytest.raises(Forbidden):
            gate().check_get_start(seen, None)


@pytest.mark.parametrize(
    ("more", "is_visit"),
    [
        ({}, True),
        ({"accept": "*/*"}, True),
        ({"accept": "text/html,application/xhtml+xml,image/avif,*/*;q=0.8"}, True),
        ({"accept": "text/html", "fetch_dest": "document", "fetch_site": "cross-site"}, True),
        ({"accept": "image/avif,image/webp,*/*"}, False),
        ({"fetch_dest": "image"}, False),
        ({"fetch_dest": "iframe", "accept": "text/html"}, False),
        ({"accept": "text/html", "prefetch": True}, False),
    ],
)
def test_what_opens_the_page(more: dict[str, Any], is_visit: bool) -> None:
    assert gate().is_page_visit(visit(**more)) is is_visit
