"""The admission rules, with the full truth table of modes."""

import itertools
from typing import Any

import pytest

from webapp.access.gate import Gate, Mode, Visit
from webapp.errors import Forbidden, Unavailable

BOUNDS = ["127.0.0.1", "0.0.0.0", ""]  # "" is a Unix socket, whose peer may be a proxy for anybody
PASSWORD = "correct horse battery staple"


def gate(
    *,
    password: str | None = None,
    public: bool = False,
    local: bool = False,
    mock_only: bool = False,
    origins: tuple[str, ...] = (),
) -> Gate:
    return Gate(password=password, public=public, local=local, mock_only=mock_only, origins=origins)


def visit(bound: str = "0.0.0.0", host: str = "chat.example", port: str = "8000", **facts: Any) -> Visit:
    return Visit(bound=bound, host=host, port=port, **facts)


def expected_mode(*, is_loopback: bool, password: bool, public: bool, local: bool, mock_only: bool) -> Mode:
    if password:
        return "password"
    if local:
        return "local" if is_loopback else "locked"
    return "public" if public or mock_only else "locked"


@pytest.mark.parametrize(
    ("bound", "host", "forwarded", "password", "public", "local", "mock_only"),
    list(itertools.product(BOUNDS, ["localhost:8000", "chat.example"], *[[False, True]] * 5)),
)
def test_the_mode_of_every_combination(
    bound: str, host: str, forwarded: bool, password: bool, public: bool, local: bool, mock_only: bool
) -> None:
    rules = gate(password=PASSWORD if password else None, public=public, local=local, mock_only=mock_only)
    is_loopback = bound == "127.0.0.1" and host == "localhost:8000" and not forwarded
    mode = expected_mode(
        is_loopback=is_loopback, password=password, public=public, local=local, mock_only=mock_only
    )
    assert rules.mode(visit(bound, host, forwarded=forwarded)) == mode


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
def test_a_loopback_name_with_the_servers_port_is_local(bound: str, host: str, port: str) -> None:
    assert gate(local=True).mode(visit(bound, host, port)) == "local"


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "localhost:8001", "127.0.0.1:443"])
def test_another_port_is_not_local(host: str) -> None:
    """A proxy on this machine forwards the Host header of its own port."""
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
    """DNS rebinding: another site can resolve its name to 127.0.0.1, but its Host header still has that name."""
    assert gate(local=True).mode(visit("127.0.0.1", host)) == "locked"


@pytest.mark.parametrize("bound", ["", "0.0.0.0", "::", "10.0.0.1", "192.168.0.2", "::ffff:127.0.0.1"])
def test_a_server_bound_to_another_address_is_not_local(bound: str) -> None:
    assert gate(local=True).mode(visit(bound, "localhost:8000")) == "locked"


def test_a_forwarded_request_is_not_local() -> None:
    assert gate(local=True).mode(visit("127.0.0.1", "localhost:8000", forwarded=True)) == "locked"


def test_loopback_without_a_setting_is_locked() -> None:
    """A proxy on the same machine that adds no headers looks like a local program."""
    assert gate().mode(visit("127.0.0.1", "localhost:8000")) == "locked"
    assert gate(password=PASSWORD).mode(visit("127.0.0.1", "localhost:8000")) == "password"


# Admission.


@pytest.mark.parametrize("local", [False, True])
def test_locked_is_503_and_names_the_setting(local: bool) -> None:
    with pytest.raises(Unavailable, match="FRESHET_ACCESS_PASSWORD") as refused:
        gate(local=local).check_unlocked(visit())
    assert (refused.value.status, refused.value.code) == (503, "locked")
    assert refused.value.retry_after_s
    assert ("FRESHET_LOCAL" in refused.value.message) is local


@pytest.mark.parametrize("options", [{"password": PASSWORD}, {"public": True}, {"mock_only": True}])
def test_each_of_these_settings_unlocks(options: dict[str, Any]) -> None:
    gate(**options).check_unlocked(visit())


@pytest.mark.parametrize("text", ["", "wrong", PASSWORD + " ", PASSWORD.upper(), "é\ufffd", "\ud800"])
def test_a_wrong_password_is_refused(text: str) -> None:
    assert not gate(password=PASSWORD).is_password(text)
    assert gate(password=PASSWORD).is_password(PASSWORD)


@pytest.mark.parametrize("text", ["", None])
def test_without_a_password_nothing_matches(text: str | None) -> None:
    assert not gate(password=None).is_password(text or "")
    assert not gate(password="").is_password(text or "")


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
def test_the_servers_own_origin_is_allowed(origin: str | None, host: str, secure: bool) -> None:
    assert gate().check_origin(visit(host=host, origin=origin, secure=secure)) is None


@pytest.mark.parametrize(
    ("origin", "secure"), [("https://chat.example", False), ("http://chat.example", True)]
)
def test_another_scheme_is_another_origin(origin: str, secure: bool) -> None:
    with pytest.raises(Forbidden) as refused:
        gate().check_origin(visit(origin=origin, secure=secure))
    assert ("FRESHET_TRUSTED_PROXIES" in refused.value.message) is not secure, "the message names the setting"


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
def test_a_foreign_origin_is_refused(origin: str) -> None:
    with pytest.raises(Forbidden) as refused:
        gate(public=True, origins=("https://blog.example",)).check_origin(visit(origin=origin))
    assert (refused.value.status, refused.value.code) == (403, "origin")


@pytest.mark.parametrize("origin", ["https://blog.example", "https://BLOG.example"])
def test_an_allowed_origin_is_returned_as_sent(origin: str) -> None:
    assert gate(origins=("https://blog.example",)).check_origin(visit(origin=origin)) == origin


@pytest.mark.parametrize("origin", ["http://blog.example", "https://blog.example:8443", "null"])
def test_an_allowed_origin_must_match_exactly(origin: str) -> None:
    with pytest.raises(Forbidden):
        gate(origins=("https://blog.example",)).check_origin(visit(origin=origin))


def test_a_star_allows_every_origin_but_null() -> None:
    rules = gate(origins=("*",))
    assert rules.check_origin(visit(origin="https://any.example")) == "https://any.example"
    with pytest.raises(Forbidden):
        rules.check_origin(visit(origin="null"))


# GET requests that start an answer.

EVENTS, ANYTHING = "text/event-stream", "*/*"
ALLOWED_STARTS = [
    (None, None, None, ""),
    (None, None, None, ANYTHING),
    (None, None, None, EVENTS),
    (None, "empty", None, ANYTHING),
    ("same-origin", "empty", None, EVENTS),
    ("same-origin", None, None, ANYTHING),
    ("cross-site", "empty", "https://blog.example", EVENTS),
    ("same-site", "empty", "https://blog.example", ANYTHING),
]
REFUSED_STARTS = [
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
    # Over plain http browsers send no Sec-Fetch-* headers: an <img>, a link, a style sheet, a video.
    (None, None, None, "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"),
    (None, None, None, "IMAGE/*"),
    (None, None, None, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (None, None, None, "text/css,*/*;q=0.1"),
    (None, None, None, "video/webm,video/ogg,video/*;q=0.9"),
]


@pytest.mark.parametrize(("site", "dest", "allowed", "accept"), ALLOWED_STARTS)
def test_a_get_of_the_page_or_a_program_may_start(
    site: str | None, dest: str | None, allowed: str | None, accept: str
) -> None:
    gate().check_get_start(visit(fetch_site=site, fetch_dest=dest, accept=accept), allowed)


@pytest.mark.parametrize(("site", "dest", "allowed", "accept"), REFUSED_STARTS)
def test_a_get_of_an_element_or_another_site_may_not_start(
    site: str | None, dest: str | None, allowed: str | None, accept: str
) -> None:
    with pytest.raises(Forbidden) as refused:
        gate().check_get_start(visit(fetch_site=site, fetch_dest=dest, accept=accept), allowed)
    assert refused.value.code == "fetch"


@pytest.mark.parametrize(("site", "dest", "allowed", "accept"), ALLOWED_STARTS)
def test_a_prefetch_may_not_start(
    site: str | None, dest: str | None, allowed: str | None, accept: str
) -> None:
    with pytest.raises(Forbidden):
        gate().check_get_start(visit(fetch_site=site, fetch_dest=dest, accept=accept, prefetch=True), allowed)


BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@pytest.mark.parametrize(
    ("agent", "accept", "referer", "starts"),
    [
        (BROWSER, ANYTHING, None, False),  # <script src> over plain http
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
def test_a_get_of_a_browser_without_fetch_metadata(
    agent: str, accept: str, referer: str | None, starts: bool
) -> None:
    request = visit(agent=agent, accept=accept, referer=referer)
    if starts:
        gate().check_get_start(request, None)
    else:
        with pytest.raises(Forbidden):
            gate().check_get_start(request, None)


@pytest.mark.parametrize(
    ("facts", "is_navigation"),
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
def test_navigations_are_recognized(facts: dict[str, Any], is_navigation: bool) -> None:
    assert gate().is_navigation(visit(**facts)) is is_navigation


@pytest.mark.parametrize(
    ("agent", "mode", "allowed"),
    [
        ("node", "cors", True),
        ("undici", None, True),
        ("Deno/2.1", None, True),
        (BROWSER, "cors", True),  # Node's fetch with another agent; a browser would send a site too
        (BROWSER, "no-cors", False),
        (BROWSER, None, False),
    ],
)
def test_n26_a_program_may_start_an_answer_by_get(agent: str, mode: str | None, allowed: bool) -> None:
    request = visit(fetch_mode=mode, agent=agent, accept="*/*")
    if allowed:
        gate().check_get_start(request, None)
    else:
        with pytest.raises(Forbidden):
            gate().check_get_start(request, None)


@pytest.mark.parametrize("mode", ["cors", "no-cors", "navigate", None])
def test_a_mode_does_not_make_a_program_of_another_site(mode: str | None) -> None:
    with pytest.raises(Forbidden):
        gate().check_get_start(visit(fetch_site="cross-site", fetch_mode=mode, agent=BROWSER), None)
